"""Money that did not leave in the end is put back where it was, and nothing else is."""

import pytest

from kiosque import payments
from kiosque.db.models import Anomaly, Attempt, Fact, Invoice, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import BankPayment, Refused, by_hand
from kiosque.payments.restorations import foresee_restoration
from tests.conftest import ISSUERS, NOW, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, state_of

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
    with pytest.raises(Refused):
        foresee_restoration(one, None, *WHO)
    listed = [each.settlement for each in payments.open_anomalies()]
    assert (listed.count(one), listed.count(other)) == (1, 0)
    assert Anomaly.get(Anomaly.settlement == one, Anomaly.resolved_at.is_null()).detail


def test_money_without_a_use_that_the_bank_undid_is_on_the_list_with_all_that_is_known_of_it(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    for status in ("CAPTURED", "CAPTURE_FAILED"):
        hear(handoff, trans_status=status, amount="1000", effective_amount="1000")
    settlement = Settlement.get()
    restored = payments.restore(settlement, None, "Dominique", "x" * 500)
    assert restored.author == "Dominique"
    (point,) = payments.open_anomalies()
    assert (point.settlement, point.attempt, point.amount_cents) == (settlement, attempt, 1000)
    assert point.detail
    said = last_fact(attempt)
    assert (said.state, said.amount_cents, len(said.status)) == ("pending", 1000, 200)


def last_fact(attempt: Attempt) -> Fact:
    return Fact.select().where(Fact.attempt == attempt).order_by(Fact.id.desc()).get()


@pytest.mark.parametrize(("cents", "kept"), [(None, False), (1000, True)])
def test_what_was_odd_in_a_debit_is_dealt_with_once_all_of_it_is_there_again(
    go: Pay, hear: Hear, october: Invoice, cents: int | None, kept: bool
) -> None:
    _, handoff = go(october)
    hear(handoff)
    settlement = Settlement.get()
    bounce(settlement, cents)
    for name in (settlement.transaction_id, ""):
        Anomaly.create(
            key=f"odd:{name}", kind="mismatch", noted_at=NOW, amount_cents=0, detail="?",
            gateway="banque", transaction_id=name,
        )  # fmt: skip
    payments.restore(settlement, None, *WHO)
    left = {point.key for point in payments.open_anomalies()}
    assert (f"odd:{settlement.transaction_id}" in left, "odd:" in left) == (kept, True)


def test_a_trop_percu_that_comes_back_is_still_one_though_its_invoice_is_due_again(
    october: Invoice,
) -> None:
    at_counter(october)
    once = Settlement.get()
    at_counter(october, reason="encore", is_extra=True)
    twice = Settlement.get(Settlement.reason == "encore")
    for settlement in (twice, once):
        bounce(settlement)
    payments.restore(twice, None, *WHO)
    assert state_of(october) == "open"
    assert [point.settlement for point in payments.open_anomalies()] == [twice]


def test_of_three_sums_that_left_the_last_is_named_as_the_first_to_come_back(
    october: Invoice,
) -> None:
    at_counter(october, mode="cheque")
    settlement = Settlement.get()
    for cents in (1000, 1500, 2020):
        payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Camille", f"{cents}")
    with pytest.raises(Refused, match="20,20"):
        payments.restore(settlement, 1000, *WHO)


def test_words_of_a_departure_like_those_of_a_return_do_not_stop_the_return(
    october: Invoice,
) -> None:
    at_counter(october, mode="cheque")
    settlement = Settlement.get()
    reason = f"rejet (Camille : {WHO[1]})"
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Camille", reason)
    payments.restore(settlement, None, *WHO)
    assert state_of(october) == "paid"


def test_what_a_human_dealt_with_stays_so_when_a_part_comes_back() -> None:
    kept = by_hand.enter(
        BankPayment("banque", "a" * 32, 1000, NOW.date(), "Dominique", "vu"), None, ISSUERS
    )
    payments.record_repayment(kept, RepaymentKind.REFUND, 100, "Camille", "rendu")
    (point,) = payments.open_anomalies()
    payments.resolve_anomaly(point.id, "Camille", "vu avec la famille")
    payments.restore(kept, None, *WHO)
    assert not payments.open_anomalies()
