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
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase

from kiosque.db.dialect import SchemaEditor
from kiosque.db.postgresql_address import LINK, SESSION, milliseconds, parameters
from kiosque.db.psycopg_values import DiscreetCursor, adapters, discreet

OLDEST = 15

#: The number of the advisory lock that writers take, in this database. Its queue is in the order of
#: arrival, and a session that ends releases it.
WRITERS = 0x4B494F53

#: A session older than this is closed rather than kept.
KEPT_SECONDS = 300

#: How many sessions a process has at most, and how many seconds a thread waits for one: two workers
#: keep under the hundred that a server allows by default.
SESSIONS, SESSION_SECONDS = 44, 8

#: These two are decided by the server, and only checked here.
ENCODINGS = {"server_encoding": "UTF8", "client_encoding": "UTF8"}
#: Without them a power cut may lose what was committed, or damage the database: for trials only.
DURABLE = {"fsync": "on", "full_page_writes": "on"}


class _Driver(Psycopg3Adapter):
    """psycopg 3: check each new session; do not query a kept one before it serves again."""

    def connect(self, db: Any, **params: Any) -> psycopg.Connection:
        connection: psycopg.Connection = super().connect(db, **params)  # type: ignore[no-untyped-call]
        try:
            db.require_as_asked(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def is_connection_closed(self, conn: psycopg.Connection) -> bool:
        """Close a session that its server has ended: data to read on an idle session means that."""
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
        super().__init__(
            None,
            max_connections=SESSIONS,
            stale_timeout=KEPT_SECONDS,
            timeout=SESSION_SECONDS,
        )
        # In a child process, the sessions are its parent's.
        os.register_at_fork(after_in_child=self.dispose)

    def use(self, address: str, patience: float, *, durable: bool) -> None:
        """Set the database's address, how many seconds to wait for a lock, and whether commits must
        survive a power cut. Raises ConfigError, without the address: it may hold a password."""
        words = parameters(address, patience)
        wanted = {**SESSION, **ENCODINGS, **(DURABLE if durable else {})}
        if (address, wanted) != (self.location, self._wanted):
            self.close_idle()
        self.location = address
        self._wanted = wanted
        self.connect_params.clear()
        name = words.pop("dbname", None) or words.get("user") or "postgres"
        self.init(
            name,
            prefer_psycopg3=True,
            autocommit=True,
            context=adapters(),
            cursor_factory=DiscreetCursor,
            **words,
        )

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Raise OperationalError when no session is free in time."""
        try:
            return bool(super().connect(reuse_if_open))
        except MaxConnectionsExceeded:
            raise OperationalError("aucune session libre") from None

    def require_as_asked(self, connection: psycopg.Connection) -> None:
        """Raise OperationalError unless a new session has the settings that we asked for."""
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
                (milliseconds(end - time.monotonic()),),
            )
            self.execute_sql("SELECT pg_advisory_xact_lock(%s)", (WRITERS,))
            yield

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """Hold the write lock over several transactions."""
        self.execute_sql(f"SET lock_timeout = '{milliseconds(seconds)}'")
        try:
            self.execute_sql("SELECT pg_advisory_lock(%s)", (WRITERS,))
            try:
                yield
            finally:
                self.execute_sql("SELECT pg_advisory_unlock(%s)", (WRITERS,))
        finally:
            self.execute_sql("RESET lock_timeout")

    def execute_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run a statement for each row, without waiting for each answer before sending the next."""
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
        """Keep reading the database as it is now during the block, however long. Yield the name of
        the snapshot, by which another session of the server reads the same."""
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
        """Make each table's ids go on after its highest id, and after the one in `given`: by table,
        the highest ever given, whose row may be gone."""
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
        """Drop every table, to begin a demonstration again."""
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
    """Turn psycopg's errors into Peewee's, for calls that do not pass through Peewee."""
    try:
        yield
    except psycopg.IntegrityError as error:
        raise IntegrityError(str(error)) from error
    except psycopg.Error as error:
        raise OperationalError(str(error)) from error


postgresql = Postgresql()
