"""SQLite: one file, how each connection to it is set, and how to write to it."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
from peewee import IntegrityError, OperationalError, SqliteDatabase

from gateways.base import ConfigError
from kiosque import os_errors
from kiosque.db.fields import to_text
from kiosque.db.write_lock import HeldLock, write_lock

if TYPE_CHECKING:  # what playhouse does not type
    ApswDatabase = SqliteDatabase
else:
    from playhouse.apsw_ext import APSWDatabase as ApswDatabase

#: Older ones may corrupt the database when two connections checkpoint at once (sqlite.org/wal.html,
#: "The WAL-Reset Bug").
OLDEST = (3, 51, 3)

#: Below this, a busy day of payments might not be written.
MINIMUM_FREE_BYTES = 50 * 1024 * 1024

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
    # A schema that someone else wrote into the file runs none of our functions.
    "trusted_schema": 0,
}

#: The page cache of a connection, in KiB: while it takes in thousands of rows, then as usual. A
#: large one keeps an index of hashes, whose pages are hit at random, from being written each time.
_MANY_KIB, _CACHE_KIB = 16_384, 2_000

#: Settings for which there is no pragma.
SETTINGS = (
    # "word" is a column or an error, never a text.
    (apsw.SQLITE_DBCONFIG_DQS_DML, 0),
    (apsw.SQLITE_DBCONFIG_DQS_DDL, 0),
    # The file's inner tables are read only.
    (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
    # Plan a query by its text alone. Otherwise SQLite looks at the bound values and prepares the
    # query again each time they change, which costs several times the query itself.
    (apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1),
)


class Sqlite(ApswDatabase):
    """A SQLite file, by the package apsw. Each thread has its own connection, and keeps it."""

    location: Path | None = None

    def use(self, path: Path, patience: int) -> None:
        """Set the file, making its folder, and how many seconds to wait for it.

        Raises ConfigError where the SQLite library is too old to be trusted.
        """
        if self.server_version < OLDEST:
            raise ConfigError(
                [
                    f"SQLite {_dotted(self.server_version)} peut abîmer la base\u00a0: "
                    f"{_dotted(OLDEST)} ou plus est nécessaire (requirements.txt l’apporte)."
                ]
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self.location = path
        self.init(str(path), pragmas=PRAGMAS, timeout=patience)

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Connect, and prepare the connection. Raises OperationalError when it is not as asked,
        such as on a file system where a WAL cannot be."""
        opened: bool = super().connect(reuse_if_open)
        if opened:
            try:
                self._prepare()
            except BaseException:
                self.close()
                raise
        return opened

    def _prepare(self) -> None:
        connection = self.connection()
        connection.convert_binding = _date_to_text
        for setting, value in SETTINGS:
            connection.config(setting, value)
        for name, wanted in {**PRAGMAS, "busy_timeout": _milliseconds(self.timeout)}.items():
            found = self.pragma(name)
            if found != wanted:
                raise OperationalError(f"{name} vaut {found}, il faut {wanted}")

    @contextmanager
    def writing(self, end: float) -> Iterator[None]:
        """Open a transaction that holds the write lock, waiting until the moment `end` for it.

        It begins with `BEGIN IMMEDIATE`: a deferred transaction fails at once under concurrent
        writers, with "database is locked".
        """
        with (
            self.alone(end - time.monotonic()),
            self._waiting_until(end),
            self.atomic("IMMEDIATE"),
        ):
            yield

    def alone(self, seconds: float) -> HeldLock:
        """Wait for the write lock, across threads and processes.

        SQLite itself makes writers try again at random: under load the unlucky wait for seconds.
        Raises OperationalError if the lock does not come in time, or nothing can be written here.
        """
        try:
            return write_lock(f"{self.database}.lock").acquire(seconds)
        except TimeoutError:
            raise OperationalError("une autre écriture n’en finit pas") from None
        except OSError as error:
            raise OperationalError(f"verrou des écritures : {os_errors.why(error)}") from error

    @contextmanager
    def _waiting_until(self, end: float) -> Iterator[None]:
        """Let SQLite wait until this moment only: waiting for the lock took part of the time."""
        connection = self.connection()
        connection.set_busy_timeout(_milliseconds(end - time.monotonic()))
        try:
            yield
        finally:
            connection.set_busy_timeout(_milliseconds(self.timeout))

    def execute_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run a statement for each row."""
        self.pragma("cache_size", -_MANY_KIB)
        try:
            self.cursor().executemany(statement, rows)
        except apsw.ConstraintError as error:
            raise IntegrityError(str(error)) from error
        except apsw.Error as error:
            raise OperationalError(str(error)) from error
        finally:
            self.pragma("cache_size", -_CACHE_KIB)

    def release(self) -> None:
        """Keep the connection for the next request: opening one costs as much as a page. Close it
        if a read is still open, which would go on seeing the database as it was."""
        if self.connection().txn_state() != apsw.SQLITE_TXN_NONE:
            self.close()

    def schema_editor(self) -> "Sqlite":
        """Return what runs the migrations: they are written in SQLite's words."""
        return self

    def fault(self) -> str:
        """Say why nothing can be written, in French; empty when it can."""
        path = Path(self.database)
        if not os.access(path, os.W_OK):
            return "base en lecture seule"
        return "" if shutil.disk_usage(path.parent).free > MINIMUM_FREE_BYTES else "disque plein"


def _date_to_text(_cursor: object, _number: int, value: object) -> str:
    """Return a day or an instant as stored text: apsw binds only the types of SQLite."""
    if isinstance(value, date):
        return to_text(value)
    raise TypeError(f"no way to keep a {type(value).__name__}")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _milliseconds(seconds: float) -> int:
    return max(int(seconds * 1000), 1)
