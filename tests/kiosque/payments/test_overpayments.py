"""Money that pays nothing has another use, as a human says, and is what it was once he takes it
back."""

import pytest

from kiosque import payments
from kiosque.db.models import Allocation, Anomaly, Family, Invoice, JournalEntry, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import Refused, by_hand, journal, overpayments
from kiosque.payments.by_hand import BankPayment
from tests.conftest import ISSUERS, NOW, make_invoice
from tests.kiosque.payments.conftest import at_counter, state_of

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = (" Dominique ", " accord ")


def apply(settlement: Settlement, invoice: Invoice, cents: int | None = None) -> Invoice:
    return payments.apply_overpayment(settlement, invoice.number, *WHO, ISSUERS, cents)


def withdraw(settlement: Settlement, invoice: Invoice) -> int | None:
    """Return the number of the entry that the journal says is taken back."""
    payments.withdraw_overpayment(settlement, invoice.number, *WHO)
    last: JournalEntry = JournalEntry.select().order_by(JournalEntry.number.desc()).get()
    return last.corrects


def give_back(settlement: Settlement, cents: int) -> None:
    payments.record_repayment(settlement, RepaymentKind.REFUND, cents, *WHO)


def of_nobody(letter: str, cents: int) -> Settlement:
    """Enter a debit that the bank shows, whose it is nobody knows."""
    seen = BankPayment("banque", letter * 32, cents, NOW.date(), "Dominique", "vu")
    return by_hand.enter(seen, None, ISSUERS)


def listed() -> dict[str, int]:
    """Return the cents on the régisseur's list, by what the bank calls them."""
    return {each.transaction_id: each.amount_cents for each in payments.open_anomalies()}


@pytest.fixture
def november(alices_family: Family) -> Invoice:
    return make_invoice(alices_family, "2026-11-0001", 4520)


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
    first, second = (of_nobody(letter, 1000) for letter in "ab")
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


def test_who_asks_what_it_would_pay_is_told_and_nothing_is_changed(
    twice: Settlement, september: Invoice, charlies_family: Family
) -> None:
    for cents, taken in ((None, 4225), (1000, 1000)):
        told = overpayments.foresee_use(twice, f" {september.number} ", cents)
        assert told == (september, taken)
    with pytest.raises(Refused):
        overpayments.foresee_use(twice, make_invoice(charlies_family, "C-1").number, None)
    assert Invoice.get_by_id(september.id).paid_cents == 0


def test_what_was_applied_to_several_invoices_is_taken_off_one(
    twice: Settlement, october: Invoice, september: Invoice
) -> None:
    november = make_invoice(october.family, "2026-11-0002", 300)
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


def test_what_nobody_knew_is_listed_for_what_of_it_pays_nothing(october: Invoice) -> None:
    one, other, left = of_nobody("a", 5000), of_nobody("b", 700), of_nobody("c", 300)
    point = Anomaly.get(Anomaly.settlement == left)
    payments.resolve_anomaly(point.id, "Dominique", "rendu")
    apply(one, october)
    assert listed() == {"a" * 32: 480, "b" * 32: 700}
    withdraw(one, october)
    assert listed() == {"a" * 32: 5000, "b" * 32: 700}
    for _ in range(2):
        apply(other, october, 700)
        assert listed() == {"a" * 32: 5000}
        withdraw(other, october)
        assert listed() == {"a" * 32: 5000, "b" * 32: 700}


def test_what_left_the_list_says_who_gave_it_a_use_and_why_and_what_is_on_it_again_nobody(
    twice: Settlement, november: Invoice
) -> None:
    apply(twice, november)
    point = Anomaly.get()
    assert point.resolved_by == "Dominique"
    assert (november.number in point.resolution, "accord" in point.resolution) == (True, True)
    withdraw(twice, november)
    point = Anomaly.get()
    assert (point.resolved_at, point.resolved_by, point.resolution) == (None, "", "")


def test_what_is_taken_back_names_the_last_entry_that_gave_this_money_this_use(
    october: Invoice, twice: Settlement, september: Invoice, november: Invoice
) -> None:
    at_counter(october, reason="encore une fois", is_extra=True)
    other = Settlement.get(Settlement.reason == "encore une fois")
    for _ in range(2):
        apply(twice, november, 1000)
        number, _ = journal.last()
        apply(other, september, 500)
        payments.apply_overpayment(twice, september.number, "Camille", "autre", ISSUERS, 1000)
        assert withdraw(twice, november) == number
        payments.withdraw_overpayment(twice, september.number, "Camille", "autre")


def test_what_was_given_back_meanwhile_is_owed_no_more_and_pays_nothing(
    october: Invoice, november: Invoice
) -> None:
    at_counter(october, amount_cents=100)
    at_counter(october, reason="encore", is_extra=True)
    paid = Settlement.get(Settlement.reason == "encore")
    apply(paid, november)
    assert Invoice.get_by_id(november.id).paid_cents == 100
    give_back(paid, 4000)
    withdraw(paid, november)
    assert payments.open_anomalies() == []
    with pytest.raises(Refused):
        apply(paid, november)


def test_a_part_of_it_is_taken_from_the_smallest_that_is_enough(
    twice: Settlement, september: Invoice, november: Invoice
) -> None:
    apply(twice, september, 1000)
    withdraw(twice, september)
    with pytest.raises(Refused):
        apply(twice, november, 4000)
    apply(twice, november, 400)
    parts = Allocation.select().where(Allocation.settlement == twice)
    assert sorted(each.amount_cents for each in parts) == [400, 600, 3520]
    apply(twice, november)
    assert Invoice.get_by_id(november.id).paid_cents == 3920


def test_no_more_is_used_than_is_there_nor_than_the_invoice_awaits_nor_nothing(
    twice: Settlement, october: Invoice, september: Invoice
) -> None:
    give_back(twice, 4000)
    for cents in (-1, 0, 521, 4226):
        with pytest.raises(Refused):
            apply(twice, september, cents)
    with pytest.raises(Refused):
        apply(Settlement.get(Settlement.reason == "guichet"), september)
    apply(twice, september, 1)
    apply(twice, september)
    assert Invoice.get_by_id(september.id).paid_cents == 520
