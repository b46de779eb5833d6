"""A backup is put in place whole, or nothing moves; what it does not know is looked for, and no
receipt is given twice."""

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import apsw
import pytest
from click.testing import Result
from flask.testing import FlaskClient

from gateways.base import Order, Report
from kiosque import create_app, db
from kiosque.db import presence
from kiosque.db.models import (
    Account,
    Anomaly,
    Attempt,
    Guardian,
    ImportBatch,
    Invoice,
    Receipt,
    Session,
    Settlement,
    StaffSession,
)
from kiosque.db.states import AnomalyKind
from kiosque.families import sessions
from kiosque.invoices import announcements
from kiosque.payments import journal, reconcile, verification
from kiosque.payments.queries import last_receipt_number
from kiosque.staff import sessions as staff_sessions
from kiosque.staff.roles import Role
from tests import fresh_databases
from tests.agents import make_agent
from tests.conftest import (
    ISSUERS,
    PUBLIC_URL,
    Clock,
    choose_password,
    csrf_token,
    make_invoice,
)
from tests.kiosque.backups.conftest import Town, read
from tests.kiosque.settings.test_settings import TOML
from tests.talkative import TalkativeBank

PERSON = ("--author", "Dominique Aubry", "--resolution", "relevé pointé")


def restore(town: Town, path: Path, *options: str) -> Result:
    return town.run("restore", str(path), "--yes", *options)


def restored(town: Town, path: Path, *options: str) -> str:
    result = restore(town, path, *options)
    assert result.exit_code == 0, result.output
    return result.output


def aside(town: Town) -> Path:
    (folder,) = town.settings.data.glob("avant-2*")
    return folder


def numbers() -> list[int]:
    return [receipt.number for receipt in Receipt.select().order_by(Receipt.id)]


def test_the_town_is_as_it_was_and_the_books_are_whole(town: Town) -> None:
    path, before = town.backup(), fresh_databases.rows()
    town.pay()
    (town.settings.data / "texts" / "confidentialite.md").write_text("# Autre")
    restored(town, path)
    after = fresh_databases.rows()
    for table in ("invoice", "settlement", "allocation", "receipt", "journal_entry", "family"):
        assert after[table] == before[table]
    assert verification.faults() == []
    assert (town.settings.data / "texts" / "confidentialite.md").read_text() == "# De texts\n"
    assert (aside(town) / "texts" / "confidentialite.md").read_text() == "# Autre"


def test_what_was_there_is_kept_and_still_opens(town: Town) -> None:
    path = town.backup()
    town.pay()
    entry = journal.last()
    restored(town, path)
    assert journal.last() != entry
    if town.settings.on_postgresql:
        assert (aside(town) / "kiosque.dump").stat().st_size
    else:
        with db.elsewhere(aside(town) / "kiosque.sqlite3"):
            assert journal.last() == entry


@pytest.mark.parametrize("again", [False, True])
def test_a_receipt_number_is_never_given_twice(town: Town, *, again: bool) -> None:
    """Nor after a second restoration of the same backup."""
    path = town.backup()
    given = set()
    for _ in range(2 if again else 1):
        town.pay()
        given.update(numbers())
        restored(town, path)
        shutil.rmtree(aside(town))
    town.pay()
    assert numbers()[-1] > max(given)
    assert (numbers()[-1] - 1) % 1000 == 0
    assert verification.faults() == []


def test_numbers_are_skipped_though_the_database_replaced_cannot_be_read(
    town: Town, frozen: Clock
) -> None:
    """As many an hour as families could have had."""
    path = town.backup()
    frozen.advance(days=3)
    unreadable(town)
    restored(town, path)
    town.pay()
    assert numbers() == [1, 73001]
    assert verification.faults() == []


def unreadable(town: Town) -> None:
    if town.settings.on_postgresql:
        fresh_databases.damage("DROP TABLE receipt")
    else:
        db.database.close()
        town.settings.database_path.write_bytes(b"broken" * 1000)


@pytest.mark.parametrize("minutes", [1, 40, 120])
def test_no_number_is_given_twice_by_databases_lost_one_after_the_other(
    town: Town, frozen: Clock, minutes: int
) -> None:
    """Each was put back from the same backup, and nothing of the one before can be read."""
    path = town.backup()
    given = []
    for _ in range(3):
        frozen.advance(minutes=minutes)
        unreadable(town)
        restored(town, path)
        shutil.rmtree(aside(town))
        for _ in range(3):
            town.pay()
        given += numbers()[1:]
    assert len(given) == len(set(given)) == 9
    assert verification.faults() == []


@pytest.mark.parametrize("told", ["", "[]", '{"": "x"}', '{"": [1000, "2026-11-24T10:00:00"]}'])
def test_what_earlier_restorations_skipped_is_not_guessed(town: Town, told: str) -> None:
    path, entry = town.backup(), journal.last()
    (town.settings.data / "restaurations.json").write_text(told)
    result = restore(town, path)
    assert result.exit_code == 1
    assert "restaurations.json" in result.output
    assert journal.last() == entry
    assert not list(town.settings.data.glob("avant-2*"))


def test_a_regie_no_longer_in_the_settings_skips_numbers_too(town: Town) -> None:
    """Its last payments may still come."""
    for table, column in (("invoice", "regie"), ("settlement", "regie"), ("receipt", "sequence")):
        fresh_databases.damage(f"UPDATE {table} SET {column} = 'creche'")
    path = Path(town.run("backup").stdout.splitlines()[-1])
    unreadable(town)
    restored(town, path, "--despite-faults")
    assert last_receipt_number("creche") >= 1000


def test_a_number_inside_those_skipped_is_a_fault(town: Town) -> None:
    restored(town, town.backup())
    town.pay()
    fresh_databases.damage("UPDATE receipt SET number = 500 WHERE number > 1")
    assert any("reçu" in fault for fault in verification.faults())


@fresh_databases.on_sqlite
def test_what_sqlite_left_beside_goes_with_the_file_it_belongs_to(town: Town) -> None:
    """A WAL of the old database would be written into the new one."""
    path, base = town.backup(), town.settings.database_path
    entry = journal.last()
    db.database.close()
    with closing(apsw.Connection(str(base))) as open_, closing(apsw.Connection(str(base))):
        open_.execute("UPDATE family SET name = 'Perdu'")
        left = {each: Path(f"{base}{each}").read_bytes() for each in ("-wal", "-shm")}
    for suffix, content in left.items():
        Path(f"{base}{suffix}").write_bytes(content)
    restored(town, path)
    assert journal.last() == entry
    assert town.family.select().get().name == "Martin"
    assert (aside(town) / "kiosque.sqlite3-wal").read_bytes() == left["-wal"]


def test_a_payment_opened_before_and_paid_since_is_asked_about(town: Town) -> None:
    attempt, _ = town.open()
    Attempt.update(ask_at=None).where(Attempt.id == attempt.id).execute()
    restored(town, town.backup())
    assert Attempt.get_by_id(attempt.id).ask_at is not None


class KnowsOne(TalkativeBank):
    """A bank that has something to say of one order only."""

    def poll(self, order: Order) -> list[Report]:
        return [it for it in super().poll(order) if it.reference == order.reference]


def test_what_the_bank_answers_of_the_time_lost_is_booked_once(town: Town) -> None:
    """The payment was opened before the backup; its receipt of then is not given again."""
    _, handoff = town.open()
    path = town.backup()
    town.hear(handoff, 2)
    restored(town, path)
    bank = KnowsOne(town.gateway)
    bank.answers = [[bank.report(handoff, trans_uuid=f"{2:032x}")]]
    for _ in range(2):
        reconcile.run({bank.name: bank}, PUBLIC_URL, ISSUERS)
    assert Invoice.get(Invoice.number == "N0002").state == "paid"
    assert numbers() == [1, 2001]
    assert verification.faults() == []


def test_the_bank_s_late_word_of_a_payment_lost_is_kept_for_a_human(town: Town) -> None:
    path = town.backup()
    _, handoff = town.open()
    town.hear(handoff, 7)
    restored(town, path)
    town.hear(handoff, 7)
    assert Settlement.select().count() == 1
    point = Anomaly.get(Anomaly.kind == AnomalyKind.UNKNOWN_ORDER)
    listed = town.run("todo").output
    assert f"enter-payment {point.transaction_id}" in listed


def page_of(town: Town, address: str) -> str:
    client: FlaskClient = create_app(town.settings).test_client()
    choose_password(town.family)
    token = csrf_token(client.get("/connexion").text)
    client.post(
        "/connexion",
        data={"code": "F1001", "password": "une phrase assez longue", "csrf_token": token},
    )
    return client.get(address).text


WARNING = "ne payez pas une seconde fois"


@pytest.mark.parametrize(
    "address", ["/factures", "/factures/N0002", "/paiement/recapitulatif?invoice=N0002"]
)
def test_families_are_warned_until_the_regisseur_says_that_all_is_entered(
    town: Town, frozen: Clock, address: str
) -> None:
    make_invoice(town.family, "N0002", 900)
    path = town.backup()
    frozen.advance(hours=5)
    restored(town, path)
    warned = page_of(town, address)
    assert WARNING in warned
    assert "24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030" in warned
    point = Anomaly.get(Anomaly.kind == AnomalyKind.RESTORED)
    assert town.run("todo", "--resolve", str(point.id), *PERSON).exit_code == 0
    assert WARNING not in page_of(town, address)


def test_an_invoice_issued_since_warns_nobody(town: Town, frozen: Clock) -> None:
    restored(town, town.backup())
    frozen.advance(days=3)
    issued = frozen.at.date()
    make_invoice(town.family, "N0002", 900, issued_on=issued)
    assert WARNING not in page_of(town, "/factures")


def test_nobody_is_reminded_meanwhile_of_what_may_be_paid(town: Town, frozen: Clock) -> None:
    Guardian.create(family=town.family, first_name="A", last_name="M", email="a@example.org")
    make_invoice(town.family, "N0002", 900)
    ImportBatch.update(imported_at=frozen.at - timedelta(hours=20)).execute()
    path = town.backup()
    restored(town, path)
    frozen.advance(hours=15)
    assert announcements.queue_due(town.settings) == 0
    point = Anomaly.get(Anomaly.kind == AnomalyKind.RESTORED)
    town.run("todo", "--resolve", str(point.id), *PERSON)
    assert announcements.queue_due(town.settings) == 1


def test_who_signed_out_since_is_not_signed_in_again(town: Town) -> None:
    choose_password(town.family)
    sessions.start(Account.get())
    agent = make_agent(Role.REGISSEUR)
    with db.write():
        staff_sessions.begin(agent, proved=True)
    path = town.backup()
    restored(town, path)
    assert not Session.select().exists()
    assert not StaffSession.select().exists()


def test_it_is_refused_while_the_site_runs(town: Town) -> None:
    path, entry = town.backup(), journal.last()
    town.pay()
    site = create_app(town.settings)
    for result in (restore(town, path), town.run("restore", str(path))):
        assert result.exit_code == 1
        assert "Le site tourne" in result.output
        assert "[o/N]" not in result.output, "nothing is asked that would be refused"
    assert journal.last() != entry
    del site


def test_a_command_does_not_begin_while_it_lasts(town: Town) -> None:
    with presence.alone(town.settings):
        assert town.run("verify").exit_code == 1


def settled(town: Town) -> tuple[object, ...]:
    files = {path.name for path in town.settings.data.iterdir()}
    return journal.last(), files - {"kiosque.sqlite3-wal", "kiosque.sqlite3-shm"}


Spoil = Callable[[Town, Path, pytest.MonkeyPatch], None]


def truncated(_town: Town, path: Path, _patch: pytest.MonkeyPatch) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


def of_a_trial(town: Town, _path: Path, _patch: pytest.MonkeyPatch) -> None:
    text = TOML.replace('environment = "test"', 'environment = "demo"')
    (town.settings.data / "kiosque.toml").write_text(text)


def of_a_later_version(_town: Town, _path: Path, patch: pytest.MonkeyPatch) -> None:
    empty = Path(__file__).parent
    patch.setattr("kiosque.db.MIGRATIONS", empty)


def on_a_full_disk(_town: Town, _path: Path, patch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (truncated, "tronquée"),
        (of_a_trial, "environnement « test »"),
        (of_a_later_version, "version plus récente"),
        (on_a_full_disk, "pas la place"),
    ],
)
def test_what_cannot_be_put_back_changes_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch, spoil: Spoil, words: str
) -> None:
    path = town.backup()
    town.pay()
    before = settled(town)
    spoil(town, path, monkeypatch)
    result = restore(town, path)
    assert result.exit_code == 1
    assert words in result.output
    assert settled(town) == before


KILLED = """
import os, signal, sys
from kiosque.backups import making, restoring
from kiosque.cli import main
def kill(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
module, name = {"checked": (restoring, "_prepare"), "moved": (making, "sync"),
    "moving": (restoring, "_move_file"), "placed": (restoring, "_replace_folders")}[sys.argv.pop(1)]
setattr(module, name, kill)
main()
"""


@pytest.mark.parametrize("moment", ["checked", "moving", "moved", "placed"])
def test_one_killed_half_way_is_done_again(town: Town, moment: str) -> None:
    """The data there before is whole, here or aside, and the same command ends the work."""
    path, entry = town.backup(), journal.last()
    town.pay()
    lost = journal.last()
    db.database.close()
    if fresh_databases.URL:
        db.database.close_idle()
    words = [sys.executable, "-c", KILLED, moment, "restore", str(path), "--yes"]
    killed = subprocess.run(words, check=False, capture_output=True)
    # On a server nothing is moved: that moment does not come.
    assert killed.returncode == (0 if fresh_databases.URL and moment.startswith("mov") else -9)
    restored(town, path)
    assert journal.last() == entry
    town.pay()
    assert numbers()[-1] > 2
    if not fresh_databases.URL:
        kept = []
        for file in town.settings.data.glob("avant-2*/kiosque.sqlite3"):
            with db.elsewhere(file):
                kept.append(journal.last())
        assert lost in kept


def test_books_that_were_wrong_are_put_back_only_when_asked_for(town: Town) -> None:
    fresh_databases.damage("UPDATE journal_entry SET label = 'faux'")
    path = Path(town.run("backup").stdout.splitlines()[-1])
    assert restore(town, path).exit_code == 1
    restored(town, path, "--despite-faults")
    assert verification.faults()


def test_pdfs_that_are_missing_are_told_and_stop_nothing(town: Town) -> None:
    Invoice.update(pdf_name="N0001.pdf").execute()
    (town.settings.data / "pdf" / "N0001.pdf").unlink()
    said = restored(town, town.backup())
    assert "N0001.pdf" in said
    assert not (town.settings.data / "pdf").exists()


def test_a_machine_that_has_nothing_takes_the_town_back(town: Town, tmp_path: Path) -> None:
    path, entry = town.backup(), journal.last()
    moved = tmp_path / "backup.tar.gz"
    shutil.copyfile(path, moved)
    if not town.settings.on_postgresql:
        db.database.close()
        for each in town.settings.data.iterdir():
            if each.name not in ("kiosque.toml", moved.name):
                shutil.rmtree(each) if each.is_dir() else each.unlink()
    restored(town, moved)
    assert journal.last() == entry
    assert read(moved).entry == entry


def test_files_that_cannot_be_moved_are_told_and_the_command_ends_the_work(
    town: Town, frozen: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = town.backup()
    (town.settings.data / "texts" / "confidentialite.md").write_text("# Autre")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "move", Mock(side_effect=OSError(errno.EBUSY, "busy", "/mnt/pdf")))
        result = restore(town, path)
    assert result.exit_code == 1
    assert "La base est rétablie" in result.output
    assert "Rien n’a été changé" not in result.output
    frozen.advance(minutes=1)
    restored(town, path)
    assert (town.settings.data / "texts" / "confidentialite.md").read_text() == "# De texts\n"
