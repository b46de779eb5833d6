"""List what differs between the books and the bank's statement: payments, and its own lines."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from peewee import fn

from kiosque.closings.months import Month
from kiosque.closings.starting_point import StartingPoint
from kiosque.db.models import (
    Attempt,
    JournalEntry,
    LineMatch,
    Receipt,
    Repayment,
    Settlement,
    StatementLine,
)
from kiosque.db.statement_words import LineState
from kiosque.language import clock
from kiosque.language.formats import short_date
from kiosque.statements import workdays

#: Working days within which a bank credits what it owes.
IN_TRANSIT_DAYS = 5


class Item(NamedTuple):
    """A difference between the books and the statement, in cents; `explained` if it will surely
    disappear by itself, or has disappeared since."""

    on: date
    words: str
    cents: int
    explained: bool


SIDES = (JournalEntry.debit, JournalEntry.credit)


def is_held(account: str, statement: str = "") -> bool:
    """Tell whether an account of the journal is one of what a bank owes, or the bank account itself
    (`statement`)."""
    return account == statement or account.startswith("bank:")


class OnlinePayment(NamedTuple):
    """An online payment, in cents: what the books held of it at the end of the month, and hold now;
    what matched lines of statements had of it by then, and have now."""

    settlement: int
    on: date
    name: str
    held_then: int
    held_now: int
    matched_then: int
    matched_ever: int

    @property
    def missing_cents(self) -> int:
        return self.held_then - self.matched_then

    def item(self, month: Month) -> Item:
        came = self.held_now == self.matched_ever
        end = min(month.last_on, clock.today())
        explained = came or workdays.between(self.on, end) < IN_TRANSIT_DAYS
        words = f"paiement {self.name} du {short_date(self.on)}, {self._words()}"
        return Item(self.on, words, self.missing_cents, explained)

    def _words(self) -> str:
        if self.missing_cents < 0:
            return "repris ou crédité par la banque avant d’être écrit ici"
        return "pas encore au relevé"


def payments(regie: str, start: StartingPoint, month: Month, last: int) -> Iterator[OnlinePayment]:
    """Yield the payments of the month, and those that it may explain."""
    numbers = sorted({*_written(regie, start), *_told(regie, start), *start.waiting})
    for first in range(0, len(numbers), _AT_ONCE):
        some = numbers[first : first + _AT_ONCE]
        then, ever = _matched(some, month.last_on), _matched(some, date.max)
        held_then, held_now = _held(some, last), _held(some, None)
        for key, on, name in _named(regie, some):
            sums = held_then.get(key, 0), held_now.get(key, 0), then.get(key, 0), ever.get(key, 0)
            yield OnlinePayment(key, on, name, *sums)


#: Most ids bound to one query.
_AT_ONCE = 10_000


def _written(regie: str, start: StartingPoint) -> Iterator[int]:
    """Yield the payments that entries are about, since the start."""
    found: Any = JournalEntry.select(JournalEntry.settlement).where(
        JournalEntry.number > start.number,
        JournalEntry.settlement.is_null(False),
        JournalEntry.regie == regie,
    )
    return (number for (number,) in found.tuples())


def _told(regie: str, start: StartingPoint) -> Iterator[int]:
    """Yield the payments that lines of statements are about, since the start."""
    found: Any = (
        LineMatch.select(_OWNER)
        .join(StatementLine)
        .switch(LineMatch)
        .left_outer_join(Repayment)
        .where(StatementLine.regie == regie, StatementLine.booked_on > start.until)
    )
    return (number for (number,) in found.tuples() if number)


#: The payment that a match is about, or that its repayment gives back.
_OWNER = fn.COALESCE(LineMatch.settlement, Repayment.settlement)


def _named(regie: str, numbers: Sequence[int]) -> Iterator[tuple[int, date, str]]:
    """Yield the number, the day and the name of those of these payments that are online."""
    rows: Any = (
        Settlement.select(Settlement.id, Settlement.settled_at, Attempt.reference, Receipt.number)
        .left_outer_join(Attempt)
        .switch(Settlement)
        .left_outer_join(Receipt)
        .where(
            Settlement.id.in_(numbers), Settlement.regie == regie, Settlement.gateway.is_null(False)
        )
    )
    for key, at, reference, receipt in rows.tuples():
        name = f"R{receipt:06}" if receipt else reference or f"n° {key}"
        yield key, clock.paris_date(at), name


def _held(numbers: Sequence[int], last: int | None) -> dict[int, int]:
    """Return what the books hold of these payments, after the entry `last`, by number."""
    found: dict[int, int] = {}
    entries: Any = JournalEntry.select(
        JournalEntry.settlement_id, *SIDES, JournalEntry.amount_cents
    ).where(JournalEntry.settlement.in_(numbers))
    if last is not None:
        entries = entries.where(JournalEntry.number <= last)
    for key, debit, credit, cents in entries.tuples():
        sign = is_held(debit) - is_held(credit)
        found[key] = found.get(key, 0) + sign * cents
    return found


def _matched(numbers: Sequence[int], until: date) -> dict[int, int]:
    """Return what lines of statements explain of these payments, until a day, by number."""
    found: dict[int, int] = {}
    cents = fn.SUM(LineMatch.amount_cents)
    lines: Any = LineMatch.select().join(StatementLine).switch(LineMatch)
    lines = lines.where(LineMatch.undone_at.is_null(), StatementLine.booked_on <= until)
    paid = lines.select(LineMatch.settlement, cents).where(LineMatch.settlement.in_(numbers))
    back = lines.select(Repayment.settlement, cents).join(Repayment)
    back = back.where(Repayment.settlement.in_(numbers))
    for key, sum_cents in (
        *paid.group_by(LineMatch.settlement).tuples(),
        *back.group_by(Repayment.settlement).tuples(),
    ):
        found[key] = found.get(key, 0) + int(sum_cents)
    return found


def open_lines(regie: str, month: Month) -> Iterator[Item]:
    """Yield the lines of statements that nothing explains: the books do not have them."""
    found = StatementLine.select().where(
        StatementLine.regie == regie,
        StatementLine.booked_on <= month.last_on,
        StatementLine.state == LineState.OPEN,
    )
    for line in found:
        words = f"ligne du relevé du {short_date(line.booked_on)}, « {line.label} »"
        yield Item(line.booked_on, words, -line.amount_cents, explained=False)
