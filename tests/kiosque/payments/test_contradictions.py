"""A bank that says one thing twice, and differently: nothing is paid or undone, a human is told."""

import pytest

from kiosque import payments
from kiosque.db.models import Invoice, Settlement
from tests.kiosque.payments.conftest import Hear, Pay, state_of

pytestmark = pytest.mark.usefixtures("sound_books")


def told() -> list[str]:
    """What the régisseur reads."""
    return [point.detail for point in payments.open_anomalies()]


@pytest.mark.parametrize(
    "changes",
    [
        # The awaited amount, in euros, is one of the two each time.
        {"amount": "77", "effective_amount": "4520"},
        {"effective_amount": "77"},
        {"currency": "840", "effective_currency": "978"},
        {"effective_currency": "840"},
        {"auth_result": "05"},
        {"trans_status": "CAPTURED", "auth_result": "51"},
    ],
)
def test_a_debit_that_contradicts_itself_pays_nothing_and_is_told(
    go: Pay, hear: Hear, october: Invoice, changes: dict[str, str]
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **changes)
    hear(handoff, **changes)
    assert (state_of(attempt), state_of(october)) == ("pending", "open")
    assert Settlement.select().count() == 0
    assert len(told()) == 1


def test_a_debit_that_contradicted_itself_pays_once_the_bank_is_clear(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, auth_result="05")
    hear(handoff, trans_status="CAPTURED")
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


@pytest.mark.parametrize(
    "changes",
    [
        {"effective_amount": "1"},
        {"effective_currency": "840"},
        {"operation_type": "VERIFICATION"},
    ],
)
def test_a_cancellation_that_contradicts_itself_undoes_nothing_and_is_told(
    go: Pay, hear: Hear, october: Invoice, changes: dict[str, str]
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, trans_status="CANCELLED", **changes)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert len(told()) == 1
