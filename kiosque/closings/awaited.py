"""Sum up the payments that are not yet on the bank account, without reading all those of before."""

from datetime import date
from typing import Any, NamedTuple

from peewee import Value, fn

from kiosque.closings.months import Month, last_number
from kiosque.closings.starting_point import starting_point
from kiosque.db.models import JournalEntry, LineMatch, Settlement
from kiosque.db.prepared import PreparedQuery
from kiosque.language import clock
from kiosque.statements import unexplained_money


class Awaited(NamedTuple):
    """How many payments a *régie*'s account has not received, and their cents; of those that moved
    since a day, None if of all."""

    payments: int
    cents: int
    since: date | None = None


def awaited(regie: str) -> Awaited:
    """Sum up what a *régie*'s account has not received: since the last closed month, and what that
    one left; if no month was ever closed, of the last twelve months at most."""
    today = Month.of(clock.today())
    year_ago = Month(today.year - 1, today.number)
    start, since = starting_point(regie, today), None
    number = start.number
    if not number and (number := last_number(year_ago.previous)):
        since = year_ago.first_on
    if start.waiting:
        left = Settlement.select(Settlement.id).where(Settlement.id.in_(start.waiting))
        numbers = _numbers(regie, number) | left
        ((count, cents),) = _sums(regie).where(Settlement.id.in_(numbers)).tuples()
    elif number:
        ((count, cents),) = _SINCE.rows(regie=regie, number=number)
    else:
        ((count, cents),) = _EVER.rows(regie=regie)
    return Awaited(count, int(cents or 0), since)


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
