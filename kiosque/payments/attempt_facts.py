"""Add what is learnt of an attempt, and bring its state and its invoices up to date.

These steps belong inside `write()`.
"""

from collections.abc import Sequence
from datetime import timedelta

from kiosque.db import require_write
from kiosque.db.models import Attempt, AttemptItem, Fact
from kiosque.db.prepared import PreparedInsert, PreparedQuery
from kiosque.db.states import UNDECIDED, AttemptState, FactSource, attempt_state
from kiosque.language import clock
from kiosque.payments.queries import facts_of

#: How long an attempt that the bank calls pending keeps its invoices from another attempt.
PENDING_DAYS = 7


def add_fact(
    attempt: Attempt,
    transaction_id: str,
    state: AttemptState,
    status: str = "",
    *,
    source: FactSource,
    cents: int = 0,
    parent_id: str = "",
) -> list[Fact]:
    """Add a fact and recompute the attempt's state. Return all the facts of the attempt; none
    when this one was known before."""
    require_write()
    fact = Fact(
        attempt=attempt,
        at=clock.now(),
        transaction_id=transaction_id,
        state=state,
        status=status,
        amount_cents=cents,
        source=source,
        parent_id=parent_id,
    )
    if not _FACTS.add(fact):
        return []
    facts, before = facts_of(attempt), attempt.state
    _update_state(attempt, facts)
    # A refund is no reason to hold longer the invoices of a payment that was pending already.
    is_news = state != AttemptState.REFUNDED or before != AttemptState.PENDING
    if attempt.state == AttemptState.PENDING and is_news:
        _hold_invoices(attempt)
    return facts


def release_invoices(attempt: Attempt) -> None:
    """Let another attempt take this one's invoices."""
    _RELEASE_INVOICES.execute(attempt=attempt.id)


def _update_state(attempt: Attempt, facts: Sequence[Fact]) -> None:
    new = attempt_state(
        (fact.transaction_id, AttemptState(fact.state), FactSource(fact.source)) for fact in facts
    )
    if not _CHANGE_STATE.execute(attempt=attempt.id, known=attempt.state, new=new):
        raise RuntimeError("attempt changed outside its transaction")
    attempt.state = new
    if new not in UNDECIDED:
        release_invoices(attempt)


def _hold_invoices(attempt: Attempt) -> None:
    """Keep the invoices of a pending attempt for PENDING_DAYS; take back those that an earlier
    refusal released and that no other attempt holds."""
    attempt.live_until = clock.now() + timedelta(days=PENDING_DAYS)
    Attempt.update(live_until=attempt.live_until).where(Attempt.id == attempt.id).execute()
    held = AttemptItem.alias()
    held_invoices = held.select(held.invoice).where(held.live == True)  # noqa: E712
    AttemptItem.update(live=True).where(
        AttemptItem.attempt == attempt, AttemptItem.invoice.not_in(held_invoices)
    ).execute()


_FACTS = PreparedInsert(Fact, unless_known=True)
_CHANGE_STATE = PreparedQuery(
    lambda attempt, known, new: Attempt.update(state=new).where(
        Attempt.id == attempt, Attempt.state == known
    )
)
_RELEASE_INVOICES = PreparedQuery(
    lambda attempt: AttemptItem.update(live=False).where(AttemptItem.attempt == attempt)
)
