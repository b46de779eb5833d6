"""Real processes, killed at random while families pay: nothing acknowledged is lost, nothing is
paid twice. Then the same with a guard taken off, to show that the storm sees it.

`make storm` runs 3 000 payments. Nothing here fails by slowness: a machine too slow for a storm is
told so, by the deadline of `Plan`.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateways.base import Handoff
from gateways.registry import configure
from kiosque import db
from kiosque.db.models import Attempt, Family, Invoice, Settlement
from kiosque.payments import Purchase, journal, start, verification
from tests import fresh_databases
from tests.bank import KEY
from tests.proof import storm_balancer
from tests.proof.storm import REFUSED, Plan, Storm, table
from tests.proof.storm_bank import Bank, Message
from tests.proof.storm_faults import FREEZE
from tests.proof.storm_service import PROJECT, Broken, Browser, Service, make_town
from tests.sites import BANK_PASSWORD

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="processes as Linux has them"),
    pytest.mark.slow,
]


@pytest.fixture
def location(tmp_path: Path) -> Iterator[fresh_databases.Location]:
    with fresh_databases.ready(tmp_path) as location:
        yield location


@pytest.mark.proof
def test_processes_killed_at_random_lose_nothing_acknowledged_and_pay_nothing_twice(
    tmp_path: Path, location: fresh_databases.Location
) -> None:
    plan = Plan(120, workers=3, worker_every=20, service_every=50, deploy_every=80)
    storm = Storm(tmp_path, location, plan).run()
    assert storm.faults == [], table(storm)
    assert storm.tally.worker_kills >= 4, table(storm)
    assert storm.tally.service_kills >= 1
    assert storm.tally.deploys >= 1
    assert storm.tally.twice >= 10
    # The second of two tabs, among others.
    assert sum(storm.tally.statuses[status] for status in REFUSED) >= 5


@pytest.mark.proof
@fresh_databases.on_postgresql
@pytest.mark.skipif(not storm_balancer.program(), reason="nginx is not installed")
def test_two_nodes_on_one_database_behind_a_balancer_lose_and_double_nothing(
    tmp_path: Path, location: fresh_databases.Location
) -> None:
    plan = Plan(160, workers=2, worker_every=30, service_every=50, deploy_every=110, nodes=2)
    storm = Storm(tmp_path, location, plan).run()
    assert storm.faults == [], table(storm)
    assert storm.tally.worker_kills >= 3, table(storm)
    assert storm.tally.node_kills >= 2
    assert storm.tally.service_kills >= 1
    assert storm.tally.deploys >= 1
    assert storm.tally.twice >= 5


@pytest.mark.proof
def test_without_transactions_the_storm_sees_halves(
    tmp_path: Path, location: fresh_databases.Location
) -> None:
    plan = Plan(
        40,
        workers=2,
        worker_every=8,
        fault="no_transaction",
        scenes=("pay_announced_at_once", "pay_twice"),
    )
    storm = Storm(tmp_path, location, plan).run()
    # Which halves are left is chance: that there are some is seen by `verify`, and without it.
    assert "verify" in words(storm), table(storm)
    assert words(storm) - {"verify"}, table(storm)


@pytest.mark.proof
def test_an_answer_before_the_commit_loses_what_it_acknowledged(
    tmp_path: Path, location: fresh_databases.Location
) -> None:
    plan = Plan(60, workers=2, worker_every=4, fault="early_answer")
    storm = Storm(tmp_path, location, plan).run()
    assert "lost" in words(storm), table(storm)


@pytest.mark.proof
def test_without_unique_transactions_a_debit_counts_twice(
    tmp_path: Path, location: fresh_databases.Location
) -> None:
    plan = Plan(
        40,
        workers=2,
        fault="repeated_transactions",
        spoil=let_transactions_repeat,
        scenes=("pay_and_capture",),
    )
    storm = Storm(tmp_path, location, plan).run()
    assert {"twice", "sums"} <= words(storm), table(storm)


def words(storm: Storm) -> set[str]:
    """Return what kinds of faults were found."""
    return {fault.partition(":")[0] for fault in storm.faults}


def let_transactions_repeat(base: fresh_databases.Location) -> None:
    """Take off the uniqueness of the bank's transactions. SQLite drops no constraint of a table:
    it is made anew, while the database is still empty of them."""
    if not isinstance(base, Path):
        constraint = "settlement_gateway_transaction_id_key"
        fresh_databases.run(base, f"ALTER TABLE settlement DROP CONSTRAINT {constraint}")
        return
    ((sql,),) = fresh_databases.run(base, "SELECT sql FROM sqlite_schema WHERE name = 'settlement'")
    loose = sql.replace("UNIQUE (gateway, transaction_id),", "")
    assert loose != sql
    fresh_databases.run(base, "PRAGMA foreign_keys = OFF; DROP TABLE settlement", loose)


@pytest.fixture
def bank() -> Iterator[Bank]:
    bank = Bank()
    with bank.serving():
        yield bank


@pytest.mark.proof
def test_two_runs_of_reconcile_without_the_lease_are_harmless(
    tmp_path: Path, location: fresh_databases.Location, bank: Bank
) -> None:
    town = make_town(location, families=1, invoices=40)
    service = Service(tmp_path, location, bank.url)
    debits = [debit(bank, number, cents) for number, cents in town["F1000"]]
    fresh_databases.run(location, "UPDATE attempt SET ask_at = started_at")
    bank.meeting = threading.Barrier(2)
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.proof.storm_faults", "reconcile"],
            cwd=PROJECT,
            env=service.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for run in runs:
        assert run.stdout
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin
        run.stdin.write("\n")
        run.stdin.flush()
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert all("sans réponse\u00a0: 0 ;" in text and "en cours" not in text for text in said), said
    assert max(bank.questions.values()) == 2  # both worked, on the same payments
    with db.connection():
        assert verification.faults() == []
        booked = {row.transaction_id for row in Settlement.select()}
        assert booked == {each.uuid for each in debits}
        assert Settlement.select().count() == len(debits)


def debit(bank: Bank, number: str, cents: int) -> Message:
    """A payment that the bank has taken, and told nobody about."""
    _, handoff = open_payment(bank, number, cents)
    form = dict(handoff.fields or ())
    bank.open(form)
    return bank.say(form, "AUTHORISED")


def open_payment(bank: Bank, number: str, cents: int) -> tuple[Attempt, Handoff]:
    shop = {"adapter": "sandbox", "url": bank.url, "key": KEY, "password": BANK_PASSWORD}
    gateway = configure("banque", shop, environment="demo")
    with db.connection():
        family = Family.get(Family.code == number.partition("-")[0])
        return start(Purchase(family, [number], cents), gateway, "http://127.0.0.1:1")


@pytest.mark.proof
def test_a_worker_frozen_inside_a_write_is_killed_and_leaves_nothing_by_half(
    tmp_path: Path, location: fresh_databases.Location, bank: Bank
) -> None:
    """By gunicorn itself, past its `--timeout`."""
    town = make_town(location, families=1, invoices=2)
    service = Service(tmp_path, location, bank.url, workers=2, fault="frozen", timeout=3)
    first, second = (debit(bank, number, cents) for number, cents in town["F1000"])
    courier = Browser(service.port)
    service.start()
    try:
        (tmp_path / FREEZE).touch()
        with pytest.raises(Broken):
            courier.post("/paiement/notification/banque", first.fields)
        assert "WORKER TIMEOUT" in service.log.read_text()
        with db.connection():
            assert Settlement.select().count() == 0
            assert Invoice.select().where(Invoice.state == "paid").count() == 0
            assert journal.last()[0] == 0
            assert verification.faults() == []
        for message in (first, second):
            assert deliver(courier, message) == 200
        with db.connection():
            assert verification.faults() == []
            assert Settlement.select().count() == 2
    finally:
        service.stop()


def deliver(courier: Browser, message: Message) -> int:
    """Until an answer comes: the master may be starting another worker."""
    end = time.monotonic() + 60
    while True:
        try:
            return courier.post("/paiement/notification/banque", message.fields).status
        except Broken:
            if time.monotonic() > end:
                raise
