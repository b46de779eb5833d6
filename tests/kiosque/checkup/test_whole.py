"""`python app.py check`, as it is run: on the real site, and without changing anything."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from kiosque.checkup import http_client, report, runner
from kiosque.checkup.findings import Level
from kiosque.cli import main
from kiosque.version import VERSION
from tests import sentences
from tests.installation import (
    BANK_PASSWORD,
    PROJECT,
    SECRET_KEY,
    Front,
    Installation,
    canned,
    environment,
)
from tests.kiosque.checkup.conftest import furnish

Stand = Callable[..., Front]


def command(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", "check", *arguments],
        cwd=PROJECT,
        env={**environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files_of(data: Path) -> dict[str, str]:
    """Every file with what it holds. The WAL's index is memory shared by processes, and shows
    who reads: it is only there or not."""
    return {
        str(path.relative_to(data)): "there"
        if path.name.endswith("-shm")
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file()
    }


def rows_of(path: Path) -> str:
    """Read every row of a database in another process.

    Opening its file in this one would undo the locks of SQLite.
    """
    script = """if True:
        import apsw, sys
        base = apsw.Connection(sys.argv[1], flags=apsw.SQLITE_OPEN_READWRITE)
        tables = list(base.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
        for (name,) in tables:
            for row in base.execute(f'SELECT * FROM "{name}"'):
                print(name, row)
        base.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_good_installation_is_said_so_and_nothing_of_it_changes(
    installation: Installation, stand: Stand
) -> None:
    front = stand()
    environ = {**installation.environ, "KIOSQUE_PUBLIC_URL": front.url}
    base = installation.data / "kiosque.sqlite3"
    rows = rows_of(base)
    # A thread of the site's keeps the connection that it opened for its first request.
    http_client.ask("GET", f"{front.url}/sante", seconds=10)
    files = files_of(installation.data)
    done = command(environ, "--strict")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(f"\n\n{sentences.ALL_GOOD}\n")
    assert (done.stderr, "\033" in done.stdout) == ("", False)
    assert files_of(installation.data) == files
    assert rows_of(base) == rows
    assert "lease" in rows
    assert {asked for asked in front.asked if asked[0] == "POST"} == {
        ("POST", "/paiement/notification/banque"),
        ("POST", "/paiement/notification/tresor"),
    }
    subjects = [line.split("  ")[0] for line in done.stdout.splitlines() if line[:1].strip()]
    assert subjects == [
        f"Kiosque Famille {VERSION}",
        "Réglages", "Clés", "Horloge", "Base", "Comptes", "Disque", "Courriel", "Services",
        "Minuteries", "Sauvegarde", "Adresse publique",
        "Notification banque", "Notification tresor", "Banque banque", "Banque tresor",
        sentences.ALL_GOOD,
    ]  # fmt: skip


def bare(text: str) -> list[str]:
    """Lines without what differs from one day and machine to another: figures, and where a line
    that holds some is cut."""
    words = re.sub(r"\d+", "0", text.replace("\u00a0", " ").replace("\u202f", " ")).strip()
    words = re.sub(r"0(,0)? (Mo|Go|To) libres", "0 Go libres", words)
    words = words.replace("moins de 0 s", "0 s")
    return re.sub(r"\n {30,}(?=[^ →-])", " ", words).splitlines()


def test_the_documented_output_is_what_is_said(installation: Installation, stand: Stand) -> None:
    document = (PROJECT / "docs" / "check.md").read_text(encoding="utf-8")
    shown = document.partition("```\nRéglages")[2].partition("```")[0]
    lost = canned(301, Location="https://www.sautron.example.org/")
    front = stand(faults={"/paiement/notification/banque": lost})
    environ = {
        **installation.environ,
        "KIOSQUE_PUBLIC_URL": front.url,
        "KIOSQUE_MAIL_HOST": "127.0.0.1",
        "KIOSQUE_MAIL_PORT": "9",
        "KIOSQUE_LEGAL_DPO": "",
    }
    said = report.as_text(runner.run(environ), colour=False)
    assert bare(said) == bare(f"Réglages{shown}")


def test_a_database_that_nobody_has_open_is_left_alone_too(data: Path) -> None:
    (data / "kiosque.sqlite3-shm").unlink(missing_ok=True)
    files = files_of(data)
    assert set(files) == {"kiosque.sqlite3", "kiosque.sqlite3.lock", "kiosque.toml"}
    assert command(environment(data)).returncode == 1  # no site, no bank
    assert files_of(data) == files


def test_what_a_machine_that_stopped_had_not_put_away_is_left_where_it_is(
    data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A WAL that holds rows, and nobody there: the next who writes puts it away, not we."""
    after = tmp_path_factory.mktemp("after")
    with closing(apsw.Connection(str(data / "kiosque.sqlite3"))) as connection:
        connection.execute("UPDATE lease SET holder = 'unfinished'")
        for path in data.iterdir():
            shutil.copyfile(path, after / path.name)
    files = files_of(after)
    assert (after / "kiosque.sqlite3-wal").stat().st_size > 0
    found = {it.subject: it for it in runner.run({"KIOSQUE_DATA": str(after)})}
    assert (found["Base"].level, found["Comptes"].level) == (Level.GOOD, Level.GOOD)
    assert files_of(after) == files
    assert "unfinished" in rows_of(after / "kiosque.sqlite3")


def test_an_installation_that_is_not_there_is_no_traceback(tmp_path: Path) -> None:
    done = command(environment(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert sentences.NO_SETTINGS in done.stdout.replace("\n" + " " * 20, " ")
    assert (done.stderr, (tmp_path / "nowhere").exists()) == ("", False)


def test_a_script_reads_it_and_no_secret_is_ever_said(data: Path, template_database: Path) -> None:
    broken = environment(
        data, KIOSQUE_MAIL_HOST="127.0.0.1", KIOSQUE_MAIL_PASSWORD="canari-smtp", KIOSQUE_X="1"
    )
    done = command(broken, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["etat"]) == (1, "en-panne")
    states = {subject["sujet"]: subject["etat"] for subject in told["sujets"]}
    assert states["Réglages"] == states["Courriel"] == "en-panne"
    assert (states["Base"], states["Notification banque"]) == ("bon", "non-verifie")
    for secret in (SECRET_KEY, BANK_PASSWORD, "canari"):
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("terminal", "refused", "painted"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colours_are_for_a_terminal_that_wants_them(
    data: Path, monkeypatch: pytest.MonkeyPatch, *, terminal: bool, refused: str, painted: bool
) -> None:
    for name, value in (("KIOSQUE_DATA", str(data)), ("NO_COLOR", refused)):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("kiosque.cli.check._is_terminal", lambda: terminal)
    result = CliRunner().invoke(main, ["check"], color=True)
    assert result.exit_code == 1
    assert ("\033[" in result.output) == painted


def test_options_mistyped_are_a_fault_of_usage(data: Path) -> None:
    assert command(environment(data), "--stricte").returncode == 2


@pytest.mark.slow
def test_the_timers_commands_are_seen_to_have_run(data: Path, template_database: Path) -> None:
    furnish(data, template_database)
    with closing(apsw.Connection(str(data / "kiosque.sqlite3"))) as connection:
        connection.execute("DELETE FROM lease")
        connection.execute("UPDATE schema_migration SET applied = '2026-01-01 00:00:00'")

    def state() -> Level:
        found = runner.run({"KIOSQUE_DATA": str(data)})
        return next(it.level for it in found if it.subject == "Minuteries")

    assert state() is Level.BROKEN
    for words in (["send-mail"], ["reconcile"], ["verify"], ["forget", "--yes"]):
        ran = subprocess.run(
            [sys.executable, "app.py", *words],
            cwd=PROJECT,
            env=environment(data),
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 0
    assert state() is Level.GOOD
