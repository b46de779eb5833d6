"""The database: its pragmas, its one way to write, its migrations."""

import fcntl
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import apsw
import pytest
from flask import Flask
from flask.testing import FlaskClient
from peewee import IntegrityError, OperationalError

from gateways.base import ConfigError
from kiosque import create_app, db
from kiosque.db import database, fields, models, transactions, write, write_lock
from kiosque.db.models import BaseModel, Family, Invoice, NumberedModel
from kiosque.db.write_lock import HeldLock, WriteLock
from kiosque.families import accounts, hashing
from kiosque.invoices import listing
from kiosque.mails import delivery
from kiosque.settings import Settings
from tests import fresh_databases, sentences
from tests.conftest import NOW, Clock, make_family
from tests.stage import Stage


@pytest.fixture(autouse=True)
def _quick_disk() -> None:
    """Here commits wait for the disk, as in production."""


def pragmas() -> list[object]:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    return [database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in names]


DURABLE = ["wal", 2, 1, 8000]


@fresh_databases.on_sqlite
def test_what_is_committed_survives_a_power_cut_and_references_are_kept(
    empty_database: None,
) -> None:
    assert pragmas() == DURABLE


@fresh_databases.on_sqlite
def test_so_it_does_in_another_file_and_once_back(empty_database: None, tmp_path: Path) -> None:
    location = database.location
    with db.elsewhere(tmp_path / "other.sqlite3"):
        assert database.location == tmp_path / "other.sqlite3"
        assert pragmas() == DURABLE
    with db.connection():
        assert database.location == location
        assert pragmas() == DURABLE


@fresh_databases.on_sqlite
def test_a_file_system_that_refuses_a_wal_is_said_so(settings: Settings) -> None:
    """Without it, SQLite goes on silently in another mode."""
    db.configure(settings.database_path)
    # Locks by files, as on some network shares: no shared memory, hence no WAL.
    without_wal = apsw.VFS("without-wal", base="unix-dotfile", makedefault=True)
    try:
        with (
            pytest.raises(OperationalError, match="journal_mode vaut delete, il faut wal"),
            db.connection(),
        ):
            pass
    finally:
        without_wal.unregister()
    assert database.is_closed()
    with db.connection():
        assert database.journal_mode == "wal"


@fresh_databases.on_sqlite
def test_an_old_sqlite_refuses_to_start(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert apsw.sqlite_lib_version().startswith("3.")
    monkeypatch.setattr(database.obj, "server_version", (3, 51, 2))
    with pytest.raises(ConfigError, match=r"SQLite 3\.51\.2 .* 3\.51\.3 ou plus"):
        db.configure(settings.database_path)
    with pytest.raises(SystemExit):
        create_app(settings)
    assert f"SQLite 3.51.2 {sentences.HARMFUL_SQLITE}" in capsys.readouterr().err
    monkeypatch.setattr(database.obj, "server_version", (3, 51, 3))
    db.configure(settings.database_path)


@fresh_databases.on_sqlite
def test_a_word_misspelt_in_a_query_is_an_error_not_a_text(empty_database: None) -> None:
    with pytest.raises(OperationalError, match="no such column"):
        database.execute_sql('SELECT "stat" FROM invoice')


@fresh_databases.on_sqlite
def test_the_database_cannot_be_damaged_through_sql(empty_database: None) -> None:
    database.execute_sql("PRAGMA writable_schema = on")
    with pytest.raises(OperationalError, match="may not be modified"):
        database.execute_sql("DELETE FROM sqlite_master")


@fresh_databases.on_sqlite
def test_a_query_is_compiled_once_whatever_is_bound_to_it(
    alices_family: Family, charlies_family: Family, october: Invoice
) -> None:
    compiled: list[int] = []

    def authorize(action: int, *_details: object) -> int:
        compiled.append(action)
        return apsw.SQLITE_OK

    database.connection().authorizer = authorize
    found = [listing.unpaid(each) for each in (alices_family, charlies_family)]
    once = len(compiled)
    assert once
    found += [listing.unpaid(each) for each in (alices_family, charlies_family)]
    database.connection().authorizer = None
    assert [len(each) for each in found] == [1, 0, 1, 0]
    assert len(compiled) == once


@fresh_databases.on_sqlite
def test_dates_are_kept_as_text_and_what_sqlite_does_not_know_is_refused(
    empty_database: None,
) -> None:
    ask = "SELECT ?"
    assert database.execute_sql(ask, (date(2026, 11, 24),)).fetchone() == ("2026-11-24",)
    with pytest.raises(TypeError, match="no way to keep a timedelta"):
        database.execute_sql(ask, (timedelta(1),))


def test_writing_inside_a_transaction_is_an_error_not_a_savepoint(empty_database: None) -> None:
    with write(), pytest.raises(RuntimeError, match="outermost"), write():
        pass
    with database.atomic(), pytest.raises(RuntimeError, match="outermost"), write():
        pass


@fresh_databases.on_sqlite
def test_a_write_holds_the_database_from_its_first_moment(
    empty_database: None, settings: Settings
) -> None:
    """Else two requests would read the same state before either writes."""
    with closing(apsw.Connection(str(settings.database_path))) as other:
        with write(), pytest.raises(apsw.BusyError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


@fresh_databases.on_sqlite
def test_writers_queue_instead_of_trying_again_at_random(
    empty_database: None, settings: Settings
) -> None:
    with Path(f"{settings.database_path}.lock").open("a") as other:
        with write(), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@fresh_databases.on_sqlite
def test_a_write_waits_for_its_turn_no_longer_than_a_bank_for_us(
    empty_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_lock.PATIENCE_SECONDS < 10
    with Path(f"{settings.database_path}.lock").open("a") as other, monkeypatch.context() as patch:
        patch.setattr(write_lock, "PATIENCE_SECONDS", 0.01)
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OperationalError, match=sentences.WITHOUT_END), write():
            pass
    with write():
        pass


@fresh_databases.on_sqlite
def test_the_wait_for_the_turn_and_for_the_database_are_one(
    empty_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a write could wait eight seconds twice, and the bank would have left."""
    moment = 1000.0
    waits: list[int] = []

    def begin_slowly(seconds: float) -> HeldLock:
        nonlocal moment
        moment += 5
        return WriteLock(settings.data / "another.lock").acquire(seconds)

    monkeypatch.setattr(transactions.time, "monotonic", lambda: moment)
    lock = write_lock.write_lock(f"{settings.database_path}.lock")
    monkeypatch.setattr(lock, "acquire", begin_slowly)
    with write():
        waits.append(database.pragma("busy_timeout"))
    waits.append(database.pragma("busy_timeout"))
    assert waits == [3000, 8000]


@fresh_databases.on_sqlite
def test_where_no_lock_can_be_made_the_database_cannot_be_written(settings: Settings) -> None:
    db.configure(settings.data / "gone" / "kiosque.sqlite3")
    (settings.data / "gone").rmdir()
    with (
        pytest.raises(OperationalError, match=f"{sentences.LOCK_OF_WRITERS} "),
        write(),
    ):
        pass


# --- Nothing slow inside a write ---


def test_no_password_is_hashed_nor_verified_inside_a_write(alices_family: Family) -> None:
    steps = (
        lambda: accounts.issue_password(alices_family, must_change=False),
        hashing.unknowable_hash,
        lambda: accounts.authenticate("F1001", "une phrase assez longue"),
        lambda: accounts.verify_password(accounts.account_of(alices_family), "une autre phrase"),
    )
    for step in steps:
        step()  # outside, it is done
        with write(), pytest.raises(RuntimeError, match="no network nor hashing"):
            step()


def test_no_mail_leaves_inside_a_write(empty_database: None, settings: Settings) -> None:
    assert delivery.deliver(settings) == (0, 0)
    with write(), pytest.raises(RuntimeError, match="no network nor hashing"):
        delivery.deliver(settings)


def test_no_payment_is_opened_at_the_bank_inside_a_write(
    pay: Callable[..., object], alices_family: Family, october: Invoice
) -> None:
    with write(), pytest.raises(RuntimeError, match="no network nor hashing"):
        pay(alices_family, october)
    pay(alices_family, october)


def test_no_connection_is_made_inside_a_write_by_any_test(empty_database: None) -> None:
    """`conftest` watches over the whole suite; this is its own proof."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        with write(), pytest.raises(AssertionError, match="inside write"):
            client.connect(server.getsockname())
        client.connect(server.getsockname())


def test_a_failed_write_leaves_nothing(empty_database: None, frozen: Clock) -> None:
    with pytest.raises(ZeroDivisionError), write():
        make_family("F1", "Martin")
        raise ZeroDivisionError
    assert Family.select().count() == 0


def test_a_step_of_a_write_outside_one_is_an_error(empty_database: None) -> None:
    with pytest.raises(RuntimeError, match="inside"):
        db.require_write()


def test_the_models_are_what_the_migrations_made(empty_database: None) -> None:
    tables = [cls for cls in models.__dict__.values() if isinstance(cls, type)]
    tables = [
        cls
        for cls in tables
        if issubclass(cls, BaseModel) and cls not in (BaseModel, NumberedModel)
    ]
    existing = set(database.get_tables()) - {"schema_migration", "sqlite_sequence"}
    assert {cls._meta.table_name for cls in tables} == existing
    for cls in tables:
        columns = {column.name: column for column in database.get_columns(cls._meta.table_name)}
        fields = {field.column_name: field for field in cls._meta.sorted_fields}
        assert fields.keys() == columns.keys(), cls
        for name, field in fields.items():
            if not columns[name].primary_key:
                assert bool(field.null) == columns[name].null, (cls, name)


def test_migrating_again_does_nothing(empty_database: None) -> None:
    assert db.pending_migrations() == []
    assert db.migrate() == []


@pytest.mark.parametrize("table", ["journal_entry", "bank_message", "fact", "receipt", "revenue"])
@pytest.mark.parametrize("action", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_what_proves_the_accounts_can_be_neither_changed_nor_erased(
    stage: Stage, table: str, action: str
) -> None:
    column = database.get_columns(table)[0].name
    assert database.execute_sql(f"SELECT COUNT(*) FROM {table}").fetchone() > (0,)
    with pytest.raises(IntegrityError, match="append-only"):
        database.execute_sql(action.format(table, column))


def test_instants_are_kept_in_utc_and_come_back_aware(empty_database: None) -> None:
    field = fields.UtcDateTimeField()
    stored = field.db_value(NOW)
    assert stored == "2026-11-24T19:30:00.000000Z"
    assert field.python_value(stored) == NOW
    assert field.python_value(stored).tzinfo is not None


def test_a_threads_connection_serves_its_next_request(stranger: FlaskClient) -> None:
    stranger.get("/sante")
    first = database.connection()
    stranger.get("/sante")
    assert database.connection() is first


@fresh_databases.on_sqlite
def test_one_that_still_reads_is_not_kept(app: Flask, empty_database: None) -> None:
    """It would go on seeing the database as it was when it began to read."""
    make_family("F1", "Martin")
    make_family("F2", "Martin")
    unfinished = []

    @app.get("/essai")
    def leave_open() -> str:
        cursor = database.execute_sql("SELECT code FROM family")
        next(cursor)
        unfinished.append(cursor)
        return ""

    first = database.connection()
    app.test_client().get("/essai")
    assert database.is_closed()
    assert database.connection() is not first
    assert Family.select().count() == 2


@fresh_databases.on_sqlite
def test_one_upon_which_the_database_failed_is_not_kept(app: Flask, empty_database: None) -> None:
    @app.get("/essai")
    def fail() -> str:
        raise OperationalError("disk I/O error")

    first = database.connection()
    assert app.test_client().get("/essai").status_code == 503
    assert database.connection() is not first


def test_a_postgresql_without_its_driver_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kiosque.db.postgresql", None)
    with pytest.raises(ConfigError) as refused:
        db.configure("postgresql://u:tr3s-secret@/base")
    (fault,) = refused.value.faults
    assert fault.startswith(f"database : {sentences.PSYCOPG_WANTED}")
    assert "pip install -r requirements-postgresql.txt" in fault
