"""Which invoices may be paid online at this moment, for one family or for all."""

from datetime import date

import pytest

from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.payments import Refused
from tests.conftest import Clock, make_invoice
from tests.kiosque.payments.conftest import Pay, at_counter

pytestmark = pytest.mark.usefixtures("sound_books")


def payable() -> list[str]:
    found = Invoice.select().where(payments.payable_now()).order_by(Invoice.number)
    return [invoice.number for invoice in found]


def test_what_is_open_here_and_at_no_bank_may_be_paid_now(
    pay: Pay, frozen: Clock, alices_family: Family
) -> None:
    for number in ("A", "B"):
        make_invoice(alices_family, number)
    at_counter(make_invoice(alices_family, "C"))
    make_invoice(alices_family, "D", closes_on=date(2026, 11, 24))
    make_invoice(alices_family, "E", closes_on=date(2026, 11, 23))
    attempt, _ = pay(alices_family, Invoice.get(Invoice.number == "A"))
    assert payable() == ["B", "D"]
    frozen.at = attempt.live_until
    assert payable() == ["A", "B", "D"]


def test_the_state_of_what_holds_each_invoice_is_told_for_a_page_of_them(
    pay: Pay, frozen: Clock, alices_family: Family
) -> None:
    invoices = [make_invoice(alices_family, letter) for letter in "ABCD"]
    for invoice in invoices[1:]:
        attempt, _ = pay(alices_family, invoice)
    assert payments.holders_of([]) == {}
    assert payments.holders_of([each.id for each in invoices[:3]]) == {
        invoices[1].id: "handed_off",
        invoices[2].id: "handed_off",
    }
    assert set(payments.live_attempts(invoices[:2])) == {invoices[1].id}
    assert list(payments.holders_of([invoices[3].id])) == [invoices[3].id]
    frozen.at = attempt.live_until
    assert payments.holders_of([each.id for each in invoices]) == {}


def test_a_payment_that_was_never_led_to_the_bank_holds_its_invoice_for_thirty_seconds(
    pay: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = pay(october.family, october)
    Attempt.update(state="created").execute()
    frozen.advance(seconds=29)
    assert payments.live_attempts([october]) == {october.id: attempt}
    assert payments.holders_of([october.id]) == {october.id: "created"}
    with pytest.raises(Refused):
        pay(october.family, october)
    frozen.advance(seconds=1)
    assert payments.live_attempts([october]) == {}
    assert (payments.holders_of([october.id]), payable()) == ({}, [october.number])
    pay(october.family, october)
    assert Attempt.get_by_id(attempt.id).state == "cancelled"


def test_fifty_invoices_at_most_are_paid_at_once(alices_family: Family) -> None:
    numbers = [make_invoice(alices_family, f"N{number}", 100).number for number in range(51)]
    most = payments.select_invoices(alices_family, numbers[:50])
    assert ([each.number for each in most.invoices], most.reasons) == (numbers[:50], [])
    assert payments.select_invoices(alices_family, numbers).invoices == []
