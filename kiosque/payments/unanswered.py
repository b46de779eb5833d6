"""Payments that the bank never reported on: the family may have been debited, and nobody knows.

Where the bank cannot be asked, or does not answer, a lost notification looks like a page left
unpaid. The family is told to look at its account before it pays again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from peewee import Expression, Node, fn

from kiosque.db.models import Attempt, AttemptItem, Fact, Invoice
from kiosque.db.states import AttemptState, FactSource
from kiosque.language import clock

#: How long the family is told: by then a debit shows on its account, or the bank has reported.
TOLD = timedelta(days=30)


def told_since() -> datetime:
    """Return the instant since which an unanswered payment must have begun to be still told."""
    return clock.now() - TOLD


def unanswered_at(invoice: Any, now: Any, since: Any) -> Node:
    """Return an expression, for a query over invoices: when the last unanswered payment of each was
    begun, if after `since`; else NULL."""
    attempt, item = Attempt.alias(), AttemptItem.alias()
    return (
        item.select(fn.MAX(attempt.started_at))
        .join(attempt)
        .where(item.invoice == invoice, attempt.started_at > since, _is_unanswered(attempt, now))
    )


def unanswered_of(invoices: Sequence[Invoice]) -> datetime | None:
    """Return when the last unanswered payment of any of these invoices was begun."""
    now = clock.now()
    found: datetime | None = (
        Attempt.select(fn.MAX(Attempt.started_at))
        .join(AttemptItem)
        .where(
            AttemptItem.invoice.in_([invoice.id for invoice in invoices]),
            Attempt.started_at > told_since(),
            _is_unanswered(Attempt, now),
        )
        .scalar()
    )
    return found


def is_unanswered(attempt: Attempt) -> bool:
    """Return whether the time of this attempt has passed without a word from the bank."""
    found = Attempt.select().where(Attempt.id == attempt.id, _is_unanswered(Attempt, clock.now()))
    return bool(found.exists())


def was_given_up(attempt: Attempt) -> bool:
    """Return whether the payer gave this attempt up on our page, before the bank decided it."""
    found = Fact.select().where(Fact.attempt == attempt, Fact.source == FactSource.FAMILY)
    return bool(found.exists())


def _is_unanswered(attempt: Any, now: Any) -> Expression:
    """Return the condition that an attempt's time has passed, and no bank said what became of it.
    `attempt` is the table or an alias of it."""
    timed_out = Fact.select(Fact.id).where(
        Fact.attempt == attempt.id, Fact.source == FactSource.TIMEOUT
    )
    silent: Expression = (attempt.state == AttemptState.HANDED_OFF) & (attempt.live_until <= now)
    lapsed: Expression = (attempt.state == AttemptState.EXPIRED) & fn.EXISTS(timed_out)
    return silent | lapsed
