"""Sum up the payments that are not yet on the bank account: those left by the last closed month,
and those since."""

from typing import Any

from peewee import Value, fn

from kiosque.closings.months import Month
from kiosque.closings.starting_point import starting_point
from kiosque.db.models import JournalEntry, LineMatch, Settlement
from kiosque.db.prepared import PreparedQuery
from kiosque.language import clock
from kiosque.statements import unexplained_money


def awaited(regie: str) -> tuple[int, int]:
    """Return how many payments a *régie*'s account has not received, and their cents."""
    start = starting_point(regie, Month.of(clock.today()))
    if start.waiting:
        left = Settlement.select(Settlement.id).where(Settlement.id.in_(start.waiting))
        numbers = _numbers(regie, start.number) | left
        ((count, cents),) = _sums(regie).where(Settlement.id.in_(numbers)).tuples()
    elif start.number:
        ((count, cents),) = _SINCE.rows(regie=regie, number=start.number)
    else:
        ((count, cents),) = _EVER.rows(regie=regie)
    return count, int(cents or 0)


def _sums(regie: str | Value) -> Any:
    columns = fn.COUNT(Settlement.id), fn.SUM(Settlement.amount_cents)
    return unexplained_money.to_receive(regie).select(*columns)


def _numbers(regie: str | Value, number: int | Value) -> Any:
    """Select the payments that entries are about since then, directly or by a line of a statement;
    what was on a statement when the month ended is still there. Return a single set to look
    payments up by: with two conditions, SQLite would read every payment."""
    payment, line = JournalEntry.settlement, JournalEntry.line
    since = (JournalEntry.regie == regie) & (JournalEntry.number > number)
    written = JournalEntry.select(payment).where(since, payment.is_null(False))
    lines = JournalEntry.select(line).where(since, line.is_null(False))
    told = LineMatch.select(LineMatch.settlement).where(
        LineMatch.line.in_(lines), LineMatch.settlement.is_null(False)
    )
    return written | told


_EVER = PreparedQuery(_sums)
_SINCE = PreparedQuery(
    lambda regie, number: _sums(regie).where(Settlement.id.in_(_numbers(regie, number)))
)
