"""Two who press «Définitif» at once, in processes of their own, and one that is killed on the way:
one deposit, no number lost, its paper made again the same."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosque import db, deposits, payments
from kiosque.db.models import Deposit
from kiosque.deposits import Imputed
from kiosque.papers.deposits import bordereau
from kiosque.payments import CounterPayment, Refused, journal, verification
from kiosque.settings.loading import load
from tests import fresh_databases, sentences
from tests.conftest import NOW
from tests.proof.storm_service import PROJECT, make_town
from tests.sites import settle

pytestmark = pytest.mark.slow

_FINAL = ("deposit", "final", "--author", "Dominique Aubry")


class Site:
    """A town whose régie has a cheque to pay over, and its commands."""

    def __init__(self, folder: Path, location: fresh_databases.Location) -> None:
        settle(folder, "http://127.0.0.1:1", letters=False)
        mine = {name: it for name, it in os.environ.items() if not name.startswith("KIOSQUE_")}
        data = {"KIOSQUE_DATA": str(folder), "KIOSQUE_DATABASE": str(location)}
        self._environment = {**mine, **data}
        self.settings = load(self._environment)
        numbers = make_town(location, 1, 2)["F1000"]
        with db.connection():
            deposits.set_imputation("", "Restauration scolaire", Imputed("70632"), "Dominique")
            self.pay(numbers[0][0])
        self.left = numbers[1][0]

    def pay(self, invoice: str) -> None:
        on = NOW.date()
        payment = CounterPayment(invoice, None, "cheque", on, "Dominique", f"chèque {invoice}")
        payments.settle_at_counter([payment])

    def begin(self, place: str) -> "subprocess.Popen[str]":
        """One who presses, and stops there."""
        command = [sys.executable, "-m", "tests.proof.deposit_process", place, *_FINAL]
        process = subprocess.Popen(
            command, cwd=PROJECT, env=self._environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdout
        said = process.stdout.readline()
        assert said.strip() in ("rendered", "written", "booked"), said
        return process

    def press(self) -> Deposit:
        """One who presses in this process."""
        found = deposits.draft("", journal.last()[0])
        asked = (self.settings, "", found.up_to, "Dominique", found.fingerprint)
        return deposits.finalize(*asked, bordereau)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with fresh_databases.ready(tmp_path) as location:
        site = Site(tmp_path, location)
        with db.connection():
            yield site


def press_at_once(site: Site, place: str) -> list[str]:
    """Two have read the draft, and their papers are made; both go on. What each says."""
    both = [site.begin(place) for _ in range(2)]
    for process in both:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[0] for process in both]


def test_two_processes_that_press_at_once_make_one_deposit(site: Site) -> None:
    said = press_at_once(site, "rendered")
    assert Deposit.select().count() == 1
    assert sum(sentences.NOTHING_TO_PAY_OVER in each for each in said) == 1
    assert verification.faults() == []


def test_without_the_guard_the_database_alone_refuses_the_second(site: Site) -> None:
    """So the two are really at once; what the code promises, the database promises too."""
    said = press_at_once(site, "unguarded")
    assert Deposit.select().count() == 1
    assert sum("IntegrityError" in each for each in said) == 1, said
    assert verification.faults() == []


@pytest.mark.parametrize(("place", "is_there"), [("rendered", 0), ("written", 0), ("booked", 1)])
def test_one_killed_on_the_way_loses_no_number_and_its_paper_is_made_again_the_same(
    site: Site, place: str, is_there: int
) -> None:
    process = site.begin(place)
    process.kill()
    process.communicate(timeout=60)
    assert Deposit.select().count() == is_there
    if is_there:
        with pytest.raises(Refused):
            site.press()
    else:
        site.press()
    site.pay(site.left)
    site.press()
    assert [each.number for each in Deposit.select().order_by(Deposit.id)] == [1, 2]
    for deposit in Deposit.select():
        paper = bordereau(deposits.bordereau_of(deposit))
        assert hashlib.sha256(paper).hexdigest() == deposit.pdf_sha256
    assert verification.faults() == []
