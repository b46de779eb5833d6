"""Money that leaves again: undone by the bank, given back, taken back."""

from itertools import permutations

import pytest

from kiosque import payments
from kiosque.db.models import (
    Anomaly,
    Family,
    Invoice,
    JournalEntry,
    Receipt,
    Settlement,
)
from kiosque.db.states import RepaymentKind
from kiosque.payments import journal
from tests import sentences
from tests.conftest import make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, effects, state_of

pytestmark = pytest.mark.usefixtures("sound_books")


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "CAPTURE_FAILED"])
def test_a_payment_the_bank_takes_back_opens_the_invoice_again(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, status: str
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff)
    hear(handoff, trans_status=status)
    hear(handoff, trans_status=status)
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert journal.balances() == {"bank:banque": 0, "invoices": 0}
    assert JournalEntry.select().count() == 2
    assert Receipt.select().count() == 1
    assert "reversed" in {anomaly.kind for anomaly in Anomaly.select()}


@pytest.mark.parametrize(
    "order", [("a", "b", "cancel a"), ("a", "cancel a", "b"), ("b", "a", "cancel a")], ids="-".join
)
def test_money_that_came_twice_pays_when_the_other_payment_is_cancelled(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(alices_family, october)
    messages = {
        "a": {"trans_uuid": "a" * 32},
        "b": {"trans_uuid": "b" * 32},
        "cancel a": {"trans_uuid": "a" * 32, "trans_status": "CANCELLED"},
    }
    for name in order:
        hear(handoff, **messages[name])
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert journal.balances()["invoices"] == -4520
    assert journal.balances().get("overpayments", 0) == 0
    assert [point.kind for point in payments.open_anomalies() if point.kind == "overpayment"] == []


def test_money_a_human_has_dealt_with_is_not_used_again(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32)
    hear(handoff, trans_uuid="b" * 32)
    payments.resolve_anomaly(payments.open_anomalies()[0].id, "Dominique", "remboursé par virement")
    hear(handoff, trans_uuid="a" * 32, trans_status="CANCELLED")
    assert state_of(october) == "open"
    assert journal.balances()["overpayments"] == -4520


def test_a_cancelled_invoice_stays_so_when_its_payment_is_taken_back(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    payments.cancel_invoice(october.number, "Dominique", "erreur")
    hear(handoff)
    hear(handoff, trans_status="CANCELLED")
    assert state_of(october) == "cancelled"


def test_a_debit_announced_again_after_its_reversal_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for status in ("AUTHORISED", "CAPTURE_FAILED", "CAPTURED"):
        hear(handoff, trans_status=status)
    (told,) = payments.open_anomalies()
    assert sentences.DEBIT_AGAIN in told.detail


RECAPTURED = ("AUTHORISED", "CAPTURE_FAILED", "CAPTURED")


@pytest.mark.parametrize("amount", [None, "4519"], ids=["right amount", "wrong amount"])
@pytest.mark.parametrize("order", [*permutations(RECAPTURED), RECAPTURED[1:]], ids="-".join)
def test_a_debit_captured_after_all_is_told_in_any_order(
    pay: Pay,
    hear: Hear,
    alices_family: Family,
    october: Invoice,
    order: tuple[str, ...],
    amount: str | None,
) -> None:
    _, handoff = pay(alices_family, october)
    changes = {"amount": amount, "effective_amount": amount} if amount else {}
    for status in order * 2:
        hear(handoff, trans_status=status, **changes)
    assert state_of(october) == "open"
    (told,) = payments.open_anomalies()  # one odd thing
    assert told.detail.count(sentences.DEBIT_AGAIN) == 1


def test_a_capture_heard_of_after_a_chargeback_is_no_contradiction(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "contesté")
    hear(handoff, trans_status="CAPTURED")
    assert payments.open_anomalies() == []


def test_one_debit_never_serves_two_attempts(
    pay: Pay, hear: Hear, alices_family: Family, charlies_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32)
    theirs = make_invoice(charlies_family, "2026-10-0002", 4520)
    attempt, other = pay(charlies_family, theirs)
    for status in ("AUTHORISED", "CANCELLED"):
        hear(other, trans_uuid="a" * 32, trans_status=status)
    assert (state_of(attempt), state_of(theirs), state_of(october)) == (
        "handed_off",
        "open",
        "paid",
    )
    assert Anomaly.get().detail == sentences.DEBIT_OF_ANOTHER


def test_a_debit_said_to_be_taken_back_in_two_ways_is_taken_back_once(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for status in ("AUTHORISED", "CAPTURE_FAILED", "CANCELLED"):
        hear(handoff, trans_status=status)
    assert journal.balances() == {"bank:banque": 0, "invoices": 0}
    assert JournalEntry.select().count() == 2


def test_a_refund_made_at_the_bank_is_seen_once(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff)
    credit = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}
    hear(handoff, **credit)
    before = effects()
    assert hear(handoff, **credit) == "known"
    assert effects() == before
    assert (state_of(attempt), state_of(october)) == ("refunded", "open")
    assert journal.balances() == {"bank:banque": 0, "invoices": 0}


CREDIT = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}
TAKEN_BACK = {
    "refund": ({}, CREDIT),
    "wrong amount": (
        {"amount": "4519", "effective_amount": "4519"},
        {"amount": "4519", "effective_amount": "4519", "trans_status": "CANCELLED"},
    ),
}


@pytest.mark.parametrize("swapped", [False, True], ids=["in order", "swapped"])
@pytest.mark.parametrize("case", TAKEN_BACK)
def test_money_that_left_again_ends_the_same_in_either_order(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, case: str, *, swapped: bool
) -> None:
    attempt, handoff = pay(alices_family, october)
    messages = list(TAKEN_BACK[case])
    for changes in reversed(messages) if swapped else messages:
        hear(handoff, **changes)
    ended = (state_of(attempt), state_of(october), [s.state for s in Settlement.select()])
    expected = {"refund": ("refunded", "open"), "wrong amount": ("reversed", "open")}[case]
    assert ended[:2] == expected
    assert "counted" not in ended[2]
    assert set(journal.balances().values()) <= {0}
    before = effects()
    for changes in messages * 2:
        hear(handoff, **changes)
    assert effects() == before


def test_one_wrong_debit_is_told_once_however_often_it_is_announced(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for status in ("AUTHORISED", "CAPTURED"):
        hear(handoff, trans_status=status, amount="1", effective_amount="1")
    assert Anomaly.select().count() == 1


def test_a_refund_that_goes_on_is_told_once_and_one_that_failed_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    hear(handoff, **{**CREDIT, "trans_uuid": "d" * 32}, trans_status="REFUSED")
    assert [p.detail for p in payments.open_anomalies()] == [sentences.REFUND_FAILED]
    hear(handoff, **CREDIT)
    told = Anomaly.select().count()
    assert hear(handoff, **CREDIT, trans_status="CAPTURED") == "known"
    assert Anomaly.select().count() == told


TWICE_AND_REFUNDED = {
    "a": {"trans_uuid": "a" * 32},
    "b": {"trans_uuid": "b" * 32},
    "refund": CREDIT,
}


@pytest.mark.parametrize("order", list(permutations(TWICE_AND_REFUNDED)), ids="-".join)
def test_the_refund_of_one_of_two_debits_leaves_the_invoice_paid_in_any_order(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(alices_family, october)
    for name in order * 2:
        hear(handoff, **TWICE_AND_REFUNDED[name])
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert sorted(s.state for s in Settlement.select()) == ["counted", "refunded"]
    accounts = {name: cents for name, cents in journal.balances().items() if cents}
    assert accounts == {"bank:banque": 4520, "invoices": -4520}
    assert {p.kind for p in payments.open_anomalies()} == {"refunded", "guessed_refund"}


def test_a_refund_is_of_the_debit_captured_rather_than_of_one_only_authorised(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32, trans_status="CAPTURED")
    hear(handoff, trans_uuid="b" * 32)
    hear(handoff, **CREDIT)
    hear(handoff, trans_uuid="b" * 32, trans_status="CANCELLED")
    assert state_of(october) == "open"
    assert set(journal.balances().values()) == {0}


def test_a_refund_taken_for_one_of_a_debit_cancelled_since_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    """The bank refunds only what it captured: the refund was of a debit not heard of yet."""
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="b" * 32)
    hear(handoff, **CREDIT)
    hear(handoff, trans_uuid="a" * 32, trans_status="CAPTURED")
    assert "mismatch" not in {point.kind for point in payments.open_anomalies()}
    hear(handoff, trans_uuid="b" * 32, trans_status="CANCELLED")
    told = " ".join(point.detail for point in payments.open_anomalies())
    assert sentences.DEBIT_UNDONE_BUT_REFUNDED in told


PARTLY = {
    "debit": {},
    "ten": {**CREDIT, "amount": "1000", "effective_amount": "1000"},
    "five": {**CREDIT, "trans_uuid": "d" * 32, "amount": "500", "effective_amount": "500"},
}


@pytest.mark.parametrize("order", list(permutations(PARTLY)), ids="-".join)
def test_partial_refunds_leave_the_invoice_paid_and_are_told_in_any_order(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(alices_family, october)
    for name in order * 2:
        hear(handoff, **PARTLY[name])
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert Settlement.get().returned_cents == 1500
    assert journal.balances() == {"bank:banque": 3020, "invoices": -4520, "refunds": 1500}
    assert [point.kind for point in payments.open_anomalies()] == [
        "partial_refund",
        "partial_refund",
    ]


def test_refunds_that_add_up_to_the_whole_open_the_invoice_again(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff)
    for letter, cents in (("c", 1000), ("d", 3520)):
        amounts = {"amount": str(cents), "effective_amount": str(cents)}
        hear(handoff, **{**CREDIT, "trans_uuid": letter * 32, **amounts})
    assert (state_of(attempt), state_of(october)) == ("refunded", "open")
    assert set(journal.balances().values()) == {0}


def test_a_refund_takes_first_what_had_come_twice(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32)
    hear(handoff, trans_uuid="b" * 32)
    hear(handoff, **CREDIT, amount="1000", effective_amount="1000")
    assert journal.balances() == {
        "bank:banque": 8040, "invoices": -4520, "overpayments": -3520,
    }  # fmt: skip


def test_a_refund_larger_than_the_payment_is_left_to_a_human(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    too_much = {**CREDIT, "amount": "4521", "effective_amount": "4521"}
    assert hear(handoff, **too_much) == "unmatched_refund"
    assert state_of(october) == "paid"
    assert [point.kind for point in payments.open_anomalies()] == ["unmatched_refund"]


def test_a_refund_heard_of_before_its_debit_leaves_the_list_when_the_debit_comes(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, **CREDIT)
    assert [point.kind for point in payments.open_anomalies()] == ["unmatched_refund"]
    hear(handoff)
    assert [point.kind for point in payments.open_anomalies()] == ["refunded"]


def test_a_refund_heard_of_before_a_debit_of_another_amount_is_given_back_of_it(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    amounts = {"amount": "4519", "effective_amount": "4519"}
    hear(handoff, **CREDIT, **amounts)
    hear(handoff, **amounts)
    assert set(journal.balances().values()) == {0}
    assert "unmatched_refund" not in {point.kind for point in payments.open_anomalies()}
