"""The days that no statement covers, and how much the files of a month tell."""

from calendar import monthrange
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from peewee import fn

from kiosque.db.models import BankOperation, Statement, StatementLine, ToldLine
from kiosque.db.prepared import PreparedQuery
from kiosque.language.formats import long_date
from kiosque.payments.queries import last_regie_of
from kiosque.statements import workdays

_DAY = timedelta(days=1)


class _Jump(NamedTuple):
    """The days between a statement and the next; `is_proved` where nothing moved meanwhile."""

    since: date
    until: date
    is_proved: bool


class Grade(StrEnum):
    """How much the bank tells of a month: each payment with its fees, by the acquirer's journal;
    the account, with lump sums; nothing, but for its answers to our questions."""

    JOURNAL = "journal"
    STATEMENT = "statement"
    NONE = "none"


def gaps(regie: str) -> list[str]:
    """Say in French which statements are missing between the first and the last: each must begin
    with the balance that the one before ends with."""
    return [
        _sentence(jump.since, jump.until) for jump in _jumps(_told(regie)) if not jump.is_proved
    ]


def missing_days(regie: str, month: str) -> list[tuple[date, date]]:
    """Return the days of a month (`2026-10`) that no statement covers, or only in part, as pairs of
    first and last days."""
    first, last = _month(month)
    found = _told(regie)
    told = [(each.opened_on, each.closed_on) for each in found]
    jumps = list(_jumps(found))
    told += [(jump.since, jump.until) for jump in jumps if jump.is_proved]
    torn = {jump.since for jump in jumps if jump.since == jump.until and not jump.is_proved}
    days = [first + _DAY * number for number in range((last - first).days + 1)]
    whole = [day for day in days if any(since < day <= until for since, until in told)]
    missing = [day for day in days if day in torn or day not in whole]
    return list(_ranges(missing))


def last_told(regie: str) -> date | None:
    """Return the last day that a statement covers, None without any."""
    ((last,),) = _LAST_TOLD.rows(regie=regie)
    return date.fromisoformat(last) if isinstance(last, str) else last


def grade(regie: str, month: str) -> Grade:
    """Return how much the files loaded tell of a month (`2026-10`)."""
    first, last = _month(month)
    told = _WITH_FEES.rows(first=first, last=last)
    if any(last_regie_of(gateway) == regie for (gateway,) in told):
        return Grade.JOURNAL
    some = _WITHIN.rows(regie=regie, first=first, last=last)
    return Grade.STATEMENT if some else Grade.NONE


_LAST_TOLD = PreparedQuery(
    lambda regie: Statement.select(fn.MAX(Statement.closed_on)).where(Statement.regie == regie)
)
_WITH_FEES = PreparedQuery(
    lambda first, last: (
        BankOperation.select(BankOperation.gateway)
        .where(BankOperation.remitted_on.between(first, last))
        .where(BankOperation.fee_cents.is_null(False))
        .distinct()
    )
)
_WITHIN = PreparedQuery(
    lambda regie, first, last: (
        Statement.select(Statement.id)
        .where(Statement.regie == regie, Statement.opened_on <= last, Statement.closed_on >= first)
        .limit(1)
    )
)


def _told(regie: str) -> list[Statement]:
    """Return the statements of a *régie* in the order of their days."""
    return _TOLD.models(regie=regie)


_TOLD = PreparedQuery(
    lambda regie: (
        Statement.select()
        .where(Statement.regie == regie)
        .order_by(Statement.opened_on, Statement.closed_on, Statement.id)
    )
)


def _jumps(statements: Sequence[Statement]) -> Iterator[_Jump]:
    """Yield the time between each statement and the next. They are in order; some may overlap."""
    ends = {(each.closed_on, each.closing_cents) for each in statements}
    reached: date | None = None
    for each in statements:
        if reached is not None and each.opened_on >= reached:
            is_proved = _follows(each, reached, ends) or _is_held(each, reached, statements)
            yield _Jump(reached, each.opened_on, is_proved)
        reached = max(reached or each.closed_on, each.closed_on)


def _follows(
    statement: Statement, reached: date, ends: Collection[tuple[date, int | None]]
) -> bool:
    """Tell whether a statement begins with the balance that those before end with; or, if a balance
    is missing, whether no working day lies between them."""
    if statement.opening_cents is None or (reached, None) in ends:
        return not workdays.between(reached, statement.opened_on)
    return (reached, statement.opening_cents) in ends


def _is_held(statement: Statement, day: date, statements: Sequence[Statement]) -> bool:
    """Tell whether the other statements already contain one that begins within this day. They do
    if, from balance to balance, they lead from the day before to after this day, or to the point of
    this day where that statement ends; or if it ends within this day and they tell all its lines.
    """
    reached = {each.closing_cents for each in statements if each.opened_on < day == each.closed_on}
    within = [each for each in statements if each.opened_on == day]
    for _ in within if statement.opened_on == day else ():
        following = [each for each in within if each.opening_cents in reached]
        if any(each.closed_on > day for each in following):
            return True
        reached |= {each.closing_cents for each in following}
    is_within = statement.opened_on == statement.closed_on == day
    return is_within and (statement.closing_cents in reached or _is_told(statement))


def _is_told(statement: Statement) -> bool:
    """Tell whether others tell all the movements of a statement."""
    elsewhere = ToldLine.select().where(
        ToldLine.line == StatementLine.id, ToldLine.statement != statement
    )
    own = StatementLine.select().where(StatementLine.statement == statement, ~fn.EXISTS(elsewhere))
    return not own.exists()


def _sentence(since: date, until: date) -> str:
    if since == until:
        return f"Il manque un relevé du {long_date(since)}."
    return f"Il manque un relevé entre le {long_date(since)} et le {long_date(until)}."


def _month(month: str) -> tuple[date, date]:
    year, number = map(int, month.split("-"))
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])


def _ranges(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield the first and the last day of each run of consecutive days."""
    for _, following in groupby(enumerate(days), key=lambda each: each[1] - _DAY * each[0]):
        found = [day for _, day in following]
        yield found[0], found[-1]
