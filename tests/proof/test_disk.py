"""The disk is full, read-only, failing, or the database held by somebody: the bank's notice gets a
503, nothing is written by half, and the same notice later is accepted, once."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Handoff
from kiosque import db
from kiosque.db import database, sqlite
from kiosque.db.models import (
    Allocation,
    Attempt,
    BankMessage,
    Family,
    Invoice,
    JournalEntry,
    OutboxMail,
    Receipt,
    Settlement,
)
from kiosque.payments import journal
from kiosque.settings import Settings
from tests import fresh_databases
from tests.bank import notice
from tests.conftest import make_invoice
from tests.proof.disk import Disk, losing_power

NOTIFY = "/paiement/notification/banque"
pytestmark = fresh_databases.on_sqlite

EFFECTS = (Settlement, Allocation, JournalEntry, Receipt, OutboxMail, BankMessage)

Pay = Callable[..., tuple[Attempt, Handoff]]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", "size=2m", "kiosque-test", str(folder))
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(("umount", str(folder)), check=True)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """The database is on the small disk, for the tests that ask for one."""
    if "small_disk" not in request.fixturenames:
        return settings
    return replace(settings, data=request.getfixturevalue("small_disk"))


@pytest.fixture
def bank(app: Flask) -> Callable[[Handoff], int]:
    """The bank sends its notice. Returns the status it is answered."""

    def send(handoff: Handoff) -> int:
        return app.test_client().post(NOTIFY, data=notice(handoff)).status_code

    return send


def counts() -> list[int]:
    return [table.select().count() for table in EFFECTS]


def check_paid_once(count: int = 1) -> None:
    """So many payments are there, each once and whole."""
    assert counts() == [count] * len(EFFECTS)
    assert Attempt.select().where(Attempt.state == "paid").count() == count
    assert Invoice.select().where(Invoice.state == "paid").count() == count
    assert journal.verify() == []
    assert database.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)


def fill(folder: Path) -> Path:
    """Write until nothing more fits. Returns the file to erase."""
    path = folder / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return path


def remount(folder: Path, how: str) -> None:
    database.close()
    subprocess.run(("mount", "-o", f"remount,{how}", str(folder)), check=True)


# --- On a disk of its own ---


def test_a_full_disk_refuses_the_notice_and_takes_it_once_there_is_room(
    small_disk: Path,
    bank: Callable[[Handoff], int],
    pay: Pay,
    alices_family: Family,
    october: Invoice,
) -> None:
    _, handoff = pay(alices_family, october, email="alice@example.org")
    database.close()
    filling = fill(small_disk)
    assert [bank(handoff), bank(handoff)] == [503, 503]
    filling.unlink()
    check_paid_once(0)
    assert bank(handoff) == 200
    check_paid_once()


def test_a_read_only_file_system_refuses_the_notice_and_takes_it_once_repaired(
    small_disk: Path,
    bank: Callable[[Handoff], int],
    stranger: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
) -> None:
    _, handoff = pay(alices_family, october, email="alice@example.org")
    remount(small_disk, "ro")
    try:
        assert [bank(handoff), bank(handoff)] == [503, 503]
        assert stranger.get("/sante").status_code == 503
    finally:
        remount(small_disk, "rw")
    check_paid_once(0)
    assert bank(handoff) == 200
    check_paid_once()


# --- On any disk ---


def test_a_database_that_may_not_grow_refuses_what_does_not_fit_and_takes_it_later(
    settings: Settings,
    bank: Callable[[Handoff], int],
    pay: Pay,
    alices_family: Family,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invoices = [make_invoice(alices_family, f"2026-10-{number:04}") for number in range(30)]
    handoffs = [pay(alices_family, each, email="alice@example.org")[1] for each in invoices]
    monkeypatch.setitem(sqlite.PRAGMAS, "max_page_count", database.pragma("page_count"))
    db.configure(settings.database_path)
    answers = [bank(handoff) for handoff in handoffs]
    assert set(answers) == {200, 503}
    check_paid_once(answers.count(200))
    monkeypatch.delitem(sqlite.PRAGMAS, "max_page_count")
    db.configure(settings.database_path)
    assert {bank(handoff) for handoff in handoffs} == {200}
    paid_again = answers.count(200)  # heard twice: one more audit row, and nothing else
    assert counts() == [30, 30, 30, 30, 30, 30 + paid_again]
    assert journal.verify() == []


class FailingDisk:
    """From one moment on, everything done to the database's files fails."""

    def __init__(self) -> None:
        self.has_failed = False
        self._left: int | None = None
        self._error: type[apsw.Error] = apsw.FullError

    def fail_after(self, count: int, error: type[apsw.Error]) -> None:
        self._left, self._error, self.has_failed = count, error, False

    def mend(self) -> None:
        self._left = None

    def watch(self) -> None:
        if self._left == 0:
            self.has_failed = True
            raise self._error("the test says so")
        if self._left:
            self._left -= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [
        apsw.FullError,
        *(pytest.param(it, marks=pytest.mark.proof) for it in (apsw.IOError, apsw.ReadOnlyError)),
    ],
)
def test_a_disk_that_fails_at_any_moment_of_a_notice_leaves_nothing_by_half(
    settings: Settings,
    bank: Callable[[Handoff], int],
    pay: Pay,
    alices_family: Family,
    error: type[apsw.Error],
) -> None:
    """At each write and sync in turn, until the notice goes through before the failure."""
    database.close()
    disk, answers = FailingDisk(), []
    with (
        losing_power(Disk(settings.database_path, disk.watch)),
        closing(apsw.Connection(str(settings.database_path))) as other,
    ):
        other.execute("SELECT count(*) FROM family").fetchall()  # not the last one: the WAL stays
        for moment in itertools.count():
            invoice = make_invoice(alices_family, f"2026-10-{moment:04}")
            _, handoff = pay(alices_family, invoice, email="alice@example.org")
            database.close()
            disk.fail_after(moment, error)
            answers.append(bank(handoff))
            disk.mend()
            check_paid_once(moment + (answers[-1] == 200))
            if not disk.has_failed:
                break
            if answers[-1] == 503:
                assert bank(handoff) == 200
                check_paid_once(moment + 1)
        database.close()
    # Only tidying up after the commit may fail without a word to the bank.
    assert answers.count(503) > 20
    assert answers == sorted(answers, reverse=True)


# --- Held by somebody ---


def test_a_shell_that_holds_the_database_makes_the_bank_send_again(
    settings: Settings,
    bank: Callable[[Handoff], int],
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, handoff = pay(alices_family, october, email="alice@example.org")
    database.close()
    monkeypatch.setattr("kiosque.db.write_lock.PATIENCE_SECONDS", 0.05)
    program = (
        "import apsw, sys\n"
        "base = apsw.Connection(sys.argv[1])\n"
        "base.execute('BEGIN IMMEDIATE; DELETE FROM outbox_mail')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        (sys.executable, "-c", program, str(settings.database_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdout
        assert shell.stdout.readline() == "held\n"
        assert [bank(handoff), bank(handoff)] == [503, 503]
        check_paid_once(0)
        shell.kill()
    assert bank(handoff) == 200
    check_paid_once()


def test_a_reader_left_open_lets_the_wal_grow_and_payments_go_on(
    settings: Settings,
    bank: Callable[[Handoff], int],
    pay: Pay,
    alices_family: Family,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once it has left, the WAL is used again from its beginning, and shrinks to its limit."""
    limit = 250_000  # more than one payment writes
    monkeypatch.setitem(sqlite.PRAGMAS, "journal_size_limit", limit)
    monkeypatch.setitem(sqlite.PRAGMAS, "wal_autocheckpoint", 20)
    db.configure(settings.database_path)
    wal = Path(f"{settings.database_path}-wal")

    def one_more(number: int) -> int:
        invoice = make_invoice(alices_family, f"2026-10-{number:04}")
        _, handoff = pay(alices_family, invoice, email="alice@example.org")
        answer = bank(handoff)
        check_paid_once(number + 1)
        return answer

    with closing(apsw.Connection(str(settings.database_path))) as reader:
        reader.execute("BEGIN; SELECT count(*) FROM family")
        sizes = []
        for number in range(5):
            assert one_more(number) == 200
            sizes.append(wal.stat().st_size)
        assert sizes == sorted(sizes)
        assert sizes[-1] > 2 * limit
        reader.execute("COMMIT")
        assert one_more(5) == 200
        assert one_more(6) == 200
        assert wal.stat().st_size <= limit
