"""How both databases keep a day and an instant: as text that sorts."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from peewee import Field

if TYPE_CHECKING:  # what takes no parameter at run time
    InstantField = Field[datetime]
    DayField = Field[date]
else:
    InstantField = DayField = Field


class UtcDateTimeField(InstantField):
    """An aware UTC instant, kept as text: `2026-11-24T01:50:49.000000Z`."""

    field_type = "TEXT"

    def db_value(self, value: datetime | None) -> str | None:
        return None if value is None else to_text(value)

    def python_value(self, value: str | None) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class DateField(DayField):
    """A day of Paris, kept as text: `2026-11-24`. Peewee's own field tries several formats."""

    field_type = "TEXT"

    def db_value(self, value: date | str | None) -> str | None:
        return to_text(value) if isinstance(value, date) else value

    def python_value(self, value: str | None) -> date | None:
        return None if value is None else date.fromisoformat(value)


def to_text(value: date) -> str:
    """Return a day, or an aware instant, as the database keeps it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value.isoformat()
