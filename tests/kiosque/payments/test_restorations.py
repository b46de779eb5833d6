"""Money that did not leave in the end is put back where it was, and nothing else is."""

import pytest

from kiosque import payments
from kiosque.db.models import Anomaly, Invoice, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import BankPayment, Refused, by_hand
from kiosque.payments.restorations import foresee_restoration
from tests.conftest import ISSUERS, NOW, make_invoice
from tests.kiosque.payments.conftest import at_counter, state_of

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = ("Dominique", "représenté")


def bounce(settlement: Settlement, cents: int | None = None) -> None:
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, cents, "Camille", "rejet")


def bounced(invoice: Invoice) -> Settlement:
    at_counter(invoice, mode="cheque")
    settlement = payments.find_settlement(invoice.number)
    bounce(settlement)
    return settlement


def test_of_two_payments_that_left_for_one_reason_each_is_restored_by_itself(
    october: Invoice, september: Invoice
) -> None:
    one, other = bounced(october), bounced(september)
    foreseen = foresee_restoration(one, None, *WHO)
    restored = payments.restore(one, 4520, *WHO)
    assert (restored, restored.state, restored.author) == (foreseen, "declined", "Camille")
    assert (state_of(october), state_of(september)) == ("paid", "open")
    assert Settlement.get_by_id(other.id).state == "reversed"
    payments.restore(other, None, *WHO)
    assert (state_of(october), state_of(september)) == ("paid", "paid")


def test_who_asks_what_would_be_restored_says_who_and_which_of_two(october: Invoice) -> None:
    at_counter(october, mode="cheque")
    settlement = payments.find_settlement(october.number)
    for cents in (100, 200):
        payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Camille", f"{cents}")
    assert foresee_restoration(settlement, 200, *WHO).amount_cents == 200
    for cents, author, reason in (
        (None, *WHO),
        (300, *WHO),
        (100, "", "erreur"),
        (100, "Dominique", " "),
    ):
        with pytest.raises(Refused):
            foresee_restoration(settlement, cents, author, reason)


def test_what_a_human_gave_another_use_has_it_again_and_may_still_be_taken_back(
    october: Invoice,
) -> None:
    november = make_invoice(october.family, "2026-11-0001", 4520)
    at_counter(october)
    at_counter(october, mode="cheque", reason="encore", is_extra=True)
    twice = Settlement.get(Settlement.reason == "encore")
    payments.apply_overpayment(twice, november.number, *WHO, ISSUERS)
    bounce(twice)
    payments.restore(twice, None, *WHO)
    assert state_of(november) == "paid"
    payments.withdraw_overpayment(twice, november.number, *WHO)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.invoice, point.amount_cents) == ("overpayment", october, 4520)


def test_what_matched_nothing_is_on_the_list_again_and_no_other() -> None:
    one, other = (
        by_hand.enter(
            BankPayment("banque", letter * 32, 1000, NOW.date(), "Dominique", "vu"), None, ISSUERS
        )
        for letter in "ab"
    )
    for settlement in (one, other):
        bounce(settlement)
    assert not [each for each in payments.open_anomalies() if each.settlement in (one, other)]
    payments.restore(one, None, *WHO)
    listed = [each.settlement for each in payments.open_anomalies()]
    assert (listed.count(one), listed.count(other)) == (1, 0)
    assert Anomaly.get(Anomaly.settlement == one, Anomaly.resolved_at.is_null()).detail
