"""How psycopg sends and reads values, and how its errors are stripped of the row they are about.

PostgreSQL stores the same values as SQLite: instants and days are text sorted by its bytes,
booleans are 0 or 1. So the same queries run on both, and a journal entry has the same hash on both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.types.string import StrDumperUnknown

from kiosque.db.fields import to_text


class _Truth(Dumper):
    """Send True and False as 1 and 0."""

    oid = psycopg.postgres.types["int4"].oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class _Day(Dumper):
    """Send a day or an instant as text."""

    def dump(self, obj: date) -> bytes:
        return to_text(obj).encode()


class _Text(StrDumperUnknown):
    """Send a text. PostgreSQL stores no NUL: replace it by U+FFFD, which matches no stored text."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))


class _Sum(Loader):
    """Read a sum of integers, which PostgreSQL returns as `numeric`."""

    def load(self, data: Any) -> int | Decimal:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def adapters() -> AdaptersMap:
    """Return how values are sent and read on a connection of ours."""
    found = AdaptersMap(psycopg.adapters)
    for kind, dumper in ((bool, _Truth), (date, _Day), (datetime, _Day), (str, _Text)):
        found.register_dumper(kind, dumper)
    found.register_loader("numeric", _Sum)
    return found


#: Errors of a database not made yet, of a session ended by a limit, of a server turned standby.
#: They become OperationalError, as on SQLite; Peewee would make them faults of ours.
_DOES_NOT_ANSWER = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.ReadOnlySqlTransaction,
)


@contextmanager
def discreet() -> Iterator[None]:
    """Reduce an error to its first sentence: the rest shows the row, and might be logged."""
    try:
        yield
    except _DOES_NOT_ANSWER as error:
        raise psycopg.OperationalError(error.diag.message_primary or "") from None
    except psycopg.Error as error:
        if error.diag.message_primary:
            error.args = (error.diag.message_primary,)
        raise


class DiscreetCursor(psycopg.Cursor[Any]):
    """A cursor whose errors show no row."""

    def execute(self, *args: Any, **kwargs: Any) -> "DiscreetCursor":
        with discreet():
            super().execute(*args, **kwargs)
        return self

    def executemany(self, *args: Any, **kwargs: Any) -> None:
        with discreet():
            super().executemany(*args, **kwargs)
