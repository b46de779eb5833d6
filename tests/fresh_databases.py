"""Where the tests' databases are: files of SQLite's, or, with TEST_DATABASE_URL, databases made
for this run on that PostgreSQL and dropped at its end. The role it names may create databases; as a
superuser, it empties those used before instead of making each anew, which is far quicker.
"""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import apsw
import pytest

from kiosque import db
from kiosque.db import database

URL = os.environ.get("TEST_DATABASE_URL", "")
on_sqlite = pytest.mark.skipif(bool(URL), reason="about SQLite's files and locks")
on_postgresql = pytest.mark.skipif(not URL, reason="TEST_DATABASE_URL names no PostgreSQL")

Location = Path | str

#: What a database is made of, to see whether a test changed it.
_SCHEMA = """
    SELECT md5(string_agg(what, ' ' ORDER BY what COLLATE "C")) FROM (
        SELECT relname || relkind::text AS what FROM pg_class
            WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT 'migrated ' || COUNT(*) FROM schema_migration
    ) AS everything
"""


@contextmanager
def ready(folder: Path, name: str = "kiosque.sqlite3") -> Iterator[Location]:
    """A database with its tables and nothing in them."""
    if URL:
        with _server().ready() as url:
            yield url
    else:
        shutil.copyfile(template(), folder / name)
        yield folder / name


@contextmanager
def bare(folder: Path, name: str = "bare.sqlite3") -> Iterator[Location]:
    """A database without any table."""
    if URL:
        with _server().bare() as url:
            yield url
    else:
        yield folder / name


@cache
def template() -> Path:
    """A database of SQLite's with its tables, to copy for each test: far quicker than making
    them."""
    path = Path(tempfile.mkdtemp(prefix="kiosque-template-")) / "kiosque.sqlite3"
    with db.elsewhere(path):
        db.migrate()
    return path


def end() -> None:
    """Leave nothing behind."""
    if template.cache_info().currsize:
        shutil.rmtree(template().parent)
        template.cache_clear()
    if _server.cache_info().currsize:
        _server().end()
        _server.cache_clear()


@cache
def _server() -> "_Server":
    return _Server(URL)


class _Server:
    """The PostgreSQL of TEST_DATABASE_URL: databases of our own on it, named after this process."""

    def __init__(self, url: str) -> None:
        import psycopg  # noqa: PLC0415  # only where there is one

        from kiosque.db import postgresql  # noqa: PLC0415

        self._url = url
        self._count = 0
        self._free: list[_Base] = []
        self._admin = psycopg.connect(url, autocommit=True)
        row = self._admin.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        self._may_empty = bool((row.fetchone() or (False,))[0])
        # It may be in a hurry: what it loses in a power cut is of no account here.
        postgresql.DURABLE.clear()
        self._template = self.create("template0")
        with db.elsewhere(self.address(self._template)):
            db.migrate()
        postgresql.postgresql.close_idle()

    @contextmanager
    def ready(self) -> Iterator[str]:
        base = self._free.pop() if self._free else self._new()
        yield self.address(base.name)
        if self._may_empty and base.empty():
            self._free.append(base)
        else:
            base.close()
            self.drop(base.name)

    @contextmanager
    def bare(self) -> Iterator[str]:
        name = self.create("template0")
        yield self.address(name)
        self.drop(name)

    def address(self, name: str) -> str:
        parts = urlsplit(self._url)
        return urlunsplit(parts._replace(path=f"/{name}"))

    def create(self, source: str) -> str:
        self._count += 1
        name = f"kiosque_essai_{os.getpid()}_{self._count}"
        self._admin.execute(
            f"CREATE DATABASE {name} TEMPLATE {source} ENCODING 'UTF8' STRATEGY file_copy"
        )
        return name

    def drop(self, name: str) -> None:
        self._admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def end(self) -> None:
        from kiosque.db import postgresql  # noqa: PLC0415

        postgresql.postgresql.close_idle()
        for base in self._free:
            base.close()
            self.drop(base.name)
        self.drop(self._template)
        self._admin.close()

    def _new(self) -> "_Base":
        name = self.create(self._template)
        return _Base(name, self.address(name))


class _Base:
    """A database to use again: it is put back as it was made."""

    def __init__(self, name: str, address: str) -> None:
        import psycopg  # noqa: PLC0415

        self.name = name
        self._link = psycopg.connect(address, autocommit=True)
        # No trigger, no foreign key: what is append-only too is emptied.
        self._link.execute("SET session_replication_role = replica; SET lock_timeout = '2s'")
        self._schema = self._link.execute(_SCHEMA).fetchone()
        tables = [
            name
            for (name,) in self._link.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
            if name != "schema_migration"
        ]
        self._used = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in tables
        )

    def empty(self) -> bool:
        """False when it cannot be put back: a test changed more than rows, or still holds them."""
        import psycopg  # noqa: PLC0415

        try:
            for (table,) in self._link.execute(self._used).fetchall():
                self._link.execute(f"DELETE FROM {table}")
            self._link.execute(
                "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) "
                "FROM pg_sequences WHERE last_value IS NOT NULL"
            )
            return self._link.execute(_SCHEMA).fetchone() == self._schema
        except psycopg.Error:
            return False

    def close(self) -> None:
        self._link.close()


# --- What tests look at, or do, past the portal's own means ---


def rows(*, without: Collection[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the database holds, in an order of its own."""
    names = [name for name in database.get_tables() if name not in without]
    return {
        name: sorted(map(tuple, database.execute_sql(f'SELECT * FROM "{name}"')), key=repr)
        for name in names
    }


def damage(sql: str) -> None:
    """Do what a hand in the database, a bad disk or a fault of ours could: no rule is in its
    way."""
    if not URL:
        triggers = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
        for name, table in list(database.execute_sql(triggers)):
            if table in sql:
                database.execute_sql(f"DROP TRIGGER {name}")
        database.execute_sql("PRAGMA ignore_check_constraints = 1")
        database.execute_sql("PRAGMA foreign_keys = 0")
    else:
        rules = """
            SELECT conrelid::regclass::text, conname FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f')
        """
        for table, name in database.execute_sql(rules).fetchall():
            database.execute_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table in database.get_tables():
            database.execute_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    database.execute_sql(sql.replace("%", "%%") if URL else sql)


@contextmanager
def locked() -> Iterator[None]:
    """Another program writes meanwhile, and does not end."""
    location = db.database.location
    if isinstance(location, Path):
        with closing(apsw.Connection(str(location))) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
    else:
        import psycopg  # noqa: PLC0415

        from kiosque.db import postgresql  # noqa: PLC0415

        with psycopg.connect(location) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", (postgresql.WRITERS,))
            yield


def run(location: Location, *statements: str) -> list[tuple[Any, ...]]:
    """Return what SQL says, by a connection of its own, each statement by itself."""
    found: list[tuple[Any, ...]] = []
    if isinstance(location, Path):
        with closing(apsw.Connection(str(location), flags=apsw.SQLITE_OPEN_READWRITE)) as link:
            link.set_busy_timeout(30_000)
            for statement in statements:
                found = [tuple(row) for row in link.execute(statement)]
        return found
    import psycopg  # noqa: PLC0415

    with psycopg.connect(location, autocommit=True) as session:
        for statement in statements:
            cursor = session.execute(statement)
            found = [
                tuple(int(it) if isinstance(it, Decimal) else it for it in row)
                for row in (cursor if cursor.description else ())
            ]
    return found
