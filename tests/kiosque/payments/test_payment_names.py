"""A payment by the name that the counter or the bank gives it."""

import pytest

from kiosque import payments
from kiosque.db.models import Invoice, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import Refused, payment_names
from tests.conftest import ISSUERS, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")


def test_of_several_payments_of_an_invoice_each_is_described(october: Invoice) -> None:
    for cents, reason in ((1000, "chèque 1"), (520, "chèque 2")):
        at_counter(october, amount_cents=cents, reason=reason)
    with pytest.raises(Refused) as caught:
        payments.find_settlement(october.number)
    (words,) = caught.value.reasons
    for number, reason in ((1, "10,00\xa0€, chèque 1"), (2, "5,20\xa0€, chèque 2")):
        assert f"encaissement-{number} (le 24/11/2026, {reason})" in words
    assert october.number in words


def test_a_payment_is_found_by_our_name_of_it_and_by_the_banks(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    at_counter(october)
    hear(go(september)[1], trans_uuid="b" * 32)
    counter, debit = Settlement.select().order_by(Settlement.id)
    assert payments.find_settlement(f"encaissement-{counter.id}") == counter
    assert payments.find_settlement("B" * 32) == debit


def test_what_is_only_asked_for_has_not_departed(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    for letter in "ab":
        hear(handoff, trans_uuid=letter * 32)
    first, second = Settlement.select().order_by(Settlement.id)
    payments.ask_refund(first, 1000, "Dominique", "absence", bank)
    payments.record_repayment(second, RepaymentKind.REFUND, 1000, "Dominique", "absence")
    assert payment_names.find_departed(october.number, 1000) == second


def test_each_payment_is_found_by_the_name_that_is_written_of_it(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    at_counter(september)
    _, handoff = go(october)
    hear(handoff, trans_uuid="a" * 32)
    hear(handoff, trans_uuid="b" * 32, amount="5000", effective_amount="5000")
    made = list(Settlement.select().order_by(Settlement.id))
    called = [payment_names.name_of(each) for each in made]
    assert called == ["encaissement-1", "R000001", "b" * 32]
    assert [payments.find_settlement(f" {name} ") for name in called] == made
    assert payments.find_settlement(october.number) == made[1]  # the other paid nothing of it
    assert payments.find_departed("R000001", None) == made[1]


def test_a_name_that_nothing_bears_is_refused_and_its_beginning_is_quoted() -> None:
    with pytest.raises(Refused, match=rf" {'X' * 30}\.$"):
        payments.find_settlement("X" * 31)
    with pytest.raises(Refused, match=r" nulle\.$"):
        payment_names.find_departed("nulle", None)


def test_only_hexadecimal_names_lose_their_capitals() -> None:
    assert payment_names.bank_name(" Ref-12 ") == "Ref-12"
    assert payment_names.bank_name("A" * 32) == "a" * 32


def test_of_what_has_departed_the_one_of_that_amount_is_meant(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    at_counter(september)
    _, handoff = go(october)
    for letter in "ab":
        hear(handoff, trans_uuid=letter * 32)
    other, first, second = Settlement.select().order_by(Settlement.id)
    for settlement, cents in ((other, 1000), (first, 1000), (second, 500)):
        payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Dominique", "absence")
    assert payments.find_settlement(october.number) == first  # the other came twice
    assert payment_names.find_departed(october.number, 1000) == first
    assert payment_names.find_departed(october.number, 500) == second
    assert payment_names.find_departed(september.number, 700) == other  # none: what paid it
    described = " ; ".join(f"encaissement-{n} (le 24/11/2026, 45,20\xa0€)" for n in (2, 3))
    with pytest.raises(Refused) as caught:
        payment_names.find_departed(october.number, None)
    (words,) = caught.value.reasons
    assert f" {october.number}. " in words
    assert f" : {described}." in words


def test_what_no_longer_pays_an_invoice_is_not_found_by_it(october: Invoice) -> None:
    at_counter(october, reason="chèque")
    bounced = Settlement.get()
    payments.record_repayment(
        bounced, RepaymentKind.CHARGEBACK, None, "Dominique", "sans provision"
    )
    at_counter(october, reason="espèces")
    assert payments.find_settlement(october.number).reason == "espèces"
    assert payment_names.find_departed(october.number, 4520) == bounced


def test_a_credit_note_is_not_meant_by_the_invoice_that_it_pays_or_paid(
    october: Invoice, september: Invoice
) -> None:
    note = make_invoice(october.family, "AV-1", -1200, state="nothing_due")
    for invoice in (october, september):
        payments.apply_credit(note.number, invoice.number, 600, "Dominique", "accord")
        at_counter(invoice, amount_cents=1000, reason=invoice.number)
    payments.unapply_credit(note.number, october.number, "Dominique", "erreur")
    money = Settlement.get(Settlement.reason == october.number)
    payments.record_repayment(money, RepaymentKind.REFUND, 600, "Dominique", "absence")
    assert payment_names.find_departed(october.number, 600) == money
    assert payments.find_settlement(september.number).reason == september.number


def test_a_receipt_is_meant_before_an_invoice_of_the_same_number(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    hear(go(october)[1])
    odd = make_invoice(october.family, "R000001")
    at_counter(odd, reason="chèque")
    paid = Settlement.get(Settlement.reason == "chèque")
    payments.record_repayment(paid, RepaymentKind.REFUND, 1000, "Dominique", "absence")
    assert payment_names.find_departed("R000001", 1000) == Settlement.get(
        Settlement.gateway == "banque"
    )


def test_the_beginning_of_a_long_number_is_quoted(october: Invoice) -> None:
    long = make_invoice(october.family, "9" * 31)
    for cents in (1000, 520):
        at_counter(long, amount_cents=cents)
    with pytest.raises(Refused, match=f" {'9' * 30}\\. Dites"):
        payments.find_settlement(long.number)


def test_what_has_no_use_is_said_too(go: Pay, hear: Hear, october: Invoice) -> None:
    hear(go(october)[1], amount="5000", effective_amount="5000")
    debit = Settlement.get()
    payments.apply_overpayment(debit, october.number, "Dominique", "accord", ISSUERS)
    assert sorted(payment_names.other_uses(debit, october.number, 5000)) == [
        f"facture {october.number} : 45,20\xa0€",
        "sans emploi : 4,80\xa0€",
    ]


def test_of_a_payment_called_by_an_invoice_all_that_it_was_for_is_said(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    _, handoff = go(october, september)
    at_counter(september)
    hear(handoff)
    debit = payments.find_settlement(october.number)
    uses = [
        f"facture {october.number} : 45,20\xa0€",
        f"facture {september.number}, trop-perçu : 42,25\xa0€",
    ]
    assert payment_names.other_uses(debit, f" {october.number} ", 8745) == uses
    assert payment_names.other_uses(debit, october.number, 4520) == []
    assert payment_names.other_uses(debit, "R000001", 8745) == []
