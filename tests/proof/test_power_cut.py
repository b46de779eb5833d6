"""The power is cut at any moment: what was acknowledged is there, and nothing is half there.

`make soak-power` runs many more rounds.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import apsw
import pytest

from gateways.base import Callback, Gateway, Handoff
from kiosque import db, payments
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
from tests import fresh_databases
from tests.bank import notice
from tests.conftest import ISSUERS, Clock, make_family, make_invoice
from tests.proof.disk import Cuts, Disk, Remains, losing_power, put_back

pytestmark = fresh_databases.on_sqlite

ROUNDS = int(os.environ.get("POWER_CUT_ROUNDS", "25"))
PAYMENTS = 6
CUTS_A_ROUND = 12

Pay = Callable[..., tuple[Attempt, Handoff]]


@pytest.fixture(autouse=True)
def _quick_disk() -> None:
    """Here commits wait for the disk, as in production."""


@pytest.fixture
def town(tmp_path: Path, frozen: Clock) -> Path:
    """A database at rest, with a family that has invoices to pay."""
    path = tmp_path / "town.sqlite3"
    shutil.copyfile(fresh_databases.template(), path)
    db.configure(path)
    with db.connection():
        family = make_family("F1001", "Martin")
        for number in range(PAYMENTS):
            make_invoice(family, f"2026-10-{number:04}")
    assert not Path(f"{path}-wal").exists()
    return path


class Round:
    """Payments one after the other on a disk that loses power at moments drawn from a seed."""

    def __init__(self, town: Path, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        self.base = folder / "round.sqlite3"
        for name in ("", "-wal", "-shm"):
            Path(f"{self.base}{name}").unlink(missing_ok=True)
        shutil.copyfile(town, self.base)
        self.cuts = Cuts(self.random, CUTS_A_ROUND)
        self.cuts.disk = Disk(self.base, self.cuts.watch)
        self.handoffs: list[Handoff] = []

    def run(self, pay: Pay, gateway: Gateway) -> None:
        db.configure(self.base)
        stays = self.random.random() < 0.7  # else each is the last connection: no WAL remains
        with losing_power(self.cuts.disk):
            reader = apsw.Connection(str(self.base)) if stays else None
            if reader:
                reader.execute("SELECT count(*) FROM family").fetchall()  # joins the WAL
            for number in range(PAYMENTS):
                with db.connection():
                    # As after a busy hour: the WAL goes back into the database, and begins anew.
                    database.pragma("wal_autocheckpoint", self.random.choice((10, 40, 1000)))
                    self._pay(f"2026-10-{number:04}", pay, gateway)
            if reader:
                reader.close()

    def _pay(self, number: str, pay: Pay, gateway: Gateway) -> None:
        family, invoice = Family.get(), Invoice.get(Invoice.number == number)
        attempt, handoff = pay(family, invoice, email="alice@example.org")
        self.cuts.told.append(f"form {attempt.reference}")
        self.handoffs.append(handoff)
        hear(handoff, gateway)
        self.cuts.told.append(f"paid {attempt.reference}")


def hear(handoff: Handoff, gateway: Gateway) -> None:
    report = gateway.read_notification(Callback.of_form(notice(handoff).items()))
    payments.record(gateway.name, report, ISSUERS)


def known() -> set[str]:
    """Return what the database knows, in the words of what is acknowledged."""
    forms = Attempt.select().where(Attempt.gateway_reference.is_null(False))
    paid = Attempt.select().where(Attempt.state == "paid")
    return {f"form {attempt.reference}" for attempt in forms} | {
        f"paid {attempt.reference}" for attempt in paid
    }


def check_whole() -> None:
    """Each payment is there with all that belongs to it, or not at all."""
    assert [tuple(row) for row in database.execute_sql("PRAGMA integrity_check")] == [("ok",)]
    assert list(database.execute_sql("PRAGMA foreign_key_check")) == []
    assert journal.verify() == []
    paid = Attempt.select().where(Attempt.state == "paid").count()
    tables = (Settlement, Allocation, JournalEntry, Receipt, OutboxMail, BankMessage)
    assert {table.__name__: table.select().count() for table in tables} == {
        table.__name__: paid for table in tables
    }
    assert Invoice.select().where(Invoice.state == "paid").count() == paid


def after(remains: Remains, base: Path) -> set[str]:
    """Start again after a cut. Returns what the database knows."""
    put_back(remains, base)
    db.configure(base)
    with db.connection():
        check_whole()
        return known()


@pytest.mark.slow
def test_a_power_cut_loses_nothing_acknowledged_and_leaves_nothing_by_half(
    town: Path, tmp_path: Path, pay: Pay, gateway: Gateway
) -> None:
    in_flight = 0
    for seed in range(ROUNDS):
        run = Round(town, tmp_path, seed)
        run.run(pay, gateway)
        for number, (remains, told) in enumerate(run.cuts.drawn):
            found = after(remains, tmp_path / "after.sqlite3")
            assert set(told) <= found, (seed, number)
            in_flight += len(found - set(told))
            assert len(found - set(told)) <= 1, (seed, number)
        # The bank, not answered, sends its notices again: each payment counts once.
        with db.connection():
            begun = [each for each in run.handoffs if f"form {order(each)}" in known()]
            for handoff in begun:
                hear(handoff, gateway)
            assert Settlement.select().count() == len(begun) == Receipt.select().count()
            assert journal.verify() == []
    assert in_flight  # some cuts fell between the commit and the answer


def order(handoff: Handoff) -> str:
    return dict(handoff.fields or ())["vads_order_id"]


@pytest.mark.parametrize("synchronous", [1, 0], ids=["normal", "off"])
def test_with_less_than_full_synchronisation_the_same_cuts_do_lose(
    town: Path,
    tmp_path: Path,
    pay: Pay,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    synchronous: int,
) -> None:
    """The proof that the test above can see a loss."""
    monkeypatch.setitem(sqlite.PRAGMAS, "synchronous", synchronous)
    for seed in range(ROUNDS):
        run = Round(town, tmp_path, seed)
        run.run(pay, gateway)
        for remains, told in run.cuts.drawn:
            put_back(remains, tmp_path / "after.sqlite3")
            db.configure(tmp_path / "after.sqlite3")
            with db.connection():
                if not set(told) <= known():
                    return
    pytest.fail("nothing was lost")


@pytest.mark.slow
@pytest.mark.proof
def test_a_migration_cut_short_is_taken_up_again(tmp_path: Path) -> None:
    def schema() -> list[tuple[str, ...]]:
        return sorted(database.execute_sql("SELECT name, sql FROM sqlite_master"))

    db.configure(fresh_databases.template())
    with db.connection():
        whole = schema()
    base = tmp_path / "new.sqlite3"
    cuts = Cuts(Random(0), 20)
    cuts.disk = Disk(base, cuts.watch)
    db.configure(base)
    with losing_power(cuts.disk), db.connection():
        db.migrate()
    for remains, _ in cuts.drawn:
        put_back(remains, base)
        with db.connection():
            db.migrate()
            assert schema() == whole
            assert [tuple(row) for row in database.execute_sql("PRAGMA integrity_check")] == [
                ("ok",)
            ]
