"""Refunds that the bank tells of, and the debits they are of: named, guessed, or none."""

from itertools import permutations

import pytest
from flask.testing import FlaskClient

from kiosque import payments
from kiosque.db.models import Anomaly, Family, Invoice, Receipt, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import journal, reconcile
from tests import sentences
from tests.conftest import ISSUERS, PUBLIC_URL, Clock
from tests.kiosque.payments.conftest import (
    CREDIT,
    Hear,
    Pay,
    advised_lines,
    effects,
    gave_back,
    state_of,
)
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")
FIRST, SECOND = "a" * 32, "b" * 32
CANCELLED = {"trans_status": "CANCELLED"}


def receipt_title(settlement: Settlement) -> str:
    title: str = Receipt.get(Receipt.settlement == settlement).title
    return title


def told() -> list[str]:
    return [point.kind for point in payments.open_anomalies()]


# --- A refund that bears the name of a debit ---

SAME_NAME = {
    "debit": {"trans_uuid": FIRST},
    "captured": {"trans_uuid": FIRST, "trans_status": "CAPTURED"},
    "credit": {**CREDIT, "trans_uuid": FIRST},
}


@pytest.mark.parametrize("order", list(permutations(SAME_NAME)), ids="-".join)
def test_a_credit_under_the_name_of_its_debit_changes_nothing_and_is_told_in_any_order(
    pay: Pay,
    hear: Hear,
    stranger: FlaskClient,
    alices_family: Family,
    october: Invoice,
    order: tuple[str, ...],
) -> None:
    attempt, handoff = pay(alices_family, october)
    for name in order:
        hear(handoff, **SAME_NAME[name])
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert journal.balances() == {"bank:banque": 4520, "invoices": -4520}
    assert told() == ["unmatched_refund"]
    page = stranger.get(f"/paiement/retour/{attempt.reference}").text
    assert sentences.PAYMENT_MADE in page
    assert sentences.TO_PAY_AGAIN not in page
    before = effects()
    for changes in SAME_NAME.values():
        hear(handoff, **changes)
    assert effects() == before


def test_a_credit_under_the_name_of_a_debit_given_back_elsewhere_is_told_too(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid=FIRST)
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, RepaymentKind.REFUND, None, "Dominique", "virement")
    assert hear(handoff, **SAME_NAME["credit"]) == "unmatched_refund"
    assert told() == ["unmatched_refund"]


def test_a_debit_under_the_name_of_a_refund_matched_before_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid=FIRST)
    hear(handoff, **gave_back(1000, "c"), parent=FIRST)
    hear(handoff, trans_uuid="c" * 32)
    assert sentences.NAMED_AS_A_REFUND in [point.detail for point in payments.open_anomalies()]


def test_a_refund_alone_says_nothing_of_the_payment(
    pay: Pay, hear: Hear, stranger: FlaskClient, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff, **CREDIT)
    assert state_of(attempt) == "handed_off"
    page = stranger.get(f"/paiement/retour/{attempt.reference}").text
    assert sentences.TO_PAY_AGAIN not in page
    assert told() == ["unmatched_refund"]


def test_a_payment_taken_back_is_not_said_to_be_refunded_for_a_refund_of_nothing_known(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff)
    hear(handoff, **CANCELLED)
    hear(handoff, **CREDIT)
    assert (state_of(attempt), Settlement.get().state) == ("reversed", "reversed")


def test_a_refund_that_has_its_debit_is_not_told_for_another_that_has_none(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    assert hear(handoff, **gave_back(9900, "d")) == "unmatched_refund"
    assert hear(handoff, **gave_back(1000, "e")) == "recorded"
    assert sorted(told()) == ["partial_refund", "unmatched_refund"]


def test_a_refund_of_no_debit_ends_with_its_time_though_the_bank_answers(
    go: Pay, hear: Hear, bank: TalkativeBank, october: Invoice, frozen: Clock
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **CREDIT)
    bank.answers = [[bank.report(handoff, **CREDIT)]]
    for _ in range(4):
        frozen.advance(hours=13)
        reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert state_of(attempt) == "expired"
    attempt, _ = go(october)
    assert state_of(attempt) == "handed_off"


# --- A debit that the bank does not name ---

TWO_AND_A_REFUND = {
    "first": {"trans_uuid": FIRST},
    "second": {"trans_uuid": SECOND},
    "refund": gave_back(1000, "c"),
}


@pytest.mark.parametrize("order", list(permutations(TWO_AND_A_REFUND)), ids="-".join)
def test_a_refund_given_to_one_of_two_debits_by_guess_is_told_in_any_order(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    _, handoff = pay(alices_family, october)
    for name in order * 2:
        hear(handoff, **TWO_AND_A_REFUND[name])
    (point,) = [each for each in payments.open_anomalies() if each.kind != "overpayment"]
    assert point.kind == "guessed_refund", "one fact is one entry"
    chosen = Settlement.get(Settlement.returned_cents == 1000)
    assert (point.settlement, point.amount_cents) == (chosen, 1000)
    assert (point.gateway, point.transaction_id) == ("banque", "c" * 32)
    other = Settlement.get(Settlement.returned_cents == 0)
    _, undo, redo, _ = advised_lines(point)
    assert f"restore-payment {receipt_title(chosen)} --amount 10,00" in undo
    assert f"refund {receipt_title(other)} --amount 10,00 --elsewhere" in redo


@pytest.mark.parametrize(
    "debits",
    [
        ({"trans_uuid": FIRST},),
        ({"trans_uuid": FIRST}, {"amount": "900", "effective_amount": "900"}),
    ],
    ids=["one debit", "one that is large enough"],
)
def test_a_refund_that_one_debit_alone_explains_is_no_guess(
    pay: Pay,
    hear: Hear,
    alices_family: Family,
    october: Invoice,
    debits: tuple[dict[str, str], ...],
) -> None:
    _, handoff = pay(alices_family, october)
    for changes in debits:
        hear(handoff, **changes)
    hear(handoff, **gave_back(1000))
    assert "guessed_refund" not in told()


def test_a_refund_whose_debit_the_bank_names_is_no_guess(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for uuid in (FIRST, SECOND):
        hear(handoff, trans_uuid=uuid)
    hear(handoff, **gave_back(1000), parent=FIRST)
    assert "guessed_refund" not in told()


def test_a_guess_leaves_the_list_once_the_bank_names_that_debit_and_is_contradicted_otherwise(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for uuid in (FIRST, SECOND):
        hear(handoff, trans_uuid=uuid)
    hear(handoff, **gave_back(1000))
    guessed = Settlement.get(Settlement.returned_cents == 1000).transaction_id
    other = SECOND if guessed == FIRST else FIRST
    assert hear(handoff, **gave_back(1000), parent=other) == "mismatch"
    assert {"guessed_refund", "mismatch"} <= set(told())
    assert hear(handoff, **gave_back(1000), parent=guessed) == "known"
    assert "guessed_refund" not in told()
    assert "partial_refund" in told(), "what is left to know of it"
    assert Anomaly.get(Anomaly.kind == "guessed_refund").resolved_by == "Kiosque Famille"


# --- Given back by the town, then cancelled by the bank ---


@pytest.mark.parametrize("cents", [500, None], ids=["five euros", "all"])
def test_what_the_town_gave_back_of_a_debit_that_the_bank_then_cancels_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, cents: int | None
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff)
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Dominique", "repas annulé")
    for status in ("CANCELLED", "EXPIRED"):
        hear(handoff, trans_status=status)
    (point,) = [each for each in payments.open_anomalies() if each.kind == "given_twice"]
    assert (point.amount_cents, point.settlement, point.attempt) == (
        cents or 4520,
        settlement,
        attempt,
    )
    assert (point.gateway, point.transaction_id) == ("banque", settlement.transaction_id)
    assert set(journal.balances().values()) == {0}


def test_what_the_bank_cancels_because_it_was_asked_to_was_given_back_once(
    go: Pay, hear: Hear, bank: TalkativeBank, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    asked = payments.ask_refund(payments.find_settlement("R1"), None, "Dominique", "erreur", bank)
    bank.answers = [[bank.report(handoff, **CANCELLED)]]
    assert payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS).state == "done"
    hear(handoff, trans_status="EXPIRED")
    assert told() == []


def test_a_chargeback_then_the_banks_own_cancellation_is_no_second_gift(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, 500, "Dominique", "contesté")
    hear(handoff, **CANCELLED)
    assert "given_twice" not in told()
