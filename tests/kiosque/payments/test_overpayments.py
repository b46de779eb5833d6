"""Money that pays nothing has another use, as a human says, and is what it was once he takes it
back."""

import pytest

from kiosque import payments
from kiosque.db.models import Allocation, Family, Invoice, JournalEntry, Settlement
from kiosque.payments import Refused, by_hand, overpayments
from kiosque.payments.by_hand import BankPayment
from tests.conftest import ISSUERS, NOW, make_invoice
from tests.kiosque.payments.conftest import at_counter, state_of

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = (" Dominique ", " accord ")


def apply(settlement: Settlement, invoice: Invoice, cents: int | None = None) -> Invoice:
    return payments.apply_overpayment(settlement, invoice.number, *WHO, ISSUERS, cents)


@pytest.fixture
def twice(october: Invoice) -> Settlement:
    """Make money come a second time for October."""
    at_counter(october)
    at_counter(october, reason="encore", is_extra=True)
    return Settlement.get(Settlement.reason == "encore")


def test_money_of_nobody_is_of_the_family_whose_invoice_it_pays(
    october: Invoice, charlies_family: Family
) -> None:
    theirs = make_invoice(charlies_family, "C-1", 1000)
    first, second = (
        by_hand.enter(
            BankPayment("banque", letter * 32, 1000, NOW.date(), "Dominique", "vu"), None, ISSUERS
        )
        for letter in "ab"
    )
    apply(first, theirs)
    assert Settlement.get_by_id(first.id).family == charlies_family
    assert Settlement.get_by_id(second.id).family is None


def test_the_invoice_is_returned_as_it_is_now_and_the_journal_names_who_said_so(
    twice: Settlement, september: Invoice
) -> None:
    paid = apply(twice, september)
    assert (paid.number, paid.state) == (september.number, "paid")
    last = JournalEntry.select().order_by(JournalEntry.number.desc()).get()
    assert last.label == "trop-perçu affecté à une autre facture (Dominique : accord)"


def test_what_was_applied_to_several_invoices_is_taken_off_one(
    twice: Settlement, october: Invoice, september: Invoice
) -> None:
    november = make_invoice(october.family, "2026-11-0001", 300)
    apply(twice, september, 1000)
    apply(twice, november)
    (part,) = overpayments.applied_to(twice, november.number)
    assert part.amount_cents == 300
    applied = overpayments.applied_by_hand(twice)
    assert sorted(each.amount_cents for each in applied) == [300, 1000]
    assert payments.withdraw_overpayment(twice, september.number, *WHO) == 1000
    assert (state_of(september), state_of(november)) == ("open", "paid")
    assert Allocation.select().where(Allocation.came_for == october).count() == 1
    kept = Allocation.select().where(
        Allocation.settlement == twice, Allocation.kind == "overpayment"
    )
    assert {(each.invoice_id, each.author, each.reason) for each in kept} == {(october.id, "", "")}
    assert sum(each.amount_cents for each in kept) == 4220
    (point,) = payments.open_anomalies()
    assert point.amount_cents == 4220


def test_a_human_who_gives_money_a_use_or_takes_it_back_has_a_name_and_a_reason(
    twice: Settlement, september: Invoice
) -> None:
    for who in (("", "accord"), ("Dominique", " ")):
        with pytest.raises(Refused):
            payments.apply_overpayment(twice, september.number, *who, ISSUERS)
    apply(twice, september)
    for who in (("", "erreur"), ("Dominique", " ")):
        with pytest.raises(Refused):
            payments.withdraw_overpayment(twice, september.number, *who)
    assert state_of(september) == "paid"


def test_the_beginning_of_a_number_that_it_did_not_pay_is_quoted(twice: Settlement) -> None:
    with pytest.raises(Refused, match=f"facture {'X' * 30} par"):
        payments.withdraw_overpayment(twice, "X" * 31, *WHO)
