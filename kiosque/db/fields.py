"""How both databases store a day, an instant, a state and a boolean."""

from base64 import b64decode, b64encode
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from peewee import SQL, BooleanField, Field, TextField

if TYPE_CHECKING:  # at run time these classes take no type parameter
    InstantField = Field[datetime]
    DayField = Field[date]
    BytesField = Field[bytes]
    StringField = Field[str]
    FlagField = Field[bool]
else:
    InstantField = DayField = BytesField = Field
    StringField, FlagField = TextField, BooleanField


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


class WordField(StringField):
    """A word of an enum. Queries have it in their SQL instead of binding it: a partial index, such
    as `WHERE state = 'open'`, is of no use to a query that binds the word."""

    def db_value(self, value: Any) -> Any:
        return SQL(f"'{value}'") if isinstance(value, StrEnum) else value


class TruthField(FlagField):
    """A boolean, stored as 1 or 0. Queries have it in their SQL, as they have a `WordField`."""

    def db_value(self, value: Any) -> Any:
        return value if value is None else SQL("1" if value else "0")


class PdfField(BytesField):
    """The bytes of a small file, stored as base64 text; empty if that text was damaged."""

    field_type = "TEXT"

    def db_value(self, value: bytes) -> str:
        return b64encode(value).decode()

    def python_value(self, value: str) -> bytes:
        try:
            return b64decode(value)
        except ValueError:
            return b""


def to_text(value: date) -> str:
    """Return a day, or an aware instant, as the text that the database stores."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value.isoformat()
