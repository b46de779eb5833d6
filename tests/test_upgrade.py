"""A machine of an earlier version comes to this one, with its towns and their money, and back.

Under another root: the trees of then are real, their databases and migrations too; the libraries
are those of the tests, systemd is a script that writes down what it is asked, and accounts are one.
"""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosque.upgrade import Failed, Machine
from kiosque.version import VERSION
from tests import sentences
from tests.load.process import PROJECT
from tests.sites import settle

#: Where this way of upgrading begins, and 150 commits before.
EARLIER = ("3fbd047f", "3fbd047f~150")
TOWNS = ("orvault", "sautron")
HOST = "kiosque.orvault.example.org"

_PROGRAMS = {
    "id": 'case $1 in kiosque-*) exit ;; esac\nexec /usr/bin/id "$@"',
    "runuser": 'shift 3; exec "$@"',
    # `fails` names what it refuses once; `kills`, what ends who asks it, as a power cut would.
    "systemctl": """
echo "$*" >>"$STAGE/asked"
case $1 in
    list-unit-files) ls "$DESTDIR/etc/systemd/system" | grep '@' | sed 's/$/ enabled/'; exit ;;
esac
if [ -f "$STAGE/kills" ] && echo "$*" | grep -q "$(cat "$STAGE/kills")"; then
    kill -9 "$(ps -o ppid= -p "$PPID" | tr -d ' ')"
fi
[ -f "$STAGE/fails" ] && echo "$*" | grep -q "$(cat "$STAGE/fails")" || exit 0
rm "$STAGE/fails" && exit 1
""",
    # In the place of a version's own environment: the libraries of the tests.
    "python-of-tests": '[ "$1" = -m ] || exec {python} "$@"\n'
    'mkdir -p "$3/bin" && cp "$STAGE/programs/python-of-version" "$3/bin/python"',
    "python-of-version": 'case $* in *"pip install"*) exit ;; esac\nexec {python} "$@"',
}
_PAY = """
from kiosque import create_app, db
from kiosque.db.models import Invoice
from kiosque.payments import Purchase, start
from tests.bank import notice

site = create_app()
bank, address = site.extensions["gateways"]["banque"], site.extensions["settings"].public_url
with db.connection():
    due = list(Invoice.select().where(Invoice.state == "open").limit(3))
for invoice in due:
    with db.connection():
        purchase = Purchase(invoice.family, [invoice.number], invoice.total_cents, None)
        _, handoff = start(purchase, bank, address)
    told = site.test_client().post("/paiement/notification/banque", data=notice(handoff))
    assert told.status_code == 200
"""
_LATER = """
def up(migrator, database):
    database.execute_sql("CREATE TABLE later (id INTEGER PRIMARY KEY)")
"""
_MONEY = """
SELECT number, debit, credit, amount_cents, hash FROM journal_entry;
SELECT reference, state, amount_cents FROM attempt; SELECT number, issued_at FROM receipt;
SELECT number, total_cents FROM invoice WHERE state = 'paid'
"""


@dataclass
class Stage:
    """A machine under `root`; `programs` are found before the real ones."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def in_force(self) -> str:
        """The version by which towns are served; its files are those that are in place."""
        tree = self.root / "srv/kiosque"
        for name in ("kiosque-web@.service", "kiosque-mail@.timer", "kiosque-.service.d/town.conf"):
            placed = self.root / "etc/systemd/system" / name
            assert placed.read_text() == (tree / "deploy/systemd" / name).read_text()
        for name, place in (
            ("kiosque", "usr/local/bin/kiosque"),
            ("nginx/kiosque.conf", "etc/nginx/conf.d/kiosque.conf"),
        ):
            assert (self.root / place).read_text() == (tree / "deploy" / name).read_text()
        return (tree / "kiosque/version.py").read_text().split('"')[-2]

    def data(self, town: str) -> Path:
        return self.root / "var/lib/kiosque" / town

    def run(
        self, *command: object, town: str = "", cwd: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        kept = {name: it for name, it in os.environ.items() if not name.startswith("KIOSQUE_")}
        own = {
            "DESTDIR": str(self.root),
            "PATH": f"{self.folder}/programs:{kept['PATH']}",
            "PYTHON": f"{self.folder}/programs/python-of-tests",
            "PYTHONPATH": str(PROJECT),  # for `tests`, behind the folder's own
            "STAGE": str(self.folder),
        }
        if town:
            own["KIOSQUE_CONFIG"] = f"{self.root}/etc/kiosque/{town}.toml"
            own["KIOSQUE_DATA"] = str(self.data(town))
        return subprocess.run(
            [*map(str, command)],
            cwd=cwd or self.root / "srv/kiosque",
            env={**kept, **own},
            capture_output=True,
            text=True,
            check=False,
        )

    def town_runs(self, town: str, *arguments: str) -> str:
        done = self.run(sys.executable, *arguments, town=town)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def upgrade(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """As root types it: by the new version's own command."""
        tree = self.root / "opt/kiosque" / VERSION
        return self.run("sh", tree / "deploy/kiosque", "upgrade", *arguments)

    def money(self, town: str) -> str:
        base = str(self.data(town) / "kiosque.sqlite3")
        return self.town_runs(town, "-m", "apsw", base, _MONEY)


def a_stage(folder: Path) -> Stage:
    programs = folder / "programs"
    programs.mkdir()
    for name, text in _PROGRAMS.items():
        script = text.replace("{python}", sys.executable)
        (programs / name).write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        (programs / name).chmod(0o755)
    return Stage(folder)


def a_release(folder: Path) -> Path:
    """The project as a later version, in a folder of its name."""
    tree = folder / "kiosque-famille-9.0.0"
    for name in ("app.py", "kiosque", "gateways", "templates", "data/demo", "deploy", "docs"):
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        copy(PROJECT / name, tree / name)
    for pattern in ("*.md", "*.txt", "LICENSE", "pyproject.toml"):
        for path in PROJECT.glob(pattern):
            shutil.copy(path, tree)
    (tree / "kiosque/version.py").write_text('"""Said here."""\n\nVERSION = "9.0.0"\n')
    return tree


def as_it_was(stage: Stage, commit: str) -> None:
    """As docs/install.md of then says: the project in /srv/kiosque, its files copied."""
    tree = stage.root / "srv/kiosque"
    tree.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", commit], cwd=PROJECT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"the history does not go back to {commit}")
    subprocess.run(["tar", "-x", "-C", tree], input=archive.stdout, check=True)
    stage.run(stage.folder / "programs/python-of-tests", "-m", "venv", tree / ".venv")
    deploy, etc = tree / "deploy", stage.root / "etc"
    shutil.copytree(deploy / "systemd", etc / "systemd/system")
    for folder in ("conf.d", "sites-enabled", "snippets"):
        (etc / "nginx" / folder).mkdir(parents=True)
    shutil.copy(deploy / "nginx/kiosque.conf", etc / "nginx/conf.d")
    (stage.root / "usr/local/bin").mkdir(parents=True)
    shutil.copy(deploy / "kiosque", stage.root / "usr/local/bin")
    (etc / "kiosque").mkdir()


def settle_town(stage: Stage, town: str) -> None:
    """A town that invoices, and has been paid at the counter and online."""
    stage.data(town).mkdir(parents=True, mode=0o750)
    settle(stage.data(town), f"https://{town}.example.org", proxy="unix", letters=False)
    settings = stage.root / "etc/kiosque" / f"{town}.toml"
    (stage.data(town) / "kiosque.toml").rename(settings)
    template = (stage.root / "srv/kiosque/deploy/nginx/sautron.conf").read_text()
    written = template.replace("kiosque.sautron.fr", HOST).replace("sautron", town)
    (stage.root / f"etc/nginx/sites-enabled/{town}.conf").write_text(written)
    stage.town_runs(town, "app.py", "migrate")
    for name in ("familles", "factures-2026-10"):
        stage.town_runs(town, "app.py", "import", f"data/demo/{name}.csv")
    stage.town_runs(town, "-c", _PAY)
    assert stage.town_runs(town, "app.py", "verify")


def put_beside(stage: Stage) -> None:
    for _ in range(2):
        done = stage.run("sh", PROJECT / "deploy/install")
        assert done.returncode == 0, done.stderr
        assert f"deploy/kiosque upgrade {VERSION}" in done.stdout
    assert stage.in_force == "0.2.0"


@pytest.fixture(params=[EARLIER[0], pytest.param(EARLIER[1], marks=pytest.mark.proof)])
def earlier(tmp_path: Path, request: pytest.FixtureRequest) -> Stage:
    stage = a_stage(tmp_path)
    as_it_was(stage, request.param)
    settle_town(stage, "sautron")
    put_beside(stage)
    return stage


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = a_stage(tmp_path_factory.mktemp("stage"))
    as_it_was(stage, EARLIER[1])
    settle_town(stage, "sautron")
    for place in ("etc/kiosque/{}.toml", "etc/nginx/sites-enabled/{}.conf", "var/lib/kiosque/{}"):
        first, second = (stage.root / place.format(town) for town in reversed(TOWNS))
        subprocess.run(["cp", "-r", first, second], check=True)
    put_beside(stage)
    return stage


@pytest.fixture
def two_towns(made: Stage, tmp_path: Path) -> Stage:
    shutil.copytree(made.folder, tmp_path / "stage", symlinks=True)
    return Stage(tmp_path / "stage")


def is_as_before(stage: Stage, made: Stage) -> bool:
    """Every town is served by the version of before, on its database of before."""
    assert stage.in_force == "0.2.0"
    for town in TOWNS:
        assert stage.money(town) == made.money(town)
        assert stage.town_runs(town, "app.py", "migrate") == f"{sentences.DATABASE_UP_TO_DATE}\n"
        stage.town_runs(town, "app.py", "verify")
        assert not (stage.root / f"run/kiosque/{town}.stopped").exists()
    last = stage.folder.joinpath("asked").read_text().splitlines()[-len(TOWNS) * 6 :]
    return all(any(line.startswith("start") and town in line for line in last) for town in TOWNS)


@pytest.mark.slow
def test_an_earlier_machine_comes_to_this_version_and_goes_back(earlier: Stage) -> None:
    stage, money = earlier, earlier.money("sautron")
    assert money.count("KF") >= 3
    settings = (stage.root / "etc/kiosque/sautron.toml").read_bytes()
    done = stage.upgrade(VERSION)
    assert done.returncode == 0, done.stderr
    assert stage.in_force == VERSION
    assert stage.money("sautron") == money
    stage.town_runs("sautron", "app.py", "verify")
    town = (stage.root / "etc/nginx/sites-enabled/sautron.conf").read_text()
    assert HOST in town
    assert "kiosque.sautron.fr" not in town
    assert stage.upgrade(VERSION).returncode == 1, "it is in force already"
    done = stage.upgrade("--back")
    assert done.returncode == 0, done.stderr
    assert stage.in_force == "0.2.0"
    assert stage.money("sautron") == money
    assert stage.town_runs("sautron", "app.py", "migrate") == f"{sentences.DATABASE_UP_TO_DATE}\n"
    stage.town_runs("sautron", "app.py", "verify")
    assert (stage.root / "etc/kiosque/sautron.toml").read_bytes() == settings
    assert stage.upgrade("--back").returncode == 1, "nothing is left to undo"


@pytest.mark.slow
@pytest.mark.proof
def test_a_town_whose_database_does_not_follow_leaves_every_town_as_before(
    two_towns: Stage, made: Stage
) -> None:
    """The last town's: the other's database has changed already."""
    base = two_towns.data("sautron") / "kiosque.sqlite3"
    two_towns.town_runs("sautron", "-m", "apsw", str(base), "DROP TABLE token")
    done = two_towns.upgrade(VERSION)
    assert done.returncode == 1
    assert "sautron : " in done.stderr
    assert "Traceback" not in done.stderr
    assert "  File " not in done.stderr
    assert is_as_before(two_towns, made)


@pytest.mark.slow
@pytest.mark.proof
def test_a_door_that_does_not_open_leaves_every_town_as_before(
    two_towns: Stage, made: Stage
) -> None:
    """The new version's link and files are in place by then."""
    (two_towns.folder / "fails").write_text("^start .*kiosque-web@sautron")
    assert two_towns.upgrade(VERSION).returncode == 1
    assert is_as_before(two_towns, made)


@pytest.mark.slow
@pytest.mark.proof
@pytest.mark.parametrize("moment", ["^stop .*sautron", "^start .*orvault"])
def test_what_a_power_cut_interrupts_is_undone_by_one_command(
    two_towns: Stage, made: Stage, moment: str
) -> None:
    (two_towns.folder / "kills").write_text(moment)
    assert two_towns.upgrade(VERSION).returncode == -signal.SIGKILL
    (two_towns.folder / "kills").unlink()
    again = two_towns.upgrade(VERSION)
    assert again.returncode == 1
    assert "--back" in again.stderr
    assert two_towns.upgrade("--back").returncode == 0
    assert is_as_before(two_towns, made)


@pytest.mark.slow
@pytest.mark.proof
def test_going_back_loses_no_payment_unless_told_to(two_towns: Stage, made: Stage) -> None:
    assert two_towns.upgrade(VERSION).returncode == 0
    two_towns.town_runs("orvault", "-c", _PAY)
    money = two_towns.money("orvault")
    refused = two_towns.upgrade("--back")
    assert refused.returncode == 1
    assert "orvault" in refused.stderr
    assert two_towns.in_force == VERSION
    assert two_towns.money("orvault") == money
    assert two_towns.upgrade("--back", "--losing").returncode == 0
    assert is_as_before(two_towns, made)
    (kept,) = (two_towns.data("orvault") / "upgrade").glob("*-replaced")
    assert two_towns.town_runs("orvault", "-m", "apsw", str(kept), _MONEY) == money


@pytest.mark.slow
@pytest.mark.proof
def test_a_version_that_stays_for_its_payments_is_not_one_cut_short(two_towns: Stage) -> None:
    """Else no later version could come, but by losing them."""
    (two_towns.folder / "kills").write_text("^start .*sautron")
    assert two_towns.upgrade(VERSION).returncode == -signal.SIGKILL
    (two_towns.folder / "kills").unlink()
    two_towns.town_runs("orvault", "-c", _PAY)
    assert "orvault" in two_towns.upgrade("--back").stderr
    again = two_towns.upgrade(VERSION)
    assert "déjà en service" in again.stderr
    assert two_towns.in_force == VERSION


def test_two_upgrades_at_once_are_one(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.versions.mkdir(parents=True)
    with machine.alone(), pytest.raises(Failed, match="en cours"), machine.alone():
        pass
    with machine.alone():
        pass


@pytest.mark.slow
@pytest.mark.proof
def test_a_version_left_after_payments_leaves_a_town_restored_from_its_backup(
    tmp_path: Path,
) -> None:
    """So that its bank is asked for them, and no receipt's number is given twice."""
    stage = a_stage(tmp_path)
    (stage.root / "srv").mkdir(parents=True)
    assert stage.run("sh", PROJECT / "deploy/install", cwd=tmp_path).returncode == 0
    (stage.root / "etc/nginx/sites-enabled").mkdir()
    settle_town(stage, "sautron")
    money, later = stage.money("sautron"), a_release(tmp_path)
    (later / "kiosque/db/migrations/9000_later.py").write_text(_LATER)
    done = stage.upgrade(str(later))
    assert done.returncode == 0, done.stderr
    assert stage.in_force == "9.0.0"
    stage.town_runs("sautron", "-c", _PAY)
    assert stage.upgrade("--back").returncode == 1
    done = stage.upgrade("--back", "--losing")
    assert done.returncode == 0, done.stderr
    assert stage.in_force == VERSION
    assert stage.money("sautron") == money
    base = str(stage.data("sautron") / "kiosque.sqlite3")
    asked = "SELECT COUNT(*) FROM restoration"
    assert stage.town_runs("sautron", "-m", "apsw", base, asked).strip() == "1"
    stage.town_runs("sautron", "app.py", "verify")


@pytest.mark.slow
@pytest.mark.proof
def test_settings_that_the_new_version_refuses_stop_nothing(two_towns: Stage, made: Stage) -> None:
    file = two_towns.root / "etc/kiosque/sautron.toml"
    for text in ("colours = 1\n", 'database = "/srv/kiosque/kiosque.sqlite3"\n'):
        file.write_text(text + (made.root / "etc/kiosque/sautron.toml").read_text())
        done = two_towns.upgrade(VERSION)
        assert done.returncode == 1
        assert "sautron" in done.stderr
        assert two_towns.in_force == "0.2.0"
        asked = two_towns.folder / "asked"
        assert not asked.exists() or "stop" not in asked.read_text()


def test_a_machine_without_the_site_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "upgrade", "0.9"],
        cwd=PROJECT,
        env={**os.environ, "DESTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Erreur : ")
    assert list(tmp_path.iterdir()) == []
