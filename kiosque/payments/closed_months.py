"""The months that a *régie* has closed: nothing is dated in them any more."""

from datetime import date

from peewee import fn

from kiosque.db.models import MonthClosing
from kiosque.db.prepared import PreparedQuery


def last_closed(regie: str) -> str:
    """Return the last month that a *régie* closed, such as `2026-10`; empty when it closed none."""
    ((last,),) = _LAST.rows(regie=regie)
    return last or ""


def is_closed(regie: str, on: date) -> bool:
    """Return True if a day is in a month that a *régie* has closed, or before it."""
    return f"{on:%Y-%m}" <= last_closed(regie)


_LAST = PreparedQuery(
    lambda regie: MonthClosing.select(fn.MAX(MonthClosing.month)).where(MonthClosing.regie == regie)
)
