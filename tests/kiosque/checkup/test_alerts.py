"""The town's IT person is told of each trouble once, then that it is over, by real SMTP."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from unittest import mock

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner

from kiosque import backups, db
from kiosque.checkup import alerts, clocks, disk, news
from kiosque.checkup.findings import Level, Result, Trouble
from kiosque.checkup.installation import Installation as Surveyed
from kiosque.checkup.news import News
from kiosque.cli import main
from kiosque.db import leases
from kiosque.db.models import OutboxMail
from kiosque.language import clock
from kiosque.mails import delivery, direct
from kiosque.monitoring import memory
from kiosque.payments import reconcile
from tests import sentences
from tests.conftest import free_port
from tests.installation import BANK_PASSWORD, SECRET_KEY, Front, Installation
from tests.mailbox import Mailbox, text_of

#: A Tuesday; the weekly mail is on Mondays.
TUESDAY = datetime(2026, 11, 24, 19, 30, tzinfo=UTC)


@pytest.fixture
def box() -> Iterator[tuple[Mailbox, int]]:
    mailbox, port = Mailbox(), free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    yield mailbox, port
    server.stop()


class Watch:
    """A town that works, whose hourly check has been told of nothing yet."""

    def __init__(self, environ: dict[str, str], data: Path, mailbox: Mailbox) -> None:
        self.environ, self.data, self.mailbox = environ, data, mailbox

    def hour(self, **settings: str) -> News:
        return alerts.alert({**self.environ, **settings}, pause=0)

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails()]

    def mails(self) -> list[EmailMessage]:
        """Those that came since the last time."""
        came, self.mailbox.messages = self.mailbox.messages, []
        return came


@pytest.fixture
def watch(
    installation: Installation, stand: Callable[..., Front], box: tuple[Mailbox, int]
) -> Iterator[Watch]:
    environ = {
        **installation.environ,
        "KIOSQUE_PUBLIC_URL": stand().url,
        "KIOSQUE_MAIL_HOST": "127.0.0.1",
        "KIOSQUE_MAIL_PORT": str(box[1]),
        "KIOSQUE_MAIL_SECURITY": "none",
    }
    watched = Watch(environ, installation.data, box[0])
    db.configure(installation.data / "kiosque.sqlite3")
    with db.connection():
        leases.note_done(delivery.LEASE)
        leases.note_done(reconcile.LEASE)
    watched.hour()
    assert [mail["Subject"] for mail in watched.mails()] == [f"[Ville de Sautron] {ALL_WELL}"]
    yield watched
    (installation.data / memory.NAME).unlink()


ALL_WELL = sentences.ALL_WELL
Break = Callable[[Watch, ExitStack], dict[str, str]]


def no_database(watch: Watch, stack: ExitStack) -> dict[str, str]:
    base, aside = watch.data / "kiosque.sqlite3", watch.data / "aside"
    db.database.close()
    base.rename(aside)
    base.mkdir()  # or the site, which runs, makes an empty database there
    stack.callback(aside.rename, base)
    stack.callback(base.rmdir)
    return {}


def settings_refused(_watch: Watch, _stack: ExitStack) -> dict[str, str]:
    return {"KIOSQUE_TOWN_COLOUR": "bleu"}


def bank_down(_watch: Watch, _stack: ExitStack) -> dict[str, str]:
    return {"KIOSQUE_GATEWAYS_BANQUE_URL": "http://127.0.0.1:9"}


def site_down(_watch: Watch, _stack: ExitStack) -> dict[str, str]:
    return {"KIOSQUE_PUBLIC_URL": "http://127.0.0.1:9"}


def timer_stopped(_watch: Watch, stack: ExitStack) -> dict[str, str]:
    with db.connection():
        db.database.execute_sql(
            "UPDATE lease SET finished_at = '2026-11-01T00:00:00.000000Z' WHERE name = 'send-mail'"
        )
    stack.callback(leases.note_done, delivery.LEASE)
    return {}


def mail_given_up(_watch: Watch, stack: ExitStack) -> dict[str, str]:
    now = clock.now()
    with db.connection(), db.write():
        OutboxMail.create(
            key="lost", template="receipt", object_id=1, recipient="alice@example.org",
            queued_at=now, next_try_at=now, state="failed",
        )  # fmt: skip
    stack.callback(db.database.execute_sql, "DELETE FROM outbox_mail")
    return {}


def never_backed_up(_watch: Watch, stack: ExitStack) -> dict[str, str]:
    first = "SELECT MIN(applied) FROM schema_migration"
    with db.connection():
        ((made,),) = db.database.execute_sql(first).fetchall()
        db.database.execute_sql("UPDATE schema_migration SET applied = '2026-01-01 00:00:00'")
    undo = "UPDATE schema_migration SET applied = ?"
    stack.callback(db.database.execute_sql, undo, (made,))
    return {}


LATER = datetime(2126, 1, 1, tzinfo=UTC)


def backed_up_in_the_future(_watch: Watch, stack: ExitStack) -> dict[str, str]:
    with db.connection(), mock.patch.object(clock, "now", return_value=LATER):
        leases.note_done(backups.MADE)
    stack.callback(db.database.execute_sql, "DELETE FROM lease WHERE name = ?", (backups.MADE,))
    return {}


def disk_full(_watch: Watch, stack: ExitStack) -> dict[str, str]:
    stack.enter_context(mock.patch.object(disk, "BROKEN_BYTES", 10**18))
    return {}


def bank_lost_its_clock(_watch: Watch, stack: ExitStack) -> dict[str, str]:
    stack.enter_context(mock.patch.object(clocks, "LOOK_SECONDS", -1))
    return {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "subject"),
    [
        (no_database, "Base"),
        (settings_refused, "Réglages"),
        (bank_down, "Banque banque"),
        (site_down, "Adresse publique"),
        (timer_stopped, "Minuteries"),
        (mail_given_up, "Minuteries"),
        (never_backed_up, "Sauvegarde"),
        (backed_up_in_the_future, "Sauvegarde"),
        (disk_full, "Disque"),
        (bank_lost_its_clock, "Horloge"),
    ],
)
def test_a_trouble_is_told_once_and_once_more_when_it_is_over(
    watch: Watch, fault: Break, subject: str
) -> None:
    with ExitStack() as stack:
        settings = fault(watch, stack)
        watch.hour(**settings)
        (mail,) = watch.mails()
        assert mail["To"] == "info@sautron.example.org"
        assert subject in mail["Subject"]
        assert f"- {subject} (" in text_of(mail)
        watch.hour(**settings)
        watch.hour(**settings)
        # Another subject may come and go with it: without a database, the public address is unsure.
        assert not [told for told in watch.subjects() if subject in told]
    watch.hour()
    (over,) = [told for told in watch.subjects() if subject in told]
    assert over.startswith("[Ville de Sautron] Fini : ")
    watch.hour()
    assert watch.subjects() == []


def test_no_alert_holds_a_secret(watch: Watch) -> None:
    with ExitStack() as stack:
        watch.hour(**no_database(watch, stack), KIOSQUE_TOWN_COLOUR="bleu")
    (mail,) = watch.mails()
    for secret in (SECRET_KEY, BANK_PASSWORD):
        assert secret not in mail.as_string() + (watch.data / memory.NAME).read_text()


def test_while_the_mail_server_is_down_nothing_is_taken_for_told(watch: Watch) -> None:
    broken = {"KIOSQUE_GATEWAYS_BANQUE_URL": "http://127.0.0.1:9"}
    with pytest.raises(direct.NotSent):
        watch.hour(**broken, KIOSQUE_MAIL_PORT="9")
    watch.hour(**broken)
    (mail,) = watch.mails()
    assert "Banque banque" in mail["Subject"]


def test_a_trouble_that_does_not_last_is_not_told(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at again before anybody is woken."""
    answers = iter([Level.BROKEN, Level.GOOD])

    def blink(_installation: object) -> Result:
        level = next(answers)
        return Result("Disque", troubles=(Trouble(level, "plein", "…"),) if level else ())

    monkeypatch.setattr("kiosque.checkup.runner.CHECKS", {"Disque": blink})
    watch.hour()
    assert watch.subjects() == []


# --- What is new, what is over ---


@pytest.fixture
def tell(
    data: Path, box: tuple[Mailbox, int], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """An hour at which the checks find this; the subjects of the mails that came."""
    mailbox, port = box
    environ = {
        "KIOSQUE_DATA": str(data),
        "KIOSQUE_MAIL_HOST": "127.0.0.1",
        "KIOSQUE_MAIL_PORT": str(port),
        "KIOSQUE_MAIL_SECURITY": "none",
    }
    found: list[Result] = []
    monkeypatch.setattr("kiosque.checkup.runner.run", lambda _environ: list(found))

    def hour(*results: Result, at_once: int = 1) -> list[str]:
        found[:] = results
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda _: alerts.alert(environ, pause=0), range(at_once)))
        came, mailbox.messages = mailbox.messages, []
        return [str(mail["Subject"]).partition("] ")[2] for mail in came]

    return hour


def trouble(
    level: Level, what: str = "12 Mo libres", advice: str = "Faites de la place."
) -> Result:
    return Result("Disque", troubles=(Trouble(level, what, advice),))


GOOD = Result("Disque")


def at(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: instant)


def test_figures_that_change_make_no_new_trouble_and_a_worse_one_is_told(
    tell: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, TUESDAY)
    assert tell(GOOD) == [ALL_WELL]
    assert tell(trouble(Level.LOOK)) == ["À regarder : Disque"]
    assert tell(trouble(Level.LOOK, "11 Mo libres")) == []
    assert tell(trouble(Level.BROKEN, "9 Mo libres")) == ["En panne : Disque"]
    assert tell(trouble(Level.LOOK, "12 Mo libres")) == []
    assert tell(trouble(Level.BROKEN, advice="Supprimez des fichiers.")) == ["En panne : Disque"]
    assert tell(GOOD) == ["Fini : Disque"]


def test_what_cannot_be_seen_any_more_is_not_over(
    tell: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, TUESDAY)
    tell(GOOD)
    tell(trouble(Level.BROKEN))
    blind = trouble(Level.UNKNOWN, "n’a pas pu être lu", "Voyez « Base ».")
    assert tell(blind) == []
    slow = Result("Disque", troubles=(Trouble(Level.BROKEN, "pas de réponse", "…"),), whole=False)
    assert tell(slow) == ["En panne : Disque"]
    assert tell(GOOD) == ["Fini : Disque"]


def test_a_bank_that_left_the_settings_has_no_trouble_any_more(
    tell: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, TUESDAY)
    tell(GOOD)
    bank = Result("Banque b", troubles=(Trouble(Level.BROKEN, "muette", "…"),))
    assert tell(GOOD, bank) == ["En panne : Banque b"]
    assert tell(GOOD) == ["Fini : Banque b"]


def test_each_week_all_is_well_and_the_mail_says_when_the_next_comes(
    tell: Callable[..., list[str]], box: tuple[Mailbox, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, TUESDAY)
    tell(GOOD)
    assert f"{sentences.NEXT_MAIL} : lundi 30\u00a0novembre\u00a02026" in text_of(_last(box[0]))
    monday = datetime(2026, 11, 30, 6, 30, tzinfo=UTC)
    at(monkeypatch, monday)
    assert tell(GOOD) == []  # it is half past seven in Paris
    at(monkeypatch, monday + timedelta(hours=1))
    assert tell(GOOD) == [ALL_WELL]
    assert "lundi 7\u00a0décembre\u00a02026" in text_of(_last(box[0]))
    at(monkeypatch, monday + timedelta(hours=2))
    assert tell(GOOD) == []
    # A Monday without the machine: it comes as soon as it is back.
    at(monkeypatch, monday + timedelta(days=9))
    assert tell(trouble(Level.BROKEN)) == ["En panne : Disque"]
    at(monkeypatch, monday + timedelta(days=14, hours=2))
    assert tell(trouble(Level.BROKEN)) == ["Toujours en cours : Disque"]


def test_a_clock_that_went_back_does_not_silence_the_weekly_mail(
    tell: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, TUESDAY + timedelta(days=3650))
    assert tell(GOOD) == [ALL_WELL]
    at(monkeypatch, TUESDAY)
    assert tell(GOOD) == [ALL_WELL]
    assert tell(GOOD) == []


TOLD = '{"told": {"a": {"level": %s, "subject": "Base", "what": %s, "since": %s}}}'
SINCE = '"2026-11-24T10:00:00+00:00"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\udcff",
        "[]",
        "[" * 60_000,
        '{"told": [], "checked_at": 5}',
        '{"told": {}, "verify_faults": "x"}',
        '{"told": {}, "checked_at": "2026-11-24T10:00:00"}',
        '{"told": {}, "weekly_on": ""}',
        TOLD % ('"x"', '"mot"', SINCE),
        TOLD % (3, 5, SINCE),
        TOLD % (3, '"mot"', '"2026-11-24T10:00:00"'),
    ],
    ids=range(11),
)
def test_a_memory_that_is_spoiled_is_begun_again(
    tell: Callable[..., list[str]], data: Path, text: str
) -> None:
    (data / memory.NAME).write_text(text, encoding="utf-8", errors="surrogateescape")
    assert memory.read(data) == memory.Memory()
    assert tell(trouble(Level.BROKEN)) == ["En panne : Disque"]
    assert memory.read(data).told
    assert tell(GOOD) == ["Fini : Disque"]


def _last(box: Mailbox) -> EmailMessage:
    return message_from_bytes(box.raw[-1], policy=policy.default)


@pytest.mark.parametrize(
    ("today", "weekday", "following"),
    [
        (TUESDAY, "mardi", "2026-12-01"),
        (TUESDAY, "mercredi", "2026-11-25"),
        (TUESDAY, "lundi", "2026-11-30"),
        (TUESDAY, "", "2026-12-01"),
    ],
)
def test_the_next_weekly_mail_is_after_today(
    monkeypatch: pytest.MonkeyPatch, today: datetime, weekday: str, following: str
) -> None:
    at(monkeypatch, today)
    assert news.next_weekly(weekday).isoformat() == following


# --- Where it is remembered ---


def test_a_full_disk_is_told_once_all_the_same(
    tell: Callable[..., list[str]], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of what was told has its room from the start."""
    at(monkeypatch, TUESDAY)
    tell(GOOD)
    before = (data / memory.NAME).stat()
    tell(trouble(Level.BROKEN))
    after = (data / memory.NAME).stat()
    assert (after.st_ino, after.st_size, after.st_blocks) == (
        before.st_ino,
        before.st_size,
        before.st_blocks,
    )
    assert json.loads((data / memory.NAME).read_text())["told"]


@pytest.fixture
def unwritable(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The town's folder keeps what was told, and takes no more, whoever asks."""
    really_open = os.open

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).parent == data and flags & os.O_RDWR:
            raise OSError(errno.EROFS, "read-only", str(path))
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)


#: From half past eight in the evening, and around eight in the morning.
HOURS = [TUESDAY + timedelta(hours=each) for each in (0, 1, 11, 12, 13)]


def test_what_no_disk_remembers_is_told_once_a_day(
    tell: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, unwritable: None
) -> None:
    told = []
    for instant in HOURS:
        at(monkeypatch, instant)
        told.append(tell(trouble(Level.BROKEN)))
    assert told == [[], [], [], ["En panne : Disque"], []]


def test_the_weekly_mail_that_no_disk_remembers_does_not_come_each_hour(
    tell: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, unwritable: None
) -> None:
    told = []
    for instant in HOURS:
        at(monkeypatch, instant)
        told += tell(GOOD)
    assert told == [ALL_WELL]


def test_what_the_folder_does_not_take_is_remembered_in_memory(
    tell: Callable[..., list[str]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    at(monkeypatch, TUESDAY)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path_factory.mktemp("run")))
    assert tell(GOOD) == [ALL_WELL]
    request.getfixturevalue("unwritable")
    at(monkeypatch, TUESDAY + timedelta(hours=1))
    assert tell(trouble(Level.BROKEN)) == ["En panne : Disque"]
    assert tell(trouble(Level.BROKEN)) == []
    assert tell(GOOD) == ["Fini : Disque"]
    assert tell(GOOD) == []


def test_a_memory_that_is_not_written_is_a_trouble_of_the_disk(
    data: Path, surveyed: Callable[..., Surveyed]
) -> None:
    (data / memory.NAME).mkdir()
    (found,) = disk.check_disk(surveyed()).troubles
    assert (found.level, memory.NAME in found.what) == (Level.BROKEN, True)


def test_checks_at_once_tell_it_once(tell: Callable[..., list[str]]) -> None:
    """A unit that fails starts one, whatever the hour."""
    assert tell(GOOD) == [ALL_WELL]
    assert tell(trouble(Level.BROKEN), at_once=4) == ["En panne : Disque"]
    assert tell(GOOD, at_once=4) == ["Fini : Disque"]


# --- The command, and systemd ---


def test_the_command_is_silent_when_nothing_changed_and_fails_when_nobody_was_told(
    data: Path, box: tuple[Mailbox, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "KIOSQUE_DATA": str(data),
        "KIOSQUE_MAIL_HOST": "127.0.0.1",
        "KIOSQUE_MAIL_SECURITY": "none",
        "KIOSQUE_MAIL_PORT": "9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(alerts, "PAUSE_SECONDS", 0)
    monkeypatch.setattr("kiosque.checkup.runner.CHECKS", {})
    monkeypatch.setattr("kiosque.checkup.runner._checks", lambda _: iter(()))
    refused = CliRunner().invoke(main, ["alert"])
    assert refused.exit_code == 1
    assert "ConnectionRefusedError" in refused.output
    monkeypatch.setenv("KIOSQUE_MAIL_PORT", str(box[1]))
    assert CliRunner().invoke(main, ["alert"]).exit_code == 0
    assert len(box[0].messages) == 1
    assert CliRunner().invoke(main, ["alert"]).output == ""
    monkeypatch.setenv("KIOSQUE_TOWN_TECHNICAL_EMAIL", "personne")
    (data / memory.NAME).unlink()
    nobody = CliRunner().invoke(main, ["alert"])
    assert (nobody.exit_code, nobody.stdout) == (1, "")


_SYSTEMD = {
    "systemctl": 'case "$*" in *"-*@kiosque."*) echo "kiosque-mail@kiosque.service x" ;; esac',
    "journalctl": 'echo "Traceback of $2"',
}


def test_a_unit_that_failed_is_told_with_its_last_words(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, words in _SYSTEMD.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{words}\n")
        program.chmod(0o755)
    with monkeypatch.context() as machine:
        machine.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        watch.hour()
        (mail,) = watch.mails()
        assert "Services" in mail["Subject"]
        assert "Traceback of kiosque-mail@kiosque.service" in text_of(mail)
        watch.hour()
        assert watch.subjects() == []
    watch.hour()
    assert "Fini : Services" in watch.mails()[0]["Subject"]
