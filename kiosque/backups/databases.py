"""Copy a database while it is written to, and restore a copy: SQLite by its own backup function,
PostgreSQL by `pg_dump` and `pg_restore`."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
from peewee import OperationalError, ProgrammingError

from kiosque import db
from kiosque.backups import portrait, programs
from kiosque.backups.archive import POSTGRESQL, SQLITE
from kiosque.backups.portrait import Portrait

#: Time limit for `pg_dump` and `pg_restore`: enough for a town's whole history.
_SECONDS = 3600

Location = Path | str


class Damaged(Exception):
    """A copy of the database is not whole."""


class NotAllowed(Exception):
    """The account may not create a database on its server."""


def copy(location: Location, folder: Path) -> tuple[Path, Portrait]:
    """Copy the database as it is at one instant, into a folder; return the file and what it holds.

    Raises DatabaseError and ProgramFailed.
    """
    if isinstance(location, Path):
        return _copy_file(location, folder / SQLITE)
    return _copy_server(location, folder / POSTGRESQL)


def _copy_file(source: Path, target: Path) -> tuple[Path, Portrait]:
    """Copy by SQLite, never the file itself: a write under way would be cut in two."""
    try:
        with (
            closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)) as live,
            closing(apsw.Connection(str(target))) as copied,
            copied.backup("main", live, "main") as going,
        ):
            live.set_busy_timeout(30_000)
            going.step(-1)
    except apsw.Error as error:
        raise OperationalError(str(error)) from error
    return target, examine(target)


def examine(file: Path) -> Portrait:
    """Return what a SQLite file holds, once each of its pages is read. Raises Damaged."""
    with db.elsewhere(file):
        pages = [str(row[0]) for row in db.database.execute_sql("PRAGMA integrity_check(5)")]
        orphans = db.database.execute_sql("PRAGMA foreign_key_check").fetchall()
        if pages != ["ok"] or orphans:
            raise Damaged
        return portrait.draw()


def _copy_server(address: str, target: Path) -> tuple[Path, Portrait]:
    from kiosque.db.postgresql import postgresql  # noqa: PLC0415  # an extra

    with db.elsewhere(address), postgresql.snapshot() as name:
        dump(address, target, f"--snapshot={name}")
        found = portrait.draw()
    # Read it to the end: a file that cannot be read again is no backup.
    programs.run(("pg_restore", "--file=/dev/null", str(target)), seconds=_SECONDS)
    return target, found


def dump(address: str, target: Path, *options: str) -> None:
    """Have `pg_dump` write a PostgreSQL into a file. Raises ProgramFailed."""
    from kiosque.db.postgresql_address import for_programs  # noqa: PLC0415  # an extra

    where, secret = for_programs(address)
    usual = ("--format=custom", "--no-owner", "--no-privileges", *options)
    words = ("pg_dump", *usual, f"--file={target}", f"--dbname={where}")
    programs.run(words, seconds=_SECONDS, environment=secret)


def load(dumped: Path, address: str, database: str = "") -> None:
    """Put what `pg_dump` wrote into a PostgreSQL without tables, all of it or nothing.

    Raises ProgramFailed.
    """
    from kiosque.db.postgresql_address import for_programs  # noqa: PLC0415  # an extra

    where, secret = for_programs(address, database)
    options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
    words = ("pg_restore", *options, "--exit-on-error", f"--dbname={where}", str(dumped))
    programs.run(words, seconds=_SECONDS, environment=secret)


@contextmanager
def temporary(address: str) -> Iterator[str]:
    """Make an empty database on the same server for the block; yield its address. The account must
    be allowed to. Raises NotAllowed, DatabaseError."""
    from kiosque.db.postgresql import postgresql  # noqa: PLC0415  # an extra
    from kiosque.db.postgresql_address import another  # noqa: PLC0415  # an extra

    name = f"kiosque_drill_{os.getpid()}"
    with db.elsewhere(address):
        try:
            postgresql.execute_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        except ProgrammingError:
            raise NotAllowed from None
    try:
        yield another(address, name)
    finally:
        with db.elsewhere(address):
            postgresql.execute_sql(f"DROP DATABASE {name} WITH (FORCE)")
