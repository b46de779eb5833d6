"""The one clock: aware UTC instants (`..._at`) and Paris dates (`..._on`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time

from gateways.base import PARIS

__all__ = [
    "PARIS",
    "held_at",
    "midnight_in_paris",
    "noon_in_paris",
    "now",
    "paris_date",
    "school_year",
    "today",
]


_held: ContextVar[datetime | None] = ContextVar("held", default=None)


def now() -> datetime:
    """Return the present instant, aware, in UTC. Tests replace this function and nothing else."""
    return _held.get() or datetime.now(UTC)


@contextmanager
def held_at(at: datetime) -> Iterator[None]:
    """Hold the clock at an instant for the block: the demo plays a month gone by."""
    token = _held.set(at)
    try:
        yield
    finally:
        _held.reset(token)


def today() -> date:
    """Return the present date in Paris."""
    return paris_date(now())


def paris_date(at: datetime) -> date:
    """Return the date in Paris at an instant."""
    return at.astimezone(PARIS).date()


def noon_in_paris(on: date) -> datetime:
    """Return a day as an instant: its noon in Paris, which is that day everywhere in Europe."""
    return datetime.combine(on, time(12), tzinfo=PARIS).astimezone(UTC)


def midnight_in_paris(on: date) -> datetime:
    """Return the instant at which a day begins in Paris."""
    return datetime.combine(on, time(), tzinfo=PARIS).astimezone(UTC)


def school_year(on: date) -> int:
    """Return the year in which the school year of a date began: 2025 for August 2026."""
    return on.year if on.month >= 9 else on.year - 1
