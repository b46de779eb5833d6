"""A town is backed up in the middle of a storm, then put back as it was, and its bank says again
all it had said: nothing is lost, nothing counts twice, no receipt's number is given twice."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playhouse.pool import PooledDatabase

from kiosque import db
from tests import fresh_databases
from tests.proof.storm import Plan, Storm, table
from tests.proof.storm_check import RUNS
from tests.proof.storm_service import Service

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="processes as Linux has them"),
    pytest.mark.slow,
    pytest.mark.proof,
]


class BackedUp(Storm):
    """A storm during which the town is backed up, once from when a quarter of it is over."""

    backup = ""

    def _destroy(self) -> None:
        maker = threading.Thread(target=self._back_up)
        maker.start()
        super()._destroy()
        maker.join()

    def _back_up(self) -> None:
        while len(self.bank.debits()) < self.plan.payments / 4:
            time.sleep(0.01)
        status, said = self.service.run("backup", str(self._folder / "backups"))
        self.backup = said.splitlines()[-1]
        if status:
            self.fault(f"backup: {said}")

    def say_all_again(self, service: Service) -> None:
        """The bank sends each of its notices once more, then is asked about the rest."""
        self.service, self._end = service, time.monotonic() + 120
        for message in self.acknowledged:
            self.deliver(message)
        self.let_time_pass()
        for _ in range(RUNS):
            _status, said = service.run("reconcile", "--seconds", "60")
            if said.endswith("restent à demander\u00a0: 0.\n"):
                return
        self.fault(f"reconcile: {said}")


@pytest.fixture
def location(tmp_path: Path) -> Iterator[fresh_databases.Location]:
    with fresh_databases.ready(tmp_path) as location:
        yield location


def receipts(service: Service) -> dict[object, object]:
    """The bank's debit of each receipt, by its number."""
    found = service.rows(
        "SELECT number, transaction_id FROM receipt"
        " JOIN settlement ON settlement.id = settlement_id"
    )
    return {row[0]: row[1] for row in found}


def column(service: Service, sql: str) -> Counter[object]:
    return Counter(value for (value,) in service.rows(sql))


def test_a_town_put_back_as_it_was_in_a_storm_finds_every_payment_again_once(
    tmp_path: Path, location: fresh_databases.Location
) -> None:
    plan = Plan(100, workers=3, worker_every=20, service_every=60, deploy_every=500)
    storm = BackedUp(tmp_path, location, plan)
    storm.run()
    assert storm.faults == [], table(storm)
    given = receipts(storm.service)
    if isinstance(db.database.obj, PooledDatabase):
        db.database.close_idle()  # this process's own sessions, from when it made the town
    with storm.bank.serving():
        service = Service(tmp_path, location, storm.bank.url, workers=2)
        status, said = service.run("restore", storm.backup, "--yes")
        assert status == 0, said
        service.start()
        try:
            storm.say_all_again(service)
        finally:
            service.stop()
    assert storm.faults == []
    booked = column(service, "SELECT transaction_id FROM settlement")
    told = column(service, "SELECT transaction_id FROM anomaly WHERE kind = 'unknown_order'")
    told = Counter({uuid: count for uuid, count in told.items() if uuid in storm.bank.debits()})
    # Something came before the backup, and something after.
    assert 0 < len(booked) < len(given)
    known = column(service, "SELECT reference FROM attempt").keys()
    silent = {uuid for uuid, (order, _) in storm.bank.debits().items() if order not in known}
    # The bank never spoke of some: only its statement can tell, which `todo` asks to compare.
    silent -= {message.uuid for message in storm.acknowledged}
    assert set(booked + told) == storm.bank.debits().keys() - silent
    assert (booked + told).most_common(1)[0][1] == 1
    again = receipts(service)
    assert all(given[number] == again[number] for number in again.keys() & given.keys())
    assert max(map(int, map(str, again))) > max(map(int, map(str, given)))
    status, said = service.run("verify")
    assert status == 0, said
    assert column(service, "SELECT kind FROM anomaly")["restored"] == 1
