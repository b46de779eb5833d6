"""PostgreSQL: what it is asked for, the line of those who write, sessions that end, one schema."""

import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from peewee import IntegrityError, OperationalError

from gateways.base import ConfigError, Handoff
from kiosque import db, demo
from kiosque.checkup import database as checked
from kiosque.checkup.findings import Level, Result
from kiosque.checkup.installation import survey
from kiosque.db import database, write, write_lock
from kiosque.db.dialect import translate
from kiosque.db.models import Attempt, Family, Invoice, Lease, Session
from kiosque.families import hashing
from kiosque.payments import journal
from tests import fresh_databases, sentences
from tests.bank import notice
from tests.conftest import NOW, make_family
from tests.installation import SETTINGS
from tests.threads import at_once

pytestmark = fresh_databases.on_postgresql

NOTIFY = "/paiement/notification/banque"


@contextmanager
def another_session() -> Iterator[Any]:
    """Somebody else, who does what they like in the test's database."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(database.location, autocommit=True) as session:
        yield session


def sessions(session: Any) -> int:
    """How many sessions of ours the database has, this one apart."""
    count: int = session.execute(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'kiosque'"
    ).fetchone()[0]
    return count


def end_sessions(session: Any) -> None:
    """End every session, as a server that stops does."""
    session.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'kiosque'"
    )


# --- A session ---


def test_a_session_is_as_asked_whatever_the_databases_own_habits(empty_database: None) -> None:
    with another_session() as other:
        (name,) = other.execute("SELECT current_database()").fetchone()
        for habit in (
            "synchronous_commit = off",
            "timezone = 'Europe/Paris'",
            "default_transaction_isolation = 'serializable'",
        ):
            other.execute(f"ALTER DATABASE {name} SET {habit}")
    database.close()
    database.close_idle()
    asked = ("synchronous_commit", "timezone", "transaction_isolation", "lock_timeout")
    found = [database.execute_sql(f"SHOW {each}").fetchone()[0] for each in asked]
    assert found == ["on", "UTC", "read committed", "8s"]
    with another_session() as other:
        other.execute(f"ALTER DATABASE {name} RESET ALL")


@pytest.mark.parametrize(
    ("name", "wanted", "words"),
    [
        ("TimeZone", "Europe/Paris", "TimeZone vaut UTC, il faut Europe/Paris"),
        ("server_encoding", "LATIN9", "server_encoding vaut UTF8, il faut LATIN9"),
    ],
)
def test_a_session_that_is_not_as_asked_is_said_so(
    empty_database: None, monkeypatch: pytest.MonkeyPatch, name: str, wanted: str, words: str
) -> None:
    database.close()
    database.close_idle()
    monkeypatch.setitem(database._wanted, name, wanted)
    with pytest.raises(OperationalError, match=words):
        database.connect()
    assert database.is_closed()


def test_production_refuses_a_server_that_may_lose_what_it_has_committed(
    empty_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiosque.db import postgresql  # noqa: PLC0415

    location, fsync = database.location, database.execute_sql("SHOW fsync").fetchone()[0]
    monkeypatch.setitem(postgresql.DURABLE, "fsync", "off" if fsync == "on" else "on")
    db.configure(location, durable=True)
    with pytest.raises(OperationalError, match="fsync vaut"):
        database.connect()
    db.configure(location)
    database.connect()


def test_another_database_must_be_as_durable_as_this_one(
    empty_database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup is read, and a restoration written, on a database named for a while."""
    from kiosque.db import postgresql  # noqa: PLC0415

    location, fsync = database.location, database.execute_sql("SHOW fsync").fetchone()[0]
    monkeypatch.setitem(postgresql.DURABLE, "fsync", "off" if fsync == "on" else "on")
    with fresh_databases.bare(tmp_path) as other:
        with db.elsewhere(other):
            assert database.execute_sql("SHOW synchronous_commit").fetchone() == ("on",)
        db.configure(location, durable=True)
        with pytest.raises(OperationalError, match="fsync vaut"), db.elsewhere(other):
            pass
        with pytest.raises(OperationalError, match="fsync vaut"):  # asked of the first one still
            database.connect()
        db.configure(location)
        database.connect()


def test_an_old_server_is_refused_in_french(
    empty_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosque.db.postgresql.OLDEST", 999)
    database.close()
    database.close_idle()
    with pytest.raises(OperationalError, match=f"PostgreSQL .* : 999 {sentences.TOO_OLD}"):
        database.connect()


def test_an_address_that_makes_no_sense_is_named_without_being_said(settings: object) -> None:
    with pytest.raises(ConfigError) as refused:
        db.configure("postgresql://u:tr3s-secret@/base?sslmod=x")
    assert refused.value.faults == [f"database : {sentences.BAD_POSTGRESQL_ADDRESS}"]
    assert refused.value.__suppress_context__  # libpq's own words repeat it


def test_a_link_to_another_machine_is_encrypted_unless_said_otherwise() -> None:
    from kiosque.db.postgresql_address import parameters  # noqa: PLC0415

    modes = {
        address: parameters(f"postgresql://{address}", 8.0).get("sslmode")
        for address in ("/b", "u@localhost/b", "/b?host=/run/postgresql", "u@db.example.org/b",
                        "u@db.example.org/b?sslmode=disable")
    }  # fmt: skip
    assert list(modes.values()) == [None, None, None, "require", "disable"]


def test_sessions_are_kept_for_the_next_request_and_no_more_than_needed(
    empty_database: None, stranger: FlaskClient
) -> None:
    database.close()
    database.close_idle()
    with another_session() as other:
        for _ in range(5):
            assert stranger.get("/sante").status_code == 200
        assert sessions(other) == 1
        at_once(*[lambda: stranger.get("/sante")] * 4)
        assert 1 <= sessions(other) <= 5


def test_a_session_that_is_old_is_closed_rather_than_kept(
    empty_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.close()
    database.close_idle()
    database.connect()
    ended = database.connection()
    monkeypatch.setattr(database.obj, "_stale_timeout", -1)
    database.close()
    assert ended.closed


def test_sessions_are_few_and_a_thread_waits_for_one_a_moment_only(
    empty_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database.obj, "_max_connections", 1)
    monkeypatch.setattr(database.obj, "_wait_timeout", 0.05)
    answers: list[object] = []

    def count() -> None:
        try:
            answers.append(Family.select().count())
        except OperationalError as error:
            answers.append(str(error))
        finally:
            database.close()

    # What the tests before left in the pool is taken without being counted.
    database.close()
    database.close_idle()
    database.connect()
    at_once(count)
    database.close()
    at_once(count)
    assert answers == ["aucune session libre", 0]


def test_who_waits_for_a_password_to_be_hashed_holds_no_session(empty_database: None) -> None:
    assert Family.select().count() == 0
    with hashing.strangers.enter():
        assert database.is_closed()
    assert Family.select().count() == 0


def test_a_server_that_stopped_and_is_back_is_worked_with_again(
    empty_database: None, stranger: FlaskClient
) -> None:
    """Between two requests nobody notices."""
    assert stranger.get("/sante").status_code == 200
    with another_session() as other:
        end_sessions(other)
    assert stranger.get("/sante").status_code == 200


def test_a_server_that_stops_inside_a_write_costs_one_503_and_nothing_by_half(
    stranger: FlaskClient,
    pay: Callable[..., tuple[Attempt, Handoff]],
    alices_family: Family,
    october: Invoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, handoff = pay(alices_family, october)
    append = journal.append

    def stop_first(*args: Any, **kwargs: Any) -> None:
        with another_session() as other:
            end_sessions(other)
        append(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "append", stop_first)
        assert stranger.post(NOTIFY, data=notice(handoff)).status_code == 503
    database.close()
    assert Invoice.get().state == "open"
    assert stranger.post(NOTIFY, data=notice(handoff)).status_code == 200
    assert Invoice.get().state == "paid"
    assert journal.last()[0] == 1


def test_a_server_that_is_not_there_is_a_503_at_once(
    empty_database: None, stranger: FlaskClient, settings: Any
) -> None:
    here = database.location
    db.configure("postgresql://u@127.0.0.1:1/base")
    assert stranger.get("/sante").status_code == 503
    db.configure(here)
    assert stranger.get("/sante").status_code == 200


# --- Writing ---


def test_writers_have_their_turns_in_the_order_of_arrival(empty_database: None) -> None:
    served: list[int] = []

    def wait(number: int) -> None:
        with db.connection(), write():
            served.append(number)

    def waiting(other: Any) -> int:
        count: int = other.execute(
            "SELECT COUNT(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
            "WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
        ).fetchone()[0]
        return count

    with another_session() as other:
        with write():
            threads = []
            for number in range(6):
                threads.append(threading.Thread(target=wait, args=(number,)))
                threads[-1].start()
                while waiting(other) <= number:
                    pass
        for thread in threads:
            thread.join()
    assert served == list(range(6))


def test_a_write_waits_for_its_turn_no_longer_than_a_bank_for_us(
    empty_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_lock, "PATIENCE_SECONDS", 0.05)
    before = time.monotonic()
    with fresh_databases.locked(), pytest.raises(OperationalError), write():
        pass
    assert time.monotonic() - before < 8
    monkeypatch.undo()
    with write():
        make_family("F1", "Martin")


def test_a_row_that_another_program_holds_is_waited_for_no_longer_either(
    alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_lock, "PATIENCE_SECONDS", 0.05)
    with another_session() as other, other.transaction():
        other.execute("UPDATE family SET name = 'Durand'")
        with pytest.raises(OperationalError), write():
            Family.update(name="Petit").execute()
    assert Family.get().name == "Durand"


def test_what_was_committed_before_ones_turn_is_seen(empty_database: None) -> None:
    """Else two requests would number the same entry of the journal."""
    seen: list[int] = []

    def count() -> None:
        with db.connection(), write():
            seen.append(Family.select().count())

    with write():
        thread = threading.Thread(target=count)
        thread.start()
        with another_session() as other:
            while not other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                pass
        make_family("F1", "Martin")
    thread.join()
    assert seen == [1]


def test_a_forked_process_leaves_its_parents_sessions_alone(empty_database: None) -> None:
    assert Family.select().count() == 0
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if database.is_closed() and Family.select().count() == 0 else 1)
        except BaseException:  # noqa: BLE001  # not the tests' own process
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert Family.select().count() == 0


# --- What is kept ---


def test_what_proves_the_accounts_cannot_be_truncated_either(empty_database: None) -> None:
    for table in ("journal_entry", "bank_message", "fact", "receipt"):
        with pytest.raises(IntegrityError, match="append-only"):
            database.execute_sql(f"TRUNCATE {table} CASCADE")


def test_an_error_shows_nothing_of_the_row(empty_database: None) -> None:
    make_family("F1", "Martin")
    with pytest.raises(IntegrityError) as refused:
        make_family("F1", "tr3s-secret")
    told = "".join(traceback.format_exception(refused.value))
    assert "family_code_key" in told
    assert "DETAIL" not in told
    assert "Failing row" not in told


def test_values_come_back_as_they_do_from_sqlite(empty_database: None) -> None:
    family = make_family("F1", "Œuvrard-Ñandú")
    row = Family.get()
    assert (row.wants_mail, row.updated_on) == (True, date(2026, 11, 5))
    assert database.execute_sql("SELECT wants_mail, updated_on FROM family").fetchone() == (
        1,
        "2026-11-05",
    )
    total = database.execute_sql("SELECT SUM(id), AVG(id) FROM family").fetchone()
    assert total[0] == family.id
    assert type(total[0]) is int
    assert total[1] == family.id


def test_names_sort_by_their_letters_codes_as_in_sqlite(empty_database: None) -> None:
    for code in ("b", "A", "é", "a", "Z", "_"):
        make_family(code, code)
    codes = [family.code for family in Family.select().order_by(Family.code)]
    assert codes == sorted(codes)


def test_a_nul_is_kept_as_what_cannot_be_shown_and_finds_nothing(empty_database: None) -> None:
    make_family("F1\0", "x")
    assert Family.get().code == "F1\ufffd"
    assert not Session.select().where(Session.digest == "\0").exists()
    Lease.create(name="x", holder="h", expires_at=NOW, started_at=NOW)


# --- One schema ---


def described() -> dict[str, Any]:
    """Return what the database is made of: columns, uniqueness, references."""
    found: dict[str, Any] = {}
    for table in sorted(set(database.get_tables()) - {"schema_migration", "sqlite_sequence"}):
        columns = {
            (column.name, column.null and not column.primary_key, column.primary_key)
            for column in database.get_columns(table)
        }
        keys = set(database.get_primary_keys(table))
        unique = {
            tuple(index.columns)
            for index in database.get_indexes(table)
            if index.unique and set(index.columns) != keys
        }
        plain = {index.name for index in database.get_indexes(table) if not index.unique}
        references = {(key.column, key.dest_table) for key in database.get_foreign_keys(table)}
        found[table] = (columns, unique, plain, references)
    return found


def conditions() -> dict[str, int]:
    """How many CHECKs, partial indexes and triggers that keep a table from changes."""
    if isinstance(database.location, str):
        counts = (
            "SELECT COUNT(*) FROM pg_constraint WHERE contype = 'c'"
            " AND connamespace = 'public'::regnamespace",
            "SELECT COUNT(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indpred IS NOT NULL AND relnamespace = 'public'::regnamespace",
            "SELECT COUNT(*) FROM pg_trigger WHERE NOT tgisinternal"
            " AND tgname NOT LIKE '%%_no_truncate'",
        )
        return dict(enumerate(database.execute_sql(sql).fetchone()[0] for sql in counts))
    rows = list(database.execute_sql("SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {
        0: sum(sql.count("CHECK (") for kind, sql in rows if kind == "table"),
        1: sum(" WHERE " in sql for kind, sql in rows if kind == "index"),
        2: sum(kind == "trigger" for kind, sql in rows),
    }


def test_both_databases_are_made_of_the_same(empty_database: None) -> None:
    ours, rules = described(), conditions()
    with db.elsewhere(fresh_databases.template()):
        assert described() == ours
        assert conditions() == rules


def test_a_migration_is_translated_only_where_words_differ() -> None:
    assert translate("CREATE TABLE x (\n number INTEGER PRIMARY KEY,\n a TEXT\n) STRICT") == (
        'CREATE TABLE x (\n number bigint PRIMARY KEY,\n a text COLLATE "C"\n)'
    )
    kept = "UPDATE x SET a = 'INTEGER TEXT' WHERE b = 1"
    assert translate(kept) == kept


def test_a_demonstration_that_is_erased_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kiosque.toml"
    path.write_text(SETTINGS.replace('"test"', '"demo"', 1), encoding="utf-8")
    with fresh_databases.bare(tmp_path) as location, db.elsewhere(location):
        db.migrate()
        make_family("F1", "Martin")
        monkeypatch.setenv("KIOSQUE_DATA", str(tmp_path))
        monkeypatch.setenv("KIOSQUE_DATABASE", str(location))
        demo.reset()
        assert database.get_tables() == []
        assert not path.exists()
        assert db.migrate()


def test_two_who_migrate_at_once_do_it_once(tmp_path: Path) -> None:
    with fresh_databases.bare(tmp_path) as location, db.elsewhere(location):
        done: list[list[str]] = []

        def migrate() -> None:
            with db.connection():
                done.append(db.migrate())

        threads = [threading.Thread(target=migrate) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(len, done)) == [0, len(database.execute_sql(
            "SELECT name FROM schema_migration").fetchall())]  # fmt: skip


# --- `app.py check` ---


def test_check_looks_at_the_server_as_it_would_at_a_file(
    empty_database: None, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "kiosque.toml").write_text(SETTINGS, encoding="utf-8")
    environ = {"KIOSQUE_DATA": str(tmp_path), "KIOSQUE_DATABASE": settings.database}
    seen = checked.check_database(survey(environ))
    assert seen.level == Level.GOOD, seen
    assert seen.detail.startswith("PostgreSQL 1"), seen
    assert checked.check_books(survey(environ)).level == Level.GOOD
    database.execute_sql("DELETE FROM schema_migration WHERE name LIKE '0008%%'")
    assert sentences.OLDER_DATABASE in words(checked.check_database(survey(environ)))
    away = {**environ, "KIOSQUE_DATABASE": "postgresql://u:tr3s-secret@127.0.0.1:1/base"}
    told = checked.check_database(survey(away))
    assert told.level == Level.BROKEN
    assert sentences.NOT_ANSWERED in words(told)
    assert "secret" not in repr(told)
    db.configure(settings.database)


def words(result: Result) -> str:
    return "\n".join(trouble.what for trouble in result.troubles)
