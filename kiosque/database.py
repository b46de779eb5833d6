"""The one database, its pragmas, its one way to write, and its migrations."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from peewee import Field, SqliteDatabase
from playhouse.migrations import Runner

#: Peewee gives each thread its own connection to it.
db = SqliteDatabase(None)

MIGRATIONS = Path(__file__).parent / "migrations"

_PRAGMAS = {
    "journal_mode": "wal",
    # FULL: what is acknowledged to the bank survives a power cut. NORMAL does not give that.
    "synchronous": "full",
    "foreign_keys": "on",
    # A bank waits ten seconds for our answer.
    "busy_timeout": 8000,
}


if TYPE_CHECKING:
    InstantField = Field[datetime]
else:
    InstantField = Field  # peewee's own class takes no parameter at run time


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


def configure(path: Path) -> None:
    """Say which file the database is, and make its folder. Connects nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db.init(str(path), pragmas=_PRAGMAS)


@contextmanager
def connection() -> Iterator[None]:
    """Connect for the length of a command or a request, unless already connected."""
    opened = db.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            db.close()


@contextmanager
def write() -> Iterator[None]:
    """The one way to write: an outermost `BEGIN IMMEDIATE`, all or nothing.

    Raises RuntimeError when a transaction is already open. A nested one would silently become
    a savepoint of a deferred transaction, which under concurrent writers fails at once with
    "database is locked", or lets two requests read the same state before writing.
    """
    if db.in_transaction():
        raise RuntimeError("write() must be the outermost transaction")
    with _queue(), db.atomic("IMMEDIATE"):
        yield


@contextmanager
def _queue() -> Iterator[None]:
    """Wait for one's turn to write, across threads and processes.

    SQLite itself makes writers try again at random: under load the unlucky wait for seconds.
    """
    with Path(f"{db.database}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        yield


def require_write() -> None:
    """Assert that the caller holds `write()`: for steps that make sense only inside it."""
    if not db.in_transaction():
        raise RuntimeError("this step belongs inside write()")


def migrate() -> list[str]:
    """Apply the migrations not yet applied. Returns their names."""
    names: list[str] = Runner(db, str(MIGRATIONS), table_name="schema_migration").up()
    return names


def pending_migrations() -> list[str]:
    runner = Runner(db, str(MIGRATIONS), table_name="schema_migration")
    return [step.name for step in runner.status() if step.applied is None]
