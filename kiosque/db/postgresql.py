"""PostgreSQL: how each session is set and kept from one request to the next, and how to write.

Imported only where a database is at an address `postgresql://...`: it needs psycopg, an extra.
"""

import os
import select
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from peewee import IntegrityError, OperationalError, Psycopg3Adapter
from playhouse.pool import PooledPostgresqlDatabase
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gateways.base import ConfigError
from kiosque.db.dialect import SchemaEditor
from kiosque.db.psycopg_values import DiscreetCursor, adapters, discreet

OLDEST = 15

#: The lock of those who write: an advisory lock of this number, in this database. Its queue is in
#: the order of arrival, and a session that ends releases it.
WRITERS = 0x4B494F53

#: A session so old is closed rather than kept.
KEPT_SECONDS = 300

#: Asked for as a session opens, then read back.
SESSION = {
    # What is acknowledged to the bank survives a power cut: never `off` nor `local`.
    "synchronous_commit": "on",
    # Each statement of a write sees what was committed before its turn came.
    "default_transaction_isolation": "read committed",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
}
#: Those are the server's to say.
ENCODINGS = {"server_encoding": "UTF8", "client_encoding": "UTF8"}
#: Without them a power cut may lose what was committed, or damage the database: for trials only.
DURABLE = {"fsync": "on", "full_page_writes": "on"}

#: What bounds a session on the server's side. A node that stops or is cut off inside a write, where
#: nothing waits, must not keep all others from writing. The last bounds what runs away.
LIMITS = {
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "statement_timeout": "60s",
}
#: And on ours: seconds to connect, as threads do it one at a time; a standby is not the database;
#: a link that is dead is known to be so.
LINK = {
    "connect_timeout": "2",
    "target_session_attrs": "read-write",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "kiosque",
}
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


class _Driver(Psycopg3Adapter):
    """psycopg 3, whose new sessions are checked, and whose kept ones are not asked anything."""

    def connect(self, db: Any, **params: Any) -> psycopg.Connection:
        connection: psycopg.Connection = super().connect(db, **params)  # type: ignore[no-untyped-call]
        try:
            db.check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def is_connection_closed(self, conn: psycopg.Connection) -> bool:
        """Close a session that its server has ended: it says nothing on one that goes on."""
        if not conn.closed:
            poll = select.poll()
            poll.register(conn.fileno(), select.POLLIN)
            if poll.poll(0):
                conn.close()
        return bool(conn.closed)


class Postgresql(PooledPostgresqlDatabase):
    """Each thread has its own session while it needs one; the others are kept by Peewee's pool."""

    psycopg3_adapter = _Driver
    location: str | None = None

    def __init__(self) -> None:
        self._wanted: dict[str, str] = {}
        super().__init__(None, max_connections=None, stale_timeout=KEPT_SECONDS)
        # In a child process, the sessions are its parent's.
        os.register_at_fork(after_in_child=self.dispose)

    def use(self, address: str, patience: float, *, durable: bool) -> None:
        """Say which database it is, how many seconds to wait for a lock, and whether it may lose
        what it has committed. Raises ConfigError, without the address: it may hold a password."""
        parameters = _parameters(address, patience)
        wanted = {**SESSION, **ENCODINGS, **(DURABLE if durable else {})}
        if (address, wanted) != (self.location, self._wanted):
            self.close_idle()
        self.location = address
        self._wanted = wanted
        self.connect_params.clear()
        name = parameters.pop("dbname", None) or parameters.get("user") or "postgres"
        self.init(
            name,
            prefer_psycopg3=True,
            autocommit=True,
            context=adapters(),
            cursor_factory=DiscreetCursor,
            **parameters,
        )

    def check(self, connection: psycopg.Connection) -> None:
        """Raise OperationalError unless a new session is as asked."""
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise OperationalError(f"PostgreSQL {version} : {OLDEST} ou plus est nécessaire")
        asked = ", ".join(f"current_setting('{name}')" for name in self._wanted)
        found = connection.execute(f"SELECT {asked}").fetchone() or ()
        for (name, wanted), value in zip(self._wanted.items(), found, strict=True):
            if value != wanted:
                raise OperationalError(f"{name} vaut {value}, il faut {wanted}")

    def release(self) -> None:
        """Give the session back to the pool, at the end of a request."""
        self.close()

    # --- Writing ---

    @contextmanager
    def writing(self, end: float) -> Iterator[None]:
        """Open a transaction that holds the write lock, waiting until the moment `end` for it."""
        with self.atomic():
            self.execute_sql(
                "SELECT set_config('lock_timeout', %s, true)",
                (_milliseconds(end - time.monotonic()),),
            )
            self.execute_sql("SELECT pg_advisory_xact_lock(%s)", (WRITERS,))
            yield

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """Hold the write lock over several transactions."""
        self.execute_sql(f"SET lock_timeout = '{_milliseconds(seconds)}'")
        try:
            self.execute_sql("SELECT pg_advisory_lock(%s)", (WRITERS,))
            try:
                yield
            finally:
                self.execute_sql("SELECT pg_advisory_unlock(%s)", (WRITERS,))
        finally:
            self.execute_sql("RESET lock_timeout")

    def execute_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run a statement for each row, one sent after the other without waiting for answers."""
        with _peewee_errors():
            self.cursor().executemany(statement.replace("%", "%%").replace("?", "%s"), rows)

    def copy_in(self, table: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """Put rows into a table, as fast as PostgreSQL takes them."""
        names = ", ".join(f'"{column}"' for column in columns)
        with (
            _peewee_errors(),
            discreet(),
            self.cursor().copy(f'COPY "{table}" ({names}) FROM STDIN') as copy,
        ):
            for row in rows:
                copy.write_row(tuple(row))

    # --- The whole database ---

    @contextmanager
    def snapshot(self) -> Iterator[str]:
        """Read the database as it is now for the block, however long; yield the name by which
        another session of the server reads the same."""
        with self.atomic():
            self.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                self.execute_sql(f"SET LOCAL {limit} = 0")
            ((name,),) = self.execute_sql("SELECT pg_export_snapshot()")
            yield name

    def others(self) -> int:
        """Return how many other sessions the site has on this database, from any machine."""
        ((count,),) = self.execute_sql(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = %s AND pid <> pg_backend_pid()",
            (LINK["application_name"],),
        )
        return int(count)

    def number_on(self, given: Mapping[str, int]) -> None:
        """Have the numbers that the database gives go on after those of the rows that are there,
        and after those `given` already, by table, though their rows are gone."""
        numbered = self.execute_sql(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND is_identity = 'YES'"
        )
        for table, column in numbered.fetchall():
            last = f"SELECT COALESCE(MAX({column}), 0) FROM {table}"  # noqa: S608  # names of ours
            self.execute_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "
                f"GREATEST(({last}), %s) + 1, false)",
                (given.get(table, 0),),
            )

    def erase(self) -> None:
        """Take off every table: a demonstration begins again."""
        with self.atomic():
            for table in self.get_tables():
                self.execute_sql(f'DROP TABLE "{table}" CASCADE')

    def schema_editor(self) -> SchemaEditor:
        """Return what runs the migrations: they are written in SQLite's words."""
        return SchemaEditor(self)

    def description(self) -> str:
        """Return its version and size, for a human."""
        ((version, size),) = self.execute_sql(
            "SELECT current_setting('server_version'), pg_database_size(current_database())"
        )
        megabytes = size / 1_000_000
        return f"PostgreSQL {version.partition(' ')[0]}, {megabytes:.0f}\u00a0Mo"

    def fault(self) -> str:
        """Say why nothing can be written, in French; empty when it can."""
        ((read_only,),) = self.execute_sql("SELECT current_setting('transaction_read_only')")
        return "base en lecture seule" if read_only == "on" else ""


@contextmanager
def _peewee_errors() -> Iterator[None]:
    """Raise psycopg's errors as Peewee's, for what is not run by Peewee."""
    try:
        yield
    except psycopg.IntegrityError as error:
        raise IntegrityError(str(error)) from error
    except psycopg.Error as error:
        raise OperationalError(str(error)) from error


def _parameters(address: str, patience: float) -> dict[str, Any]:
    """Return what to connect with: the address's own words, over ours."""
    given = _given(address)
    limits = {**LIMITS, "lock_timeout": f"{_milliseconds(patience)}ms"}
    asked = {**limits, **SESSION}.items()
    options = " ".join(_option(name, value) for name, value in asked)
    given["options"] = f"{given.get('options') or ''} {options}".strip()
    return {**LINK, "client_encoding": "UTF8", **given}


def _given(address: str) -> dict[str, Any]:
    """Return the words of an address; to another machine the link is encrypted, unless it says
    otherwise. Raises ConfigError, without the address: it may hold a password."""
    try:
        given: dict[str, Any] = conninfo_to_dict(address)
    except psycopg.Error:
        raise ConfigError(["database : adresse PostgreSQL incompréhensible"]) from None
    hosts = str(given.get("host") or "").split(",")
    if not all(host in _LOCAL or host.startswith("/") for host in hosts):
        given.setdefault("sslmode", "require")
    return given


def another(address: str, database: str) -> str:
    """Return the address of another database of the same server."""
    found: str = make_conninfo("", **{**_given(address), "dbname": database})
    return found


def for_programs(address: str, database: str = "") -> tuple[str, dict[str, str]]:
    """Return the address as PostgreSQL's own programs take it, and what to add to their
    environment: a password is never among their arguments, which every account may read. `database`
    names another one of that server."""
    given = _given(address)
    secret = {"PGPASSWORD": str(given.pop("password"))} if given.get("password") else {}
    return make_conninfo("", **given, **({"dbname": database} if database else {})), secret


def _option(name: str, value: str) -> str:
    escaped = value.replace(" ", "\\ ")
    return f"-c {name}={escaped}"


def _milliseconds(seconds: float) -> str:
    return str(max(int(seconds * 1000), 1))


postgresql = Postgresql()
