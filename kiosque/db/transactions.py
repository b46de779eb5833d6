"""The one database, SQLite or PostgreSQL, and its one way to write.

What differs between the two is in `sqlite` and `postgresql`.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import DatabaseProxy

from gateways.base import ConfigError
from kiosque.db import write_lock
from kiosque.db.sqlite import Sqlite

_sqlite = Sqlite(None)
#: The database in force: a `Sqlite` or a `Postgresql`. Each thread has its own connection.
database: Any = DatabaseProxy()
database.initialize(_sqlite)

_NO_DRIVER = (
    "database : PostgreSQL demande psycopg, qui n’est pas installé. Lancez "
    "« .venv/bin/pip install -r requirements-postgresql.txt »."
)


#: True once `configure` asked for a durable database.
_durable = False


def configure(location: Path | str, *, durable: bool = False) -> None:
    """Set where the database is: a SQLite file, whose folder is made, or the address of a
    PostgreSQL, `postgresql://...`. Do not connect.

    `durable`, for production, refuses a PostgreSQL that may lose what it has committed. Raises
    ConfigError if the SQLite library is too old to be trusted, the driver of PostgreSQL is not
    installed, or the address makes no sense.
    """
    global _durable  # noqa: PLW0603  # as the database itself
    if database.obj is not None and not database.is_closed():
        database.close()
    _durable = durable
    if isinstance(location, Path):
        database.initialize(_sqlite)
        _sqlite.use(location, write_lock.PATIENCE_SECONDS)
        return
    try:
        from kiosque.db.postgresql import postgresql  # noqa: PLC0415  # needs an optional driver
    except ImportError:
        raise ConfigError([_NO_DRIVER]) from None
    database.initialize(postgresql)
    postgresql.use(location, write_lock.PATIENCE_SECONDS, durable=durable)


@contextmanager
def connection() -> Iterator[None]:
    """Connect for the length of a command or a request, unless already connected."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()


@contextmanager
def elsewhere(location: Path | str) -> Iterator[None]:
    """Connect to another database for the block, as durable as the one in force; then come back to
    that one. For commands only: all threads of the process are led there."""
    before, durable = database.location, _durable
    configure(location, durable=durable)
    try:
        with connection():
            yield
    finally:
        if before is not None:
            configure(before, durable=durable)


def release() -> None:
    """End a request: keep the connection if it can serve the next one, else close it."""
    if not database.is_closed():
        database.release()


@contextmanager
def write() -> Iterator[None]:
    """Open a transaction that writes, all or nothing: the only way to write. It holds the write
    lock from its first moment. Writers take turns in the order of arrival. Raises OperationalError
    after waiting `PATIENCE_SECONDS`.

    Raises RuntimeError when a transaction is already open. A nested one would silently become
    a savepoint of another, which lets two requests read the same state before writing.
    """
    if database.in_transaction():
        raise RuntimeError("write() must be the outermost transaction")
    with database.writing(time.monotonic() + write_lock.PATIENCE_SECONDS):
        yield


def execute_many(statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Run one statement, whose values are marked `?`, for each row. Use it for the thousands of
    rows of an import, which Peewee would handle one by one."""
    database.execute_many(statement, rows)


def require_write() -> None:
    """Assert that the caller is inside `write()`, for steps that make sense only there."""
    if not database.in_transaction():
        raise RuntimeError("this step belongs inside write()")


def require_no_write() -> None:
    """Assert that the caller is not inside `write()`, before something long, such as a network call
    or hashing a password: all other writers would wait meanwhile."""
    if database.in_transaction():
        raise RuntimeError("no network nor hashing inside write()")
