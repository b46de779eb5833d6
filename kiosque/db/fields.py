"""Fields that Peewee lacks."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from peewee import Field

if TYPE_CHECKING:  # what takes no parameter at run time
    InstantField = Field[datetime]
else:
    InstantField = Field


class UtcDateTimeField(InstantField):
    """An aware UTC instant, kept as text that sorts: `2026-11-24T01:50:49.000000Z`."""

    field_type = "TEXT"

    def db_value(self, value: datetime | None) -> str | None:
        return (
            None
            if value is None
            else (value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))
        )

    def python_value(self, value: str | None) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)
