"""Compare the books with the bank's statement at the end of a month (*état de rapprochement*).

A is what the bank holds for the *régie*, or owes it, according to the books; B is what its
statement says. The differences listed must add up to A - B, to the cent; what remains is the gap.

An entry about a payment counts from when it was written. One about a line of a statement counts
from that line's day, whenever the statement was loaded. A month is computed from the previous
closing: only what came since is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from peewee import Expression, fn

from kiosque.closings import differences
from kiosque.closings.causes import likely_causes
from kiosque.closings.differences import SIDES, Item, is_held
from kiosque.closings.months import Month, last_number
from kiosque.closings.starting_point import StartingPoint, starting_point
from kiosque.db.models import JournalEntry, Statement, StatementLine
from kiosque.payments import journal
from kiosque.statements import loading, overlaps


@dataclass(frozen=True)
class Position:
    """The books and the statement at the end of a month, in cents; `statement_cents` is None if no
    statement says. `waiting` are the ids of the payments not yet fully on a statement."""

    books_cents: int
    statement_cents: int | None
    items: Sequence[Item]
    waiting: Sequence[int]

    @property
    def gap_cents(self) -> int:
        """The unexplained part of what the books hold in excess of the statement, in cents."""
        if self.statement_cents is None:
            return 0
        explained = sum(item.cents for item in self.explained)
        return self.books_cents - self.statement_cents - explained

    @property
    def explained(self) -> Sequence[Item]:
        return [item for item in self.items if item.explained]

    @property
    def unexplained(self) -> Sequence[Item]:
        return [item for item in self.items if not item.explained]

    @property
    def causes(self) -> Sequence[str]:
        """The likeliest causes of the gap, in French, at most three."""
        return likely_causes(self.gap_cents, self.unexplained)


def position(regie: str, month: Month) -> Position:
    """Return how a *régie*'s books and its statement stand at the end of a month."""
    start, last = starting_point(regie, month), last_number(month)
    payments = differences.payments(regie, start, month, last)
    missing = [each for each in payments if each.missing_cents]
    return Position(
        start.books_cents + _moved(regie, month, start, last),
        _statement_cents(regie, month),
        sorted([*(each.item(month) for each in missing), *differences.open_lines(regie, month)]),
        [each.settlement for each in missing],
    )


# --- The two balances ---


def _moved(regie: str, month: Month, start: StartingPoint, last: int) -> int:
    """Return by how many cents the books have changed, since the starting point, what the bank
    holds or owes. Each part of the query uses an index of its own."""
    entry, line = JournalEntry, JournalEntry.line
    own, of_line = entry.regie == regie, line.is_null(False)  # the index has these alone
    parts = (
        own & entry.settlement.is_null(False) & entry.number.between(start.number + 1, last),
        own & entry.statement.is_null(False) & (entry.number > start.seen),
        of_line & line.in_(_lines(regie, start.until, month.last_on)),
        of_line & (entry.number > start.seen) & line.in_(_lines(regie, date.min, start.until)),
    )
    return sum(_moved_by(regie, part) for part in parts)


def _moved_by(regie: str, which: Expression) -> int:
    statement = journal.account(journal.STATEMENT_ACCOUNT, regie)
    found: Any = JournalEntry.select(*SIDES, fn.SUM(JournalEntry.amount_cents)).where(which)
    return sum(
        cents * (is_held(debit, statement) - is_held(credit, statement))
        for debit, credit, cents in found.group_by(*SIDES).tuples()
    )


def _lines(regie: str, after: date, until: date) -> Any:
    """Select the lines of a *régie*'s statements booked after a day, until another."""
    return StatementLine.select(StatementLine.id).where(
        StatementLine.regie == regie,
        StatementLine.booked_on > after,
        StatementLine.booked_on <= until,
    )


def _statement_cents(regie: str, month: Month) -> int | None:
    """Return what the account held at the end of a month by its statements: the last balance that
    one gives, and the lines since. That one may end within its last day, and others tell the rest:
    count that day from its start."""
    closed: Any = (
        Statement.select()
        .where(
            Statement.regie == regie,
            Statement.closing_cents.is_null(False),
            Statement.closed_on <= month.last_on,
        )
        .order_by(Statement.closed_on.desc(), Statement.opened_on, Statement.id.desc())
        .first()
    )
    if closed:
        day = closed.closed_on
        return _balance_before(day, closed) + _sum(regie, day - timedelta(days=1), month.last_on)
    first: Any = (
        Statement.select()
        .where(Statement.regie == regie)
        .order_by(Statement.opened_on, Statement.id)
        .first()
    )
    if first is None:
        return None
    return int(first.opening_cents or 0) + _sum(regie, date.min, month.last_on)


def _balance_before(day: date, statement: Statement) -> int:
    """Return the balance with which a statement begins the day that it ends with."""
    told = loading.told_by([statement.id])
    lines = loading.known_lines(statement.regie, StatementLine.booked_on == day)
    return int(statement.closing_cents or 0) - sum(
        line.cents for line in overlaps.lines_told(statement.id, lines, told)
    )


def _sum(regie: str, after: date, until: date) -> int:
    lines = StatementLine.id.in_(_lines(regie, after, until))
    found = StatementLine.select(fn.SUM(StatementLine.amount_cents)).where(lines).scalar()
    return int(found or 0)
