"""A payment by the name that the counter or the bank gives it."""

import pytest

from kiosque import payments
from kiosque.db.models import Invoice, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import Refused, names
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
    assert names.find_departed(october.number, 1000) == second
