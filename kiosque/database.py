"""The one database, its pragmas, its one way to write, and its migrations."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
from peewee import (  # type: ignore[attr-defined]  # the last is left out of its stubs
    Field,
    OperationalError,
    SqliteDatabase,
    __exception_wrapper__,
)
from playhouse.migrations import Runner

from gateways.base import ConfigError
from kiosque.sql import QuickContext
from kiosque.turns import Turn, Turns

if TYPE_CHECKING:  # what playhouse does not type, and what takes no parameter at run time
    ApswDatabase = SqliteDatabase
    InstantField = Field[datetime]
else:
    from playhouse.apsw_ext import APSWDatabase as ApswDatabase

    InstantField = Field

MIGRATIONS = Path(__file__).parent / "migrations"

#: Older ones may corrupt the base when two connections checkpoint at once (sqlite.org/wal.html,
#: "The WAL-Reset Bug").
OLDEST_SQLITE = (3, 51, 3)

#: How long a write waits for the base, all in all. A bank waits ten seconds for our answer.
PATIENCE_SECONDS = 8.0

#: As read back once the connection is open.
PRAGMAS = {
    "journal_mode": "wal",
    # FULL: what is acknowledged to the bank survives a power cut. NORMAL does not give that.
    "synchronous": 2,
    "foreign_keys": 1,
    # While a reader stays, the WAL grows; once it has left, it shrinks to this.
    "journal_size_limit": 16 * 1024 * 1024,
    # A damaged page is an error when it is read, not a wrong answer.
    "cell_size_check": 1,
    # What someone wrote into the file's schema runs none of our functions.
    "trusted_schema": 0,
}


class Database(ApswDatabase):
    """SQLite as the package apsw carries it. Peewee gives each thread its own connection."""

    context_class = QuickContext

    def _add_conn_hooks(self, connection: apsw.Connection) -> None:
        """Prepare a connection. Raises OperationalError when it is not as asked, such as on a
        file system where a WAL cannot be."""
        connection.convert_binding = _date_to_text
        # "word" is a column or an error, never a text; the file's inner tables are read only.
        for setting, value in (
            (apsw.SQLITE_DBCONFIG_DQS_DML, 0),
            (apsw.SQLITE_DBCONFIG_DQS_DDL, 0),
            (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
        ):
            connection.config(setting, value)
        super()._add_conn_hooks(connection)  # type: ignore[misc]  # sets the pragmas
        patience = _milliseconds(PATIENCE_SECONDS)
        connection.set_busy_timeout(patience)
        for name, wanted in {**PRAGMAS, "busy_timeout": patience}.items():
            found = connection.pragma(name)
            if found != wanted:
                raise OperationalError(f"{name} vaut {found}, il faut {wanted}")


db: SqliteDatabase = Database(None)


def _date_to_text(_cursor: object, _number: int, value: object) -> str:
    """A date as the base keeps it: apsw itself takes only what SQLite knows."""
    if isinstance(value, date):
        return str(value)
    raise TypeError(f"no way to keep a {type(value).__name__}")


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
    """Say which file the database is, and make its folder. Connects nothing.

    Raises ConfigError where the SQLite library is too old to be trusted.
    """
    if db.server_version < OLDEST_SQLITE:
        raise ConfigError(
            [
                f"SQLite {_dotted(db.server_version)} peut abîmer la base\u00a0: "
                f"{_dotted(OLDEST_SQLITE)} ou plus est nécessaire (requirements.txt l’apporte)."
            ]
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    db.init(str(path), pragmas=PRAGMAS)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


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
    """Keep this thread's connection for its next request: to open one costs as much as a page.
    One that still reads would go on seeing the base as it was: it is closed."""
    if not db.is_closed() and db.connection().txn_state() != apsw.SQLITE_TXN_NONE:
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
    end = time.monotonic() + PATIENCE_SECONDS
    with _turn(), _waiting_until(end), db.atomic("IMMEDIATE"):
        yield


def _turn() -> Turn:
    """Wait for one's turn to write, across threads and processes.

    SQLite itself makes writers try again at random: under load the unlucky wait for seconds.
    Raises OperationalError when the turn does not come, or when nothing can be written here.
    """
    try:
        return _turns(f"{db.database}.lock").take(PATIENCE_SECONDS)
    except TimeoutError:
        raise OperationalError("une autre écriture n’en finit pas") from None
    except OSError as error:
        raise OperationalError(f"verrou des écritures : {error.strerror}") from error


@cache
def _turns(path: str) -> Turns:
    return Turns(Path(path))


@contextmanager
def _waiting_until(end: float) -> Iterator[None]:
    """Let SQLite wait no longer than until this moment: the turn has had its share."""
    connection = db.connection()
    connection.set_busy_timeout(_milliseconds(end - time.monotonic()))
    try:
        yield
    finally:
        connection.set_busy_timeout(_milliseconds(PATIENCE_SECONDS))


def _milliseconds(seconds: float) -> int:
    return max(int(seconds * 1000), 1)


def execute_many(statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Run one statement for each row, without what Peewee does around each."""
    with __exception_wrapper__:
        db.cursor().executemany(statement, rows)


def require_write() -> None:
    """Assert that the caller holds `write()`: for steps that make sense only inside it."""
    if not db.in_transaction():
        raise RuntimeError("this step belongs inside write()")


def require_no_write() -> None:
    """Assert that the caller is not inside `write()`: for what takes long, such as the network
    or the hash of a password. Everybody else who writes waits meanwhile."""
    if db.in_transaction():
        raise RuntimeError("no network nor hashing inside write()")


def migrate() -> list[str]:
    """Apply the migrations not yet applied, each whole or not at all. Returns their names."""
    with _turn():
        names: list[str] = Runner(db, str(MIGRATIONS), table_name="schema_migration").up()
    return names


def created_at() -> datetime | None:
    """When the base was made: its first migration; None for one without."""
    applied = Runner(db, str(MIGRATIONS), table_name="schema_migration").applied().values()
    # The runner keeps them by this machine's clock, without a zone.
    return min(applied).astimezone(UTC) if applied else None


def pending_migrations() -> list[str]:
    runner = Runner(db, str(MIGRATIONS), table_name="schema_migration")
    return [step.name for step in runner.status() if step.applied is None]
