"""Faults of the machine itself are found: settings, keys, database, accounts, disks, timers."""

import os
import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from gateways import registry
from kiosque import db, privacy
from kiosque.checkup import database, disk, sqlite_file, timers
from kiosque.checkup import settings as settings_check
from kiosque.checkup.findings import Findings, Level, Result
from kiosque.checkup.installation import Installation as Surveyed
from kiosque.db import leases, write
from kiosque.db.fields import to_text
from kiosque.db.models import OutboxMail
from kiosque.db.states import MailState, NoticeKind
from kiosque.language import clock
from kiosque.mails import delivery
from kiosque.monitoring import memory
from kiosque.outbox import queue
from kiosque.payments import Purchase, reconcile, start
from kiosque.staff import town_settings
from kiosque.staff.events import TERMINAL
from tests import sentences
from tests.bank import KEY
from tests.conftest import PUBLIC_URL, make_family, make_invoice

Settle = Callable[..., Surveyed]
LIVE = {
    "KIOSQUE_ENVIRONMENT": "production",
    "KIOSQUE_PUBLIC_URL": "https://kiosque.sautron.example.org",
    "KIOSQUE_MAIL_HOST": "smtp.sautron.example.org",
}


def told(result: Result) -> str:
    """All that is said, with plain spaces."""
    parts = [result.detail, *(f"{it.what} → {it.advice}" for it in result.troubles)]
    return "\n".join(parts).replace("\u00a0", " ")


# --- Settings and keys ---


def test_good_settings_are_said_in_a_few_words(surveyed: Settle) -> None:
    here = surveyed()
    assert settings_check.check_settings(here) == Result("Réglages", "test (essai)")
    keys = settings_check.check_keys(here)
    assert keys.level is Level.GOOD
    states = {"banque": sentences.IN_FORCE, "tresor": sentences.IN_RESERVE}
    for name, state in states.items():
        assert f"{name} ({here.gateways[name].label}) {state}" in keys.detail
    unasked = settings_check.check_keys(surveyed(KIOSQUE_GATEWAYS_BANQUE_PASSWORD=""))
    assert f"{sentences.IN_FORCE}, {sentences.NEVER_ASKED}" in unasked.detail


def test_every_fault_is_told_at_once_each_with_its_subject_and_no_value(
    surveyed: Settle, data: Path
) -> None:
    (data / "texts").mkdir()
    (data / "texts" / "autre.md").write_text("# Autre")
    here = surveyed(
        KIOSQUE_MAIL_PORT="canari",
        KIOSQUE_TOWN_NAME="",
        KIOSQUE_PUBLIK="canari",
        KIOSQUE_GATEWAYS_BANQUE_KEY="canari",
        KIOSQUE_GATEWAYS_TRESOR_MODE="canari",
        KIOSQUE_SECRET_KEY="canari",
    )
    settings, keys = settings_check.check_settings(here), settings_check.check_keys(here)
    assert (settings.level, keys.level) == (Level.BROKEN, Level.BROKEN)
    text = f"texts/autre.md : {sentences.UNKNOWN_TEXT}"
    for words in ("mail.port", "town.name", "KIOSQUE_PUBLIK", text):
        assert words in told(settings)
    for words in ("gateways.banque.key", "gateways.tresor.mode", "secret_key"):
        assert words in told(keys)
        assert words not in told(settings)
    assert "canari" not in told(settings) + told(keys)
    assert str(data / "kiosque.toml") in told(settings)


def test_without_its_legal_texts_a_site_is_to_be_looked_at(surveyed: Settle, data: Path) -> None:
    result = settings_check.check_settings(surveyed(KIOSQUE_TOWN_HOST="", KIOSQUE_LEGAL_DPO=""))
    assert result.level is Level.LOOK
    assert f"{sentences.LACKING} : town.host, legal.dpo" in told(result)
    (data / "texts").mkdir()
    for name in ("mentions-legales", "confidentialite"):
        (data / "texts" / f"{name}.md").write_text("# Le nôtre\n")
    assert (
        settings_check.check_settings(surveyed(KIOSQUE_TOWN_HOST="", KIOSQUE_LEGAL_DPO="")).level
        is Level.GOOD
    )


def test_what_the_town_hall_wrote_counts_as_its_legal_texts(surveyed: Settle) -> None:
    with db.connection():
        for name in ("mentions-legales", "confidentialite"):
            town_settings.change_text(name, "# Le nôtre\n", TERMINAL)
    lacking = surveyed(KIOSQUE_TOWN_HOST="", KIOSQUE_LEGAL_DPO="")
    assert settings_check.check_settings(lacking).level is Level.GOOD


def test_values_left_from_an_example_are_named_in_production(surveyed: Settle, data: Path) -> None:
    data.chmod(0o750)
    path = data / "kiosque.toml"
    shop = '[gateways.ville]\nadapter = "lyra"\nsite_id = "12345678"\nmode = "PRODUCTION"\n'
    kept = path.read_text().partition("[gateways.")[0].replace('"banque"', '"ville"')
    path.write_text(f'{kept}{shop}production_key = "{KEY}"\n')
    left = settings_check.check_settings(
        surveyed(**LIVE, KIOSQUE_TOWN_HOST="...", KIOSQUE_REGIE_REGISSEUR="...")
    )
    assert left.level is Level.LOOK
    assert f"{sentences.EXAMPLES_LEFT} : town.contact_email" in told(left)
    for name in ("town.host", "regie.regisseur", "legal.dpo", "mail.sender", "mail.host"):
        assert name in told(left)
    for name in ("town.name", "town.website", "regie.name"):
        assert name not in told(left)


def test_the_bank_of_another_regie_is_in_force_as_well(surveyed: Settle, data: Path) -> None:
    with (data / "kiosque.toml").open("a") as file:
        file.write(
            '[regies.creche]\nname = "Régie de la crèche"\nregisseur = "Camille Roux"\n'
            'services = ["Multi-accueil"]\ngateway = "tresor"\n'
        )
    here = surveyed()
    in_force = f"tresor ({here.gateways['tresor'].label}) {sentences.IN_FORCE}"
    assert in_force in settings_check.check_keys(here).detail


def test_what_only_a_rehearsal_may_have_is_named_in_production(
    surveyed: Settle, data: Path
) -> None:
    with (data / "kiosque.toml").open("a") as file:
        file.write(
            f'[gateways.ville]\nadapter = "lyra"\nsite_id = "12345678"\ntest_key = "{KEY}"\n'
        )
    (data / "kiosque.toml").chmod(0o644)
    data.chmod(0o755)
    here = surveyed(
        **LIVE, FLASK_DEBUG="1", KIOSQUE_SECRET_KEY="motdepasse-exemple-0123456789-azerty"
    )
    settings, keys = (
        told(settings_check.check_settings(here)),
        told(settings_check.check_keys(here)),
    )
    for words in (sentences.OPEN_TO_ALL, "chmod 750", "FLASK_DEBUG"):
        assert words in settings
    for words in (
        "gateways.ville.mode : attendu PRODUCTION",
        f"gateways.banque.adapter : {sentences.NO_MOCK_BANK_HERE}",
        f"secret_key : {sentences.OF_AN_EXAMPLE}",
    ):
        assert words in keys
    assert KEY not in settings + keys


@pytest.mark.parametrize("toml", ["", "x", "town = 1", "environment = 3", "[gateways]\nbanque = 1"])
def test_settings_that_hold_nothing_leave_something_to_check(
    surveyed: Settle, data: Path, toml: str
) -> None:
    (data / "kiosque.toml").write_text(toml)
    here = surveyed()
    assert Level.BROKEN in (
        settings_check.check_settings(here).level,
        settings_check.check_keys(here).level,
    )
    assert database.check_database(here).level is Level.GOOD
    assert database.check_books(here).level is Level.GOOD
    assert disk.check_disk(here).level is Level.GOOD


# --- The database ---


def test_a_good_database_is_of_this_version_and_its_books_hold(surveyed: Settle) -> None:
    here = surveyed()
    result, books = database.check_database(here), database.check_books(here)
    assert (result.level, books.level) == (Level.GOOD, Level.GOOD)
    assert f"SQLite {apsw.sqlite_lib_version()}" in result.detail
    assert result.detail.endswith(sentences.UP_TO_DATE)
    assert books.detail.startswith(sentences.INTACT)
    assert sentences.numbers(books.detail) == [0]


def test_without_a_database_none_is_made(surveyed: Settle, data: Path) -> None:
    (data / "kiosque.sqlite3").unlink()
    shutil.rmtree(data / "absent", ignore_errors=True)
    for here in (surveyed(), surveyed(KIOSQUE_DATABASE=str(data / "absent" / "kiosque.sqlite3"))):
        assert sentences.NO_DATABASE in told(database.check_database(here))
        assert database.check_books(here).level is Level.UNKNOWN
        assert timers.check_timers(here).level is Level.UNKNOWN
    assert not (data / "kiosque.sqlite3").exists()
    assert not (data / "absent").exists()


def test_an_address_in_the_place_of_a_path_is_not_said(surveyed: Settle, data: Path) -> None:
    here = surveyed(KIOSQUE_DATABASE="mysql://kiosque:canari@127.0.0.1:9/kiosque")
    results = [
        check(here)
        for check in (
            database.check_database,
            database.check_books,
            timers.check_timers,
            disk.check_disk,
        )
    ]
    assert results[0].level is Level.UNKNOWN
    assert "canari" not in "".join(map(told, (*results, settings_check.check_settings(here))))


def test_a_database_that_is_none_or_is_damaged_is_told(surveyed: Settle, data: Path) -> None:
    path = data / "kiosque.sqlite3"
    good = path.read_bytes()
    path.write_bytes(b"ce n'est pas une base" * 500)
    assert sentences.DAMAGED_DATABASE in told(database.check_database(surveyed()))
    damaged = bytearray(good)
    for page in range(2, len(good) // 4096):  # all but the first: the tables' own description
        damaged[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(damaged)
    result = database.check_database(surveyed())
    assert result.level is Level.BROKEN
    assert sentences.DAMAGED_DATABASE in told(result)
    assert path.read_bytes() == bytes(damaged)
    assert database.check_books(surveyed()).level in (Level.UNKNOWN, Level.BROKEN)


def test_an_empty_file_or_another_way_of_writing_is_not_put_right(
    surveyed: Settle, data: Path
) -> None:
    path = data / "kiosque.sqlite3"
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("journal_mode", "delete")
    for content in (path.read_bytes(), b""):
        path.write_bytes(content)
        result = database.check_database(surveyed())
        assert f"{sentences.UNPREPARED_DATABASE} (journal_mode vaut delete)" in told(result)
        assert database.check_books(surveyed()).level is Level.UNKNOWN
        assert path.read_bytes() == content


def change(data: Path, sql: str) -> None:
    with closing(apsw.Connection(str(data / "kiosque.sqlite3"))) as connection:
        connection.execute(sql)


def test_rows_without_what_they_refer_to_are_told(surveyed: Settle, data: Path) -> None:
    change(
        data,
        "INSERT INTO account (family_id, password_hash, must_change_password) VALUES (7, 'x', 0)",
    )
    assert f"1 {sentences.ORPHANS} (account)" in told(database.check_database(surveyed()))


def test_a_database_of_an_earlier_version_is_told(surveyed: Settle, data: Path) -> None:
    change(
        data, "DELETE FROM schema_migration WHERE name = (SELECT max(name) FROM schema_migration)"
    )
    (trouble,) = database.check_database(surveyed()).troubles
    assert sentences.OLDER_DATABASE in trouble.what
    assert sentences.numbers(trouble.what) == [1]
    assert "python app.py migrate" in trouble.advice


def test_a_database_of_a_later_version_is_told(surveyed: Settle, data: Path) -> None:
    change(data, "UPDATE schema_migration SET name = '9999_later' WHERE name LIKE '0002%'")
    (trouble,) = database.check_database(surveyed()).troubles
    assert "9999_later" in trouble.what


def test_books_that_do_not_hold_are_told_in_part(surveyed: Settle, data: Path) -> None:
    for number in range(8):
        change(
            data,
            "INSERT INTO settlement (family_id, mode, amount_cents, settled_at, state, author, "
            "reason, returned_cents, authorisation, card_brand, card_last4) "
            f"VALUES ({number}, 'cash', 100, '', 'counted', 'x', 'y', 0, '', '', '')",
        )
    result = database.check_books(surveyed())
    assert result.level is Level.BROKEN
    assert len(result.troubles) == 6
    assert sentences.WRONG_PARTS in told(result)
    assert sentences.numbers(result.troubles[-1].what) == [11]


def test_what_the_database_still_needs_of_the_settings_is_told(
    surveyed: Settle, data: Path
) -> None:
    table = {"adapter": "sandbox", "url": "http://127.0.0.1:9", "key": KEY}
    former = registry.configure("ancienne", table, environment="test")
    with db.connection():
        family = make_family("F1001", "Martin")
        make_invoice(family, "2026-10-0001", regie="sport")
        payable = make_invoice(family, "2026-10-0002")
        start(Purchase(family, [payable.number], payable.total_cents, None), former, PUBLIC_URL)
    result = database.check_books(surveyed())
    assert result.level is Level.BROKEN
    assert "remettez [gateways.ancienne] →" in told(result)
    assert "remettez [regies.sport] →" in told(result)
    assert sentences.INTACT in told(result)


def test_gateways_of_every_regie_are_in_force(surveyed: Settle, data: Path) -> None:
    with (data / "kiosque.toml").open("a") as file:
        file.write(
            '[regies.sport]\nname = "Régie Sport"\nregisseur = "Camille Roux"\n'
            'services = ["Piscine"]\ngateway = "tresor"\n'
        )
    here = surveyed()
    assert here.settings is not None
    assert here.in_force == set(here.settings.gateways_in_force) == {"banque", "tresor"}
    assert sentences.IN_RESERVE not in settings_check.check_keys(here).detail


def test_a_writer_that_does_not_end_is_told(
    surveyed: Settle, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_PATIENCE_MS", 1)
    with closing(apsw.Connection(str(data / "kiosque.sqlite3"))) as other:
        other.execute("BEGIN IMMEDIATE")
        assert sentences.WRITER_WITHOUT_END in told(database.check_database(surveyed()))
        other.execute("ROLLBACK")
        assert database.check_database(surveyed()).level is Level.GOOD


def test_files_of_several_accounts_or_open_to_all_are_told(
    surveyed: Settle, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = data / "kiosque.sqlite3"
    data.chmod(0o755)
    path.chmod(0o644)
    assert database.check_database(surveyed()).level is Level.GOOD  # in a rehearsal
    assert sentences.OPEN_TO_ALL in told(database.check_database(surveyed(**LIVE)))
    data.chmod(0o750)
    assert sentences.OPEN_TO_ALL not in told(database.check_database(surveyed(**LIVE)))
    if os.getuid() == 0:
        lock = data / "kiosque.sqlite3.lock"
        lock.touch()
        os.chown(lock, 12345, 12345)
        assert sentences.SEVERAL_OWNERS in told(database.check_database(surveyed()))
        for file in (data, *data.iterdir()):
            os.chown(file, 12345, 12345)
        result = told(database.check_database(surveyed()))
        assert sentences.RUN_BY_ROOT in result
        assert sentences.SEVERAL_OWNERS not in result
    monkeypatch.setattr(sqlite_file.os, "access", lambda path, _: "lock" not in str(path))
    (data / "kiosque.sqlite3.lock").touch()
    result = database.check_database(surveyed())
    assert f"{sentences.WRITING_FORBIDDEN} : kiosque.sqlite3.lock" in told(result)


def test_the_files_that_sqlite_takes_away_meanwhile_are_no_fault(
    surveyed: Settle, data: Path
) -> None:
    """The other checks open the database and close it, and the last one to close removes its
    WAL."""
    base, stopped = data / "kiosque.sqlite3", threading.Event()

    def come_and_go() -> None:
        while not stopped.is_set():
            with closing(apsw.Connection(str(base))) as connection:
                connection.pragma("user_version")

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        for _ in range(500):
            found = Findings()
            sqlite_file.check_files(base, found, live=False)
            assert sqlite_file.describe(base)
            assert not any(it.level == Level.BROKEN for it in found.result("Base").troubles)
    finally:
        stopped.set()
        other.join()


def test_a_database_on_a_disk_of_the_network_is_told(
    surveyed: Settle, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounts = tmp_path / "mounts"
    lines = [
        "rootfs / ext4 rw 0 0",
        f"serveur:/partage {data.parent} nfs4 rw 0 0",
        f"x {data}\\040autre ext4 rw 0 0",
    ]
    mounts.write_text("\n".join(lines))
    monkeypatch.setattr(sqlite_file, "MOUNTS", mounts)
    assert f"{sentences.NETWORK_DISK} (nfs4)" in told(database.check_database(surveyed()))
    assert sqlite_file.file_system(Path(f"{data} autre")) == "ext4"
    assert sqlite_file.file_system(Path("/etc")) == "ext4"
    monkeypatch.setattr(sqlite_file, "MOUNTS", tmp_path / "absent")
    assert sqlite_file.file_system(data) == ""


def test_too_old_a_library_is_told(surveyed: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosque.db.sqlite.OLDEST", (99, 0, 0))
    assert f"99.0.0 {sentences.TOO_OLD}" in told(database.check_database(surveyed()))


# --- Disks ---


def test_room_is_measured_against_what_is_wanted(
    surveyed: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = surveyed()
    assert disk.check_disk(here).level is Level.GOOD
    assert "libres" in disk.check_disk(here).detail
    monkeypatch.setattr(disk, "LOOK_BYTES", 2**62)
    assert disk.check_disk(here).level is Level.LOOK
    monkeypatch.setattr(disk, "BROKEN_BYTES", 2**62)
    assert sentences.DISK_FULL in told(disk.check_disk(here))
    assert "journalctl --vacuum-size" in told(disk.check_disk(here))


def test_files_that_cannot_be_made_any_more_are_told(
    surveyed: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs

    def few(left: float, flag: int = 0) -> Callable[[Path], os.statvfs_result]:
        def statvfs(path: Path) -> os.statvfs_result:
            values = [*real(path)]
            values[5:8] = [1000, int(1000 * left), int(1000 * left)]
            values[8] |= flag
            return os.statvfs_result(values)

        return statvfs

    for left, words in ((0.04, sentences.FEW_INODES), (0.001, sentences.NO_INODES)):
        monkeypatch.setattr(disk.os, "statvfs", few(left))
        assert words in told(disk.check_disk(surveyed()))
    monkeypatch.setattr(disk.os, "statvfs", few(0.5, os.ST_RDONLY))
    assert sentences.DISK_READ_ONLY in told(disk.check_disk(surveyed()))


# --- Timers and mails ---


def later(monkeypatch: pytest.MonkeyPatch, **delay: float) -> None:
    at = clock.now() + timedelta(**delay)
    monkeypatch.setattr(clock, "now", lambda: at)


def test_timers_that_ran_just_now_are_well(surveyed: Settle) -> None:
    result = timers.check_timers(surveyed())
    assert result.level is Level.GOOD
    assert "dernier reconcile il y a 1 minute" in told(result)
    assert "dernier send-mail il y a 1 minute" in told(result)


@pytest.mark.parametrize(
    ("delay", "level"),
    [
        ({"minutes": 9}, Level.GOOD),
        ({"minutes": 11}, Level.LOOK),
        ({"hours": 3}, Level.BROKEN),
        ({"minutes": -11}, Level.LOOK),
    ],
)
def test_a_timer_that_stopped_is_told_with_its_command(
    surveyed: Settle, monkeypatch: pytest.MonkeyPatch, delay: dict[str, float], level: Level
) -> None:
    here = surveyed()
    later(monkeypatch, **delay)
    assert timers.check_timers(here).level is level


def test_a_timer_that_never_ran_is_told_once_the_database_is_not_new(
    surveyed: Settle, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(data, "DELETE FROM lease WHERE name = 'send-mail'")
    change(data, "UPDATE schema_migration SET applied = datetime('now', 'localtime')")
    assert timers.check_timers(surveyed()).level is Level.GOOD
    assert f"send-mail {sentences.NEVER_FINISHED}" in told(timers.check_timers(surveyed()))
    later(monkeypatch, hours=3)
    with db.connection():
        leases.note_done(reconcile.LEASE)
    result = timers.check_timers(surveyed())
    assert result.level is Level.BROKEN
    (trouble,) = result.troubles
    assert sentences.NEVER_FINISHED in trouble.what
    assert "python app.py send-mail" in trouble.advice


NIGHTLY = pytest.mark.parametrize("command", ["verify", "forget"])


def done_just_now(data: Path) -> None:
    """Everything that a timer does."""
    memory.note_verified(data, 0)
    with db.connection():
        for name in (reconcile.LEASE, delivery.LEASE, privacy.LEASE):
            leases.note_done(name)


@NIGHTLY
@pytest.mark.parametrize(("hours", "level"), [(29, 0), (31, Level.LOOK), (97, Level.BROKEN)])
def test_what_is_no_longer_done_each_night_is_told_with_its_command(
    surveyed: Settle,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    hours: int,
    level: int,
) -> None:
    done_just_now(data)
    verified, forgotten = memory.read(data).verified_at, clock.now()
    later(monkeypatch, hours=hours)
    done_just_now(data)
    if command == "verify":
        memory.change(data, lambda before: replace(before, verified_at=verified))
    else:
        change(data, f"UPDATE lease SET finished_at = '{to_text(forgotten)}' WHERE name = 'forget'")
    result = timers.check_timers(surveyed())
    assert result.level == level
    commands = [f"python app.py {command}"] if level else []
    assert [it.advice.split("« ")[1].split(" »")[0] for it in result.troubles] == commands


@NIGHTLY
def test_a_nightly_timer_that_is_new_with_a_version_does_not_break_its_upgrade(
    surveyed: Settle, data: Path, command: str
) -> None:
    done_just_now(data)
    change(data, "UPDATE schema_migration SET applied = '2026-01-01 00:00:00'")
    if command == "verify":
        (data / memory.NAME).unlink()
    else:
        change(data, "DELETE FROM lease WHERE name = 'forget'")
    result = timers.check_timers(surveyed())
    assert result.level is Level.LOOK
    assert f"{command} {sentences.NEVER_FINISHED}" in told(result)


def enqueue(template: str, key: str) -> None:
    with db.connection(), write():
        queue.add(key, template, 1, "alice@example.org")


def test_mails_that_wait_too_long_or_were_given_up_are_told(
    surveyed: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue("receipt", "a")
    enqueue(NoticeKind.REMINDER, "b")
    assert sentences.numbers(timers.check_timers(surveyed()).detail)[-1] == 2
    for hours, late in ((2, 1), (25, 2)):
        later(monkeypatch, hours=hours)
        with db.connection():
            leases.note_done(delivery.LEASE)
            leases.note_done(reconcile.LEASE)
        result = timers.check_timers(surveyed())
        assert result.level is Level.LOOK
        (trouble,) = result.troubles
        assert sentences.WAITING_TOO_LONG in trouble.what
        assert sentences.numbers(trouble.what) == [late]
    with db.connection(), write():
        OutboxMail.update(state=MailState.FAILED).execute()
    result = timers.check_timers(surveyed())
    assert [sentences.numbers(trouble.what) for trouble in result.troubles] == [[2]]
    assert "python app.py mails" in told(result)
    assert "alice" not in told(result)
