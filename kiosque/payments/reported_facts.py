"""Add what a report of the bank's says to the facts of its attempt. Belongs inside `write()`."""

from gateways.base import Report
from kiosque.db.models import Attempt, Fact
from kiosque.db.states import AttemptState, FactSource
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.bank_messages import flag_mismatch


def add_reported_fact(attempt: Attempt, report: Report) -> list[Fact]:
    """Add what a report says. Return all the facts of the attempt; none when it is no news."""
    state = AttemptState(report.outcome.value)
    facts = add_fact(
        attempt,
        report.transaction_id,
        state,
        report.status,
        source=FactSource.BANK,
        cents=report.cents,
        parent_id=report.parent_id,
    )
    if report.anomaly:
        flag_mismatch(attempt, report, report.anomaly)
    return facts
