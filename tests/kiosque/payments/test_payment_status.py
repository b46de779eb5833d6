"""A family that cannot pay an invoice is told why."""

from datetime import timedelta

import pytest

from kiosque import payments
from kiosque.db.models import Anomaly, Family, Invoice, Receipt, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments.payment_status import PaymentStatus
from tests.bank import ABANDONED, REFUSED
from tests.conftest import NOW
from tests.kiosque.payments.conftest import CREDIT, Hear, Pay, at_counter

#: As the bank says a debit in another currency.
IN_DOLLARS = {"currency": "840", "effective_currency": "840"}

pytestmark = pytest.mark.usefixtures("sound_books")


def status(*invoices: Invoice) -> PaymentStatus:
    return payments.payment_status_of(invoices[0].family, [each.number for each in invoices])


def test_what_was_paid_online_is_said_with_its_hour_its_payment_and_its_receipt(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    for invoice, letter in ((september, "a"), (october, "b")):
        attempt, handoff = go(invoice)
        hear(handoff, trans_uuid=letter * 32)
    said = status(october)
    (paid,) = said.paid
    settlement = Settlement.get(Settlement.attempt == attempt)
    assert (paid.number, paid.settled_at) == (october.number, settlement.settled_at)
    assert paid.receipt == Receipt.get(Receipt.settlement == settlement)
    assert (paid.attempt, said.attempt) == (attempt, attempt)
    assert said.all_paid
    assert not said.nothing_debited


def test_what_was_paid_at_the_counter_has_no_receipt_nor_payment(october: Invoice) -> None:
    at_counter(october)
    said = status(october)
    (paid,) = said.paid
    assert (paid.receipt, paid.attempt, said.attempt) == (None, None, None)
    assert (said.all_paid, said.nothing_debited) == (True, False)


def test_all_is_paid_only_where_each_invoice_that_was_asked_for_is(
    october: Invoice, september: Invoice
) -> None:
    at_counter(october)
    at_counter(september, amount_cents=1000)
    for others in ([september], [Invoice(number="nulle")]):
        said = status(october, *others)
        assert [each.number for each in said.paid] == [october.number]
        assert not said.all_paid
    assert status(september).paid == []


@pytest.mark.parametrize("end", [REFUSED, ABANDONED], ids=["refused", "abandoned"])
def test_of_a_payment_that_came_to_nothing_surely_nothing_was_debited(
    go: Pay, hear: Hear, october: Invoice, end: dict[str, str]
) -> None:
    hear(go(october)[1], **end)
    said = status(october)
    assert said.nothing_debited
    assert (said.paid, said.held, said.attempt) == ([], {}, None)


def test_the_one_payment_that_holds_all_is_named(
    go: Pay, october: Invoice, september: Invoice
) -> None:
    attempt, _ = go(october)
    assert status(october).attempt == attempt
    said = status(october, september)
    assert (said.attempt, said.held) == (None, {october.number: attempt})
    assert not said.nothing_debited


def test_charlie_learns_nothing_of_alices_invoice(
    charlies_family: Family, october: Invoice
) -> None:
    at_counter(october)
    said = payments.payment_status_of(charlies_family, [october.number])
    assert (said.paid, said.held, said.nothing_debited) == ([], {}, True)


def test_what_came_twice_pays_no_invoice(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    attempt, handoff = go(october, september)
    at_counter(october)
    hear(handoff)
    assert payments.invoices_paid_by(attempt) == [september]


def test_a_debit_of_another_amount_waits_for_a_use_and_one_as_awaited_does_not(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (awaited, first), (other, second) = go(october), go(september)
    hear(first)
    hear(second, trans_uuid="b" * 32, amount="5000", effective_amount="5000")
    assert not payments.keeps_another_amount(awaited.reference)
    assert payments.keeps_another_amount(other.reference)


@pytest.mark.parametrize("told", [IN_DOLLARS, CREDIT], ids=["odd debit", "refund of no debit"])
def test_money_told_that_is_not_in_the_books_leaves_a_doubt_until_somebody_looks(
    go: Pay, hear: Hear, october: Invoice, september: Invoice, told: dict[str, str]
) -> None:
    (attempt, handoff), (other, elsewhere) = go(october), go(september)
    hear(elsewhere, **REFUSED, trans_uuid="f" * 32)
    hear(handoff, **REFUSED, trans_uuid="e" * 32)
    hear(handoff, **told)
    assert payments.is_doubted(attempt)
    assert not payments.is_doubted(other)
    assert (status(october).nothing_debited, status(september).nothing_debited) == (False, True)
    payments.resolve_anomaly(Anomaly.get().id, "Dominique", "vu avec la banque")
    assert not payments.is_doubted(attempt)
    assert status(october).nothing_debited


def test_what_brings_no_money_leaves_no_doubt(go: Pay, hear: Hear, october: Invoice) -> None:
    attempt, handoff = go(october)
    hear(handoff, **REFUSED, trans_uuid="e" * 32)
    hear(handoff, trans_status="CANCELLED", **IN_DOLLARS)
    assert Anomaly.select().count() == 1
    assert not payments.is_doubted(attempt)


def test_what_is_paid_is_named_in_order_with_what_paid_it(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    at_counter(october)
    _, handoff = go(september)
    for letter in "ab":
        hear(handoff, trans_uuid=letter * 32)
    said = payments.payment_status_of(october.family, [october.number, september.number])
    (first, second) = said.paid
    assert (first.number, second.number) == (september.number, october.number)
    assert first.receipt == Receipt.get(Receipt.number == 1)  # the other came twice
    assert (second.receipt, said.attempt) == (None, None)


def test_the_day_of_what_was_paid_in_parts_is_that_of_the_last(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    at_counter(october, amount_cents=1000)
    attempt, handoff = go(Invoice.get_by_id(october.id))
    hear(handoff)
    (paid,) = status(october).paid
    assert (paid.attempt, paid.receipt) == (attempt, Receipt.get())


def test_a_debit_of_another_amount_that_was_given_back_waits_no_more(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, amount="5000", effective_amount="5000")
    payments.record_repayment(
        Settlement.get(), RepaymentKind.REFUND, None, "Dominique", "montant faux"
    )
    assert not payments.keeps_another_amount(attempt.reference)


def test_of_payments_that_bounced_the_one_that_was_restored_pays(october: Invoice) -> None:
    for reason in ("chèque", "autre chèque"):
        at_counter(october, reason=reason)
        bounced = Settlement.get(Settlement.reason == reason)
        payments.record_repayment(bounced, RepaymentKind.CHARGEBACK, None, "Dominique", reason)
    first = Settlement.get(Settlement.reason == "chèque")
    Settlement.update(settled_at=NOW - timedelta(days=1)).where(Settlement.id == first.id).execute()
    payments.restore(first, None, "Dominique", "honoré")
    (paid,) = status(october).paid
    assert paid.settled_at == NOW - timedelta(days=1)
