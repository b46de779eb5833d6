"""Lyra says some things twice, in a notice or by its REST service: neither is believed alone."""

from typing import Any

import pytest

from gateways.base import Callback, Outcome
from gateways.lyra import LyraGateway
from gateways.lyra.orders import read_transaction
from tests.bank import KEY, NEW_ORDER, notice, transaction
from tests.fuzz.targets import ORDER, SHOP

TWICE = "deux montants, deux devises"
FAILED = "code d’échec"


def told(**changes: str | None) -> Any:
    """Return what is made of a notice."""
    table = {"adapter": "lyra", "site_id": "12345678", "mode": "TEST", "test_key": KEY}
    gateway = LyraGateway.configure("banque", table, environment="test")
    said = notice(gateway.start(NEW_ORDER), **changes)
    return gateway.read_notification(Callback.of_form(said.items()))


def answered(**changes: object) -> Any:
    """Return what is made of a transaction that the REST service tells of."""
    return read_transaction(transaction(ORDER, **changes), ORDER, SHOP)


def seen(report: Any) -> tuple[object, bool]:
    """Return what comes of it, and whether a human is told."""
    return report.outcome, bool(report.anomaly)


@pytest.mark.parametrize("status", ["AUTHORISED", "CAPTURED", "CANCELLED", "EXPIRED"])
@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "77"},
        {"amount": "8746"},
        {"effective_amount": "8744"},
        {"currency": "840"},
        {"effective_currency": "840"},
    ],
)
def test_a_notice_of_two_amounts_or_currencies_neither_pays_nor_undoes(
    status: str, changes: dict[str, str]
) -> None:
    # The awaited amount is the other one each time.
    sent = {"effective_amount": "8745", "effective_currency": "978", **changes}
    report = told(trans_status=status, **sent)
    assert report.outcome is Outcome.PENDING
    debited = int(sent["effective_amount"]), sent["effective_currency"].replace("978", "EUR")
    assert (report.cents, report.currency) == debited
    assert TWICE in report.anomaly


@pytest.mark.parametrize("changes", [{"amount": "77"}, {"effective_currency": "840"}])
def test_a_refund_of_two_amounts_or_currencies_gives_nothing_back(changes: dict[str, str]) -> None:
    sent = {"effective_amount": "8745", "effective_currency": "978"}
    report = told(operation_type="CREDIT", trans_id="912345", **{**sent, **changes})
    assert (report.outcome, TWICE in report.anomaly) == (Outcome.PENDING, True)


@pytest.mark.parametrize("answer", ["05", "51", "5", "A", "X0", "00 ", "0005"])
@pytest.mark.parametrize("status", ["AUTHORISED", "CAPTURED"])
def test_a_payment_that_the_cards_bank_refused_is_not_one(status: str, answer: str) -> None:
    report = told(trans_status=status, auth_result=answer)
    assert (report.outcome, FAILED in report.anomaly) == (Outcome.PENDING, True)


@pytest.mark.parametrize("answer", ["00", "000", "0", "", None])
def test_a_payment_that_the_cards_bank_approved_or_was_not_asked_about_is_one(
    answer: str | None,
) -> None:
    assert seen(told(auth_result=answer)) == (Outcome.PAID, False)


def test_a_refund_with_a_code_of_failure_gives_nothing_back() -> None:
    for changes in ({"result": "05"}, {"auth_result": "05"}):
        report = told(operation_type="CREDIT", trans_id="912345", **changes)
        assert seen(report) == (Outcome.PENDING, True)


@pytest.mark.parametrize("operation", ["VERIFICATION", "", None])
@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "CAPTURE_FAILED"])
def test_what_is_cancelled_is_a_debit_or_nothing_is_undone(
    status: str, operation: str | None
) -> None:
    report = told(trans_status=status, operation_type=operation)
    assert (report.outcome, report.anomaly.split()[0]) == (Outcome.PENDING, "annulation")
    announced = told(trans_status="CAPTURED", operation_type=operation)
    assert (announced.outcome, announced.anomaly.split()[0]) == (Outcome.PENDING, "paiement")


def test_a_debit_cancelled_of_which_nothing_was_debited_in_the_end_is_undone() -> None:
    for amount in ("", "8745"):
        report = told(trans_status="CANCELLED", effective_amount=amount)
        assert (report.outcome, report.cents, report.currency) == (Outcome.REVERSED, 8745, "EUR")
    nothing = {"transactionDetails__effectiveAmount": 0, "status": "UNPAID"}
    report = answered(detailedStatus="CANCELLED", **nothing)
    assert (report.outcome, report.cents, report.currency) == (Outcome.REVERSED, 8745, "EUR")


# --- The REST service ---

DETAILS = "transactionDetails__"
AUTHORISATION = f"{DETAILS}cardDetails__authorizationResponse"


@pytest.mark.parametrize("status", ["AUTHORISED", "CAPTURED", "CANCELLED", "EXPIRED"])
@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 77},
        {f"{DETAILS}effectiveAmount": 8744},
        {"currency": "USD"},
        {f"{DETAILS}effectiveCurrency": "USD"},
        {f"{DETAILS}effectiveCurrency": "USD", f"{DETAILS}effectiveAmount": None},
    ],
)
def test_an_answer_of_two_amounts_or_currencies_neither_pays_nor_undoes(
    status: str, changes: dict[str, object]
) -> None:
    report = answered(detailedStatus=status, **changes)
    assert (report.outcome, TWICE in report.anomaly) == (Outcome.PENDING, True)


def test_a_refund_answered_with_two_amounts_gives_nothing_back() -> None:
    report = answered(operationType="CREDIT", detailedStatus="CAPTURED", amount=77)
    assert (report.outcome, TWICE in report.anomaly) == (Outcome.PENDING, True)


def test_an_answer_that_the_cards_bank_refused_pays_nothing() -> None:
    for answer in ("05", "51"):
        report = answered(**{f"{AUTHORISATION}__authorizationResult": answer})
        assert (report.outcome, FAILED in report.anomaly) == (Outcome.PENDING, True)
    for absent in ({f"{AUTHORISATION}__authorizationResult": "00"}, {AUTHORISATION: None}):
        assert seen(answered(**absent)) == (Outcome.PAID, False)


def test_an_answer_about_a_card_check_cancelled_undoes_nothing() -> None:
    report = answered(operationType="VERIFICATION", detailedStatus="CANCELLED", status="UNPAID")
    assert seen(report) == (Outcome.PENDING, True)
