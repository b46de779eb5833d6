"""Apply a bank's report that it undid a debit. Unless it names the debit's exact amount, in euros,
undo nothing and tell a human. These steps belong inside `write()`."""

from collections.abc import Sequence

from gateways.base import Outcome, Report
from kiosque.db.models import Attempt, Fact, Settlement
from kiosque.db.states import AnomalyKind, AttemptState, FactSource, SettlementState
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.bank_messages import (
    BY_HAND,
    KNOWN,
    RECORDED,
    Decision,
    flag_mismatch,
    is_own,
)
from kiosque.payments.queries import settlements_of
from kiosque.payments.reported_facts import add_reported_fact
from kiosque.payments.reversals import RETURNED, given_elsewhere, reverse_debit, was_credited

AGAIN = "débit annoncé de nouveau après son annulation"
_DENIED = (AttemptState.REFUSED, AttemptState.CANCELLED, AttemptState.EXPIRED)


def apply_cancellation(attempt: Attempt, report: Report, settlement: Settlement | None) -> Decision:
    """Take a debit out of the books; if it is not in them yet, remember that it was undone."""
    if report.currency != "EUR":
        return flag_mismatch(attempt, report, "devise inattendue")
    if report.cents != (settlement or attempt).amount_cents:
        if settlement is None:
            _remember(attempt, report)
        return flag_mismatch(attempt, report, "annulation d’un autre montant que le débit")
    if not add_reported_fact(attempt, report):
        return KNOWN
    if settlement:
        _undo_debit(attempt, report, settlement)
    elif any(each.state == SettlementState.COUNTED for each in settlements_of(attempt.id)):
        flag_mismatch(attempt, report, "annulation d’un débit que nous ne connaissons pas")
    return RECORDED if is_own(attempt, report) else flag_mismatch(attempt, report, BY_HAND)


def _remember(attempt: Attempt, report: Report) -> None:
    """Remember that a debit of another amount than awaited was cancelled, in case the debit is
    reported later. Its `parent_id` tells this fact from a payment given up on the bank's page."""
    add_fact(
        attempt,
        report.transaction_id,
        AttemptState.CANCELLED,
        report.status,
        source=FactSource.BANK,
        cents=report.cents,
        parent_id=report.transaction_id,
    )


def recall(attempt: Attempt, report: Report, facts: Sequence[Fact]) -> Sequence[Fact]:
    """Apply the cancellation remembered for the debit that a report announces, if any. Return all
    the facts of the attempt."""
    for fact in facts:
        named = fact.transaction_id, fact.amount_cents
        if named == (report.transaction_id, report.cents) and _is_remembered(fact):
            undone = add_fact(
                attempt,
                fact.transaction_id,
                AttemptState.REVERSED,
                fact.status,
                source=FactSource.BANK,
                cents=fact.amount_cents,
            )
            facts = undone or facts
    return facts


def _is_remembered(fact: Fact) -> bool:
    return fact.state == AttemptState.CANCELLED and "" != fact.parent_id == fact.transaction_id


def is_taken_back(facts: Sequence[Fact], transaction_id: str) -> bool:
    """Return whether the bank has said that this debit was cancelled."""
    # We add the fact that a debit was wholly given back: the bank did not say it.
    return any(
        fact.transaction_id == transaction_id
        and fact.state == AttemptState.REVERSED
        and fact.status != RETURNED
        for fact in facts
    )


def flag_denied(
    attempt: Attempt, report: Report, settlement: Settlement | None, facts: Sequence[Fact]
) -> None:
    """Tell a human that the bank reported a debit both as made and as not made, in either order."""
    if report.outcome is not Outcome.PAID:
        denied = settlement is not None and AttemptState(report.outcome.value) in _DENIED
    else:
        denied = any(
            fact.transaction_id == report.transaction_id and fact.state in _DENIED for fact in facts
        )
    if denied:
        flag_mismatch(attempt, report, "débit que la banque dit à la fois fait et refusé")


def _undo_debit(attempt: Attempt, report: Report, settlement: Settlement) -> None:
    """Take a debit that the bank cancelled out of the books; tell a human if the bank had
    contradicted that before."""
    if settlement.final_at:  # the capture arrived before this cancellation
        flag_mismatch(attempt, report, AGAIN)
    elif was_credited(settlement):
        flag_mismatch(attempt, report, "débit annulé que la banque semblait avoir remboursé")
    if given := given_elsewhere(settlement):
        flag_anomaly(
            f"given_twice:{settlement.id}",
            AnomalyKind.GIVEN_TWICE,
            given,
            "rendu hors ligne, d’un débit que la banque a annulé ensuite",
            gateway=attempt.gateway,
            transaction_id=report.transaction_id,
            attempt=attempt,
            settlement=settlement,
        )
    reverse_debit(settlement, "annulation à la banque")
