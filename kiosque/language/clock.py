"""The one clock: aware UTC instants (`..._at`), Paris dates (`..._on`), and their words."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """The present instant, aware, in UTC. Tests replace this function and nothing else."""
    return datetime.now(UTC)


def today() -> date:
    """The present date in Paris."""
    return paris_date(now())


def paris_date(at: datetime) -> date:
    return at.astimezone(PARIS).date()


def from_iso(text: str) -> date | None:
    """The date that an ISO text stands for; none for an empty one."""
    return date.fromisoformat(text) if text else None


def school_year(on: date) -> int:
    """The year a school year begins: 2025 from 1 September 2025 to 31 August 2026."""
    return on.year if on.month >= 9 else on.year - 1
