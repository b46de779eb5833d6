"""The days that no statement covers, and how much the files of a month tell."""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby

from peewee import fn

from kiosque.db.models import BankOperation, Statement
from kiosque.db.prepared import PreparedQuery
from kiosque.language.formats import long_date
from kiosque.payments.queries import last_regie_of
from kiosque.statements.cut_days import Span
from kiosque.statements.joints import jumps

_DAY = timedelta(days=1)


class Grade(StrEnum):
    """How much the bank tells of a month: each payment with its fees, by the acquirer's journal;
    the account, with lump sums; nothing, but for its answers to our questions."""

    JOURNAL = "journal"
    STATEMENT = "statement"
    NONE = "none"


def gaps(regie: str) -> list[str]:
    """Say in French which statements are missing between the first and the last: each must begin
    with the balance that the one before ends with."""
    found = jumps(regie, _told(regie))
    return [*dict.fromkeys(_sentence(*each[:2]) for each in found if not each.is_proved)]


def missing_days(regie: str, month: str) -> list[tuple[date, date]]:
    """Return the days of a month (`2026-10`) that no statement covers, or only in part, as pairs of
    first and last days."""
    first, last = _month(month)
    found = _told(regie)
    told = [(each.opened_on, each.closed_on) for each in found]
    between = list(jumps(regie, found))
    told += [(each.since, each.until) for each in between if each.is_proved]
    torn = {each.since for each in between if each.is_cut and not each.is_proved}
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


def _told(regie: str) -> list[Span]:
    """Return the statements of a *régie* in the order of their days."""
    return [Span(*row) for row in _TOLD.rows(regie=regie)]


_TOLD = PreparedQuery(
    lambda regie: (
        Statement.select(
            Statement.id, Statement.opened_on, Statement.opening_cents, Statement.closed_on,
            Statement.closing_cents,
        )
        .where(Statement.regie == regie)
        .order_by(Statement.opened_on, Statement.closed_on, Statement.id)
    )
)  # fmt: skip


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
