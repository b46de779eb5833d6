"""The one database, SQLite or PostgreSQL: its one way to write, and its migrations.

What differs between the two is in `sqlite` and `postgresql`; the driver of the second is imported
only where it is configured.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peewee import DatabaseError, DatabaseProxy, Field
from playhouse.migrations import Runner

from kiosque.database import sqlite

if TYPE_CHECKING:  # what takes no parameter at run time
    InstantField = Field[datetime]
else:
    InstantField = Field

MIGRATIONS = Path(__file__).parent.parent / "migrations"

#: How long a write waits for the base, all in all. A bank waits ten seconds for our answer.
PATIENCE_SECONDS = 8.0

_sqlite = sqlite.Base(None)
#: The base in force: a `sqlite.Base`, or a `postgresql.Base`. Each thread has its own connection.
db: Any = DatabaseProxy()
db.initialize(_sqlite)


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


def configure(location: Path | str, *, durable: bool = False) -> None:
    """Say where the database is: a file of SQLite's, whose folder is made, or the address of a
    PostgreSQL, `postgresql://...`. Connects nothing.

    `durable` refuses to work on a PostgreSQL that may lose what it has committed, as production
    must. Raises ConfigError where the SQLite library is too old to be trusted, or the address
    makes no sense.
    """
    if db.obj is not None and not db.is_closed():
        db.close()
    if isinstance(location, Path):
        db.initialize(_sqlite)
        _sqlite.use(location, PATIENCE_SECONDS)
        return
    from kiosque.database import postgresql  # noqa: PLC0415  # its driver weighs 11 MB

    db.initialize(postgresql.base)
    postgresql.base.use(location, PATIENCE_SECONDS, durable=durable)


@contextmanager
def connection() -> Iterator[None]:
    """Connect for the length of a command or a request, unless already connected."""
    opened = db.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            db.close()


def release() -> None:
    """A request has ended: keep what serves the next one, and nothing else."""
    if not db.is_closed():
        db.release()


@contextmanager
def write() -> Iterator[None]:
    """The one way to write: an outermost transaction, alone from its first moment, all or
    nothing. Writers take turns in the order of arrival, and wait PATIENCE_SECONDS at most: then
    it is an OperationalError.

    Raises RuntimeError when a transaction is already open. A nested one would silently become
    a savepoint of another, which lets two requests read the same state before writing.
    """
    if db.in_transaction():
        raise RuntimeError("write() must be the outermost transaction")
    with db.writing(time.monotonic() + PATIENCE_SECONDS):
        yield


def execute_many(statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Run one statement, whose values are marked `?`, for each row, without what Peewee does
    around each."""
    db.execute_many(statement, rows)


def require_write() -> None:
    """Assert that the caller holds `write()`: for steps that make sense only inside it."""
    if not db.in_transaction():
        raise RuntimeError("this step belongs inside write()")


def require_no_write() -> None:
    """Assert that the caller is not inside `write()`: for what takes long, such as the network
    or the hash of a password. Everybody else who writes waits meanwhile."""
    if db.in_transaction():
        raise RuntimeError("no network nor hashing inside write()")


def migrate(target: str | None = None) -> list[str]:
    """Apply the migrations not yet applied, up to `target` when given, each whole or not at all.
    Returns their names."""
    with db.alone(PATIENCE_SECONDS):
        names: list[str] = _runner().up(target)
    return names


def created_at() -> datetime | None:
    """When the base was made: its first migration; None for one without."""
    applied = _runner().applied().values()
    # The runner keeps them by this machine's clock, without a zone.
    return min(applied).astimezone(UTC) if applied else None


def pending_migrations() -> list[str]:
    return [step.name for step in _runner().status() if step.applied is None]


def _runner() -> Runner:
    runner = Runner(db.obj, str(MIGRATIONS), table_name="schema_migration")
    runner.database = db.schema_editor()
    return runner


def fault() -> str:
    """What keeps the base from serving, in French; empty when nothing does."""
    try:
        db.execute_sql("SELECT 1 FROM invoice LIMIT 1")
        if pending_migrations():
            return "migrations en attente"
        reason: str = db.fault()
    except DatabaseError:
        return "base illisible"
    return reason
