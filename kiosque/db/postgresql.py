"""PostgreSQL: its sessions, kept from one request to the next, and the line of those who write.

Imported only where a base is at an address `postgresql://...`. What the base holds is the same as
in SQLite, value for value: instants and dates are text that sorts by its bytes, flags are 0 or 1.
So one set of queries serves both, and an entry of the journal has one hash.
"""

import os
import select
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from peewee import (  # type: ignore[attr-defined]  # what no stub names
    EXCEPTIONS,
    OperationalError,
    PostgresqlDatabase,
    Psycopg3Adapter,
    __exception_wrapper__,
)
from psycopg.adapt import AdaptersMap, Buffer, Dumper, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumperUnknown

from gateways.base import ConfigError
from kiosque.db.dialect import SchemaEditor
from kiosque.db.fields import to_text
from kiosque.db.sql import QuickContext

OLDEST = 15

#: The line of those who write: the lock of this number, of this base. Its queue is in the order
#: of arrival, and a session that ends gives it back.
WRITERS = 0x4B494F53

#: A session of which nobody has had use for so long is closed.
IDLE_SECONDS = 300.0

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
#: Without them a power cut may lose what was committed, or damage the base: for trials only.
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
#: And on ours: seconds to connect, a standby is not the base, a link that is dead is known so.
LINK = {
    "connect_timeout": "3",
    "target_session_attrs": "read-write",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "kiosque",
}
_LOCAL = ("", "localhost", "127.0.0.1", "::1")

# Said of a base not made yet, a session ended by LIMITS, a server that has become a standby: the
# base does not answer, as SQLite says it. (Peewee would call them faults of ours.)
EXCEPTIONS.update(
    UndefinedTable=OperationalError,
    IdleInTransactionSessionTimeout=OperationalError,
    ReadOnlySqlTransaction=OperationalError,
)


class _Flag(Dumper):
    """True and False, as 1 and 0."""

    oid = psycopg.postgres.types["int4"].oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class _Day(Dumper):
    """Send a day or an instant as the text that the database keeps."""

    def dump(self, obj: date) -> bytes:
        return to_text(obj).encode()


class _Text(StrDumperUnknown):
    """A text. PostgreSQL keeps no NUL: it is shown as what cannot be shown, and equals nothing."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class _Sum(Loader):
    """A sum of whole numbers, which PostgreSQL gives without bounds."""

    def load(self, data: Buffer) -> int | Decimal:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    for kind, dumper in ((bool, _Flag), (date, _Day), (datetime, _Day), (str, _Text)):
        adapters.register_dumper(kind, dumper)
    adapters.register_loader("numeric", _Sum)
    return adapters


@contextmanager
def _discreet() -> Iterator[None]:
    """An error's own sentence only: what PostgreSQL adds to it shows the row, to whatever logs."""
    try:
        yield
    except psycopg.Error as error:
        if error.diag.message_primary:
            error.args = (error.diag.message_primary,)
        raise


class _Cursor(psycopg.Cursor[Any]):
    def execute(self, *args: Any, **kwargs: Any) -> "_Cursor":
        with _discreet():
            super().execute(*args, **kwargs)
        return self

    def executemany(self, *args: Any, **kwargs: Any) -> None:
        with _discreet():
            super().executemany(*args, **kwargs)


class _Driver(Psycopg3Adapter):
    """psycopg 3. Peewee was imported without it (`peewee_alone`)."""

    txn_idle = TransactionStatus.IDLE
    txn_inerror = TransactionStatus.INERROR
    txn_unknown = TransactionStatus.UNKNOWN

    def check_driver(self) -> None:
        pass

    def connect(self, db: Any, **_params: Any) -> psycopg.Connection:
        connection: psycopg.Connection = db.open_session()
        return connection


class Base(PostgresqlDatabase):
    """Each thread has its own session while it needs one; those that nobody needs are kept."""

    psycopg2_adapter = psycopg3_adapter = _Driver
    context_class = QuickContext
    location: str | None = None

    def __init__(self) -> None:
        self._idle: deque[tuple[float, psycopg.Connection]] = deque()
        self._address: dict[str, Any] = {}
        self._wanted: dict[str, str] = {}
        self._adapters = _adapters()
        super().__init__(None)
        # Peewee connects one thread at a time: while a server does not answer, each would wait for
        # all before it. What it guards is each thread's own, and `deque` guards itself.
        self._lock = nullcontext()
        os.register_at_fork(after_in_child=self.forget)

    def use(self, address: str, patience: float, *, durable: bool) -> None:
        """Say which base it is, how many seconds to wait for a lock, and whether it may lose what
        it has committed. Raises ConfigError, without the address: it may hold a password."""
        parameters = _parameters(address, patience)
        if parameters != self._address or durable != ("fsync" in self._wanted):
            self.close_idle()
        self.location = address
        self._address = parameters
        self._wanted = {**SESSION, **ENCODINGS, **(DURABLE if durable else {})}
        self.init(self._address.get("dbname") or self._address.get("user") or "postgres")

    # --- Sessions ---

    def open_session(self) -> psycopg.Connection:
        """A session that is as asked. Raises psycopg's errors, or peewee's OperationalError."""
        connection = psycopg.connect(
            **self._address, autocommit=True, context=self._adapters, cursor_factory=_Cursor
        )
        try:
            self._check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: psycopg.Connection) -> None:
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise OperationalError(f"PostgreSQL {version} : {OLDEST} ou plus est nécessaire")
        asked = ", ".join(f"current_setting('{name}')" for name in self._wanted)
        found = connection.execute(f"SELECT {asked}").fetchone() or ()
        for (name, wanted), value in zip(self._wanted.items(), found, strict=True):
            if value != wanted:
                raise OperationalError(f"{name} vaut {value}, il faut {wanted}")

    def _connect(self) -> psycopg.Connection:
        """A session kept, if its server has not ended it, or else a new one."""
        while True:
            try:
                _, connection = self._idle.pop()
            except IndexError:
                return super()._connect()  # type: ignore[misc, no-any-return]
            if _is_alive(connection):
                return connection
            connection.close()

    def _close(self, connection: psycopg.Connection) -> None:
        """Keep the session for the next who needs one, unless something is amiss with it."""
        if connection.info.transaction_status != TransactionStatus.IDLE:
            connection.close()
            return
        now = time.monotonic()
        self._idle.append((now, connection))
        with suppress(IndexError):  # another thread may have emptied it
            while self._idle[0][0] < now - IDLE_SECONDS:
                self._idle.popleft()[1].close()

    def release(self) -> None:
        """Give the session back: whoever needs one next looks whether it is still there."""
        self.close()

    def close_idle(self) -> None:
        """End the sessions that nobody uses."""
        with suppress(IndexError):
            while True:
                self._idle.pop()[1].close()

    def forget(self) -> None:
        """In a child process: the sessions are the parent's."""
        self._idle.clear()
        self._state.reset()  # type: ignore[attr-defined]

    # --- Writing ---

    @contextmanager
    def writing(self, end: float) -> Iterator[None]:
        """A transaction that begins by waiting for its turn, until the moment `end`."""
        with self.atomic(end):
            yield

    def begin(self, end: float | None = None) -> None:  # type: ignore[override]
        """Begin a transaction; with `end`, the moment until which to wait, one that writes."""
        connection = self.connection()
        statement = "BEGIN"
        if end is not None:
            left = max(int((end - time.monotonic()) * 1000), 1)
            statement += (
                f"; SET LOCAL lock_timeout = {left}; SELECT pg_advisory_xact_lock({WRITERS})"
            )
        try:
            with __exception_wrapper__:
                connection.execute(statement, prepare=False)
        except BaseException:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """Hold the turn of those who write over several transactions."""
        self.execute_sql(f"SET lock_timeout = {max(int(seconds * 1000), 1)}")
        try:
            self.execute_sql("SELECT pg_advisory_lock(%s)", (WRITERS,))
            try:
                yield
            finally:
                self.execute_sql("SELECT pg_advisory_unlock(%s)", (WRITERS,))
        finally:
            self.execute_sql("RESET lock_timeout")

    def execute_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Sent one after the other without waiting for each answer."""
        with __exception_wrapper__:
            self.cursor().executemany(statement.replace("%", "%%").replace("?", "%s"), rows)

    def copy_in(self, table: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """Put rows into a table, as fast as PostgreSQL takes them."""
        names = ", ".join(f'"{column}"' for column in columns)
        with (
            __exception_wrapper__,
            _discreet(),
            self.cursor().copy(f'COPY "{table}" ({names}) FROM STDIN') as copy,
        ):
            for row in rows:
                copy.write_row(tuple(row))

    def number_on(self, given: Mapping[str, int]) -> None:
        """Have the numbers that the base gives go on after those of the rows that are there, and
        after those `given` already, by table, though their rows are gone."""
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
        """What runs the migrations: they are written in SQLite's words."""
        return SchemaEditor(self)

    def description(self) -> str:
        """Its version and size, for a human."""
        ((version, size),) = self.execute_sql(
            "SELECT current_setting('server_version'), pg_database_size(current_database())"
        )
        megabytes = size / 1_000_000
        return f"PostgreSQL {version.partition(' ')[0]}, {megabytes:.0f}\u00a0Mo"

    def fault(self) -> str:
        """Why nothing can be written, in French; empty when it can."""
        ((read_only,),) = self.execute_sql("SELECT current_setting('transaction_read_only')")
        return "base en lecture seule" if read_only == "on" else ""


def _is_alive(connection: psycopg.Connection) -> bool:
    """Whether the server has left the session open: it says nothing on one that it has not
    ended. Asks it nothing."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _parameters(address: str, patience: float) -> dict[str, Any]:
    """What to connect with: the address's own words, over ours."""
    try:
        given = conninfo_to_dict(address)
    except psycopg.Error:
        raise ConfigError(["database : adresse PostgreSQL incompréhensible"]) from None
    limits = {**LIMITS, "lock_timeout": f"{max(int(patience * 1000), 1)}ms"}
    asked = {**limits, **SESSION}.items()
    options = " ".join(_option(name, value) for name, value in asked)
    given["options"] = f"{given.get('options') or ''} {options}".strip()
    hosts = str(given.get("host") or "").split(",")
    if not all(host in _LOCAL or host.startswith("/") for host in hosts):
        given.setdefault("sslmode", "require")
    return {**LINK, "client_encoding": "UTF8", **given}


def _option(name: str, value: str) -> str:
    escaped = value.replace(" ", "\\ ")
    return f"-c {name}={escaped}"


base = Base()
