"""`kiosque VILLE ...`, the town's command on its machine: who runs it, and as whom."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.load.process import PROJECT

DEPLOY = PROJECT / "deploy"
Command = Callable[..., subprocess.CompletedProcess[str]]

#: In place of the machine's own: who one is, is in WHO; each becomes the account it is asked for.
_ID = """#!/bin/sh
case $1 in
-un) echo "$WHO" ;;
-u) [ "$WHO" = root ] && echo 0 || echo 1000 ;;
kiosque-nulle-part) exit 1 ;;
esac
"""
_SUDO = """#!/bin/sh
export SUDO_USER="$WHO" WHO=root
[ "$1" != -u ] || { WHO=$2 && shift 2; }
shift
exec "$@"
"""
_RUNUSER = '#!/bin/sh\nexport WHO="$2"\nshift 3\nexec "$@"\n'
_PYTHON = (
    '#!/bin/sh\necho "as $WHO for ${SUDO_USER:-nobody}"\nenv | grep ^KIOSQUE_\nprintf "<%s>" "$@"\n'
)
_SYSTEMCTL = """#!/bin/sh
case $1 in
list-unit-files) shift && exec {systemctl} --root {root} list-unit-files "$@" ;;
is-enabled) shift && exec {systemctl} --root {root} is-enabled "$@" ;;
*) echo "systemctl $*" ;;
esac
"""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The script as it ships, on a machine that is but for its folders and accounts."""
    places = {"/srv/kiosque": tmp_path / "srv", "/run/kiosque": tmp_path / "run"}
    text = (DEPLOY / "kiosque").read_text()
    for shipped, here in places.items():
        assert shipped in text
        text = text.replace(shipped, str(here))
    script = _program(tmp_path / "kiosque", text)
    (tmp_path / "run").mkdir()
    _program(tmp_path / "srv" / ".venv" / "bin" / "python", _PYTHON)
    systemctl = _SYSTEMCTL.format(systemctl=shutil.which("systemctl"), root=tmp_path / "root")
    programs = {"id": _ID, "sudo": _SUDO, "runuser": _RUNUSER, "systemctl": systemctl}
    for name, program in programs.items():
        _program(tmp_path / "bin" / name, program)

    def run(*words: str, who: str = "root", **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            [script, *words],
            env={"PATH": path, "WHO": who, **environment},
            check=False,
            capture_output=True,
            text=True,
        )

    return run


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("who", "caller", "person"),
    [
        ("d.aubry", "", "d.aubry"),
        ("root", "d.aubry", "d.aubry"),
        ("root", "", "nobody"),
        ("kiosque-sautron", "d.aubry", "d.aubry"),
    ],
)
def test_whoever_types_it_a_command_is_of_the_towns_account_for_that_person(
    command: Command, who: str, caller: str, person: str
) -> None:
    said = command("sautron", "settle", "F 1", "*", who=who, SUDO_USER=caller).stdout
    assert said.splitlines()[0] == f"as kiosque-sautron for {person}"
    assert said.endswith("app.py><settle><F 1><*>")


def test_a_command_knows_its_town_and_how_it_was_typed(command: Command) -> None:
    said = command("sautron", "verify", KIOSQUE_CONFIG="/tmp/mine.toml").stdout
    assert "KIOSQUE_CONFIG=/etc/kiosque/sautron.toml\n" in said
    assert "KIOSQUE_DATA=/var/lib/kiosque/sautron\n" in said
    assert "KIOSQUE_COMMAND=kiosque sautron\n" in said


@pytest.mark.parametrize(
    "words", [(), ("",), ("stop",), ("../x", "verify"), ("a b", "verify"), ("stop", "sautron", "x")]
)
def test_what_names_no_town_is_refused(command: Command, words: tuple[str, ...]) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "kiosque VILLE COMMANDE" in done.stderr


def test_stopping_a_town_ends_its_site_and_its_timers_by_whoever_may(
    command: Command, tmp_path: Path
) -> None:
    for who in ("root", "technicien"):
        done = command("stop", "sautron", who=who)
        assert done.returncode == 0
        assert "systemctl stop kiosque-*@sautron.*" in done.stdout
        assert "kiosque start sautron" in done.stdout
    assert (tmp_path / "run" / "sautron.stopped").exists()


@pytest.mark.skipif(not shutil.which("systemctl"), reason="systemd is not installed")
def test_starting_a_town_begins_what_was_enabled_and_nothing_else(
    command: Command, tmp_path: Path
) -> None:
    units = tmp_path / "root" / "etc" / "systemd" / "system"
    shutil.copytree(DEPLOY / "systemd", units)
    for place, name, town in (
        ("sockets", "kiosque-web@.socket", "sautron"),
        ("multi-user", "kiosque-web@.service", "sautron"),
        ("timers", "kiosque-mail@.timer", "sautron"),
        ("timers", "kiosque-verify@.timer", "clisson"),
    ):
        wants = units / f"{place}.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / name.replace("@", f"@{town}")).symlink_to(f"/etc/systemd/system/{name}")
    command("stop", "sautron")
    said = command("start", "sautron").stdout
    started = re.search("systemctl start (.*)", said)
    assert started
    assert set(started[1].split()) == {
        "kiosque-web@sautron.socket",
        "kiosque-web@sautron.service",
        "kiosque-mail@sautron.timer",
    }
    assert not (tmp_path / "run" / "sautron.stopped").exists()
    assert command("start", "nulle-part").returncode == 1


@pytest.mark.parametrize("words", [("nulle-part", "check"), ("stop", "nulle-part"), ("--help",)])
def test_what_names_no_town_of_the_machine_is_refused_in_french(
    command: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = command(*words)
    assert said.returncode
    assert said.stdout == ""
    assert re.match("Erreur : .*nulle-part|usage : ", said.stderr)
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_the_script_has_no_fault_that_shellcheck_knows() -> None:
    done = subprocess.run(
        ["shellcheck", str(DEPLOY / "kiosque")], check=False, capture_output=True, text=True
    )
    assert done.stdout == ""


@pytest.mark.skipif(not shutil.which("visudo"), reason="sudo is not installed")
def test_sudo_accepts_the_file_as_it_ships() -> None:
    done = subprocess.run(
        ["visudo", "-cf", str(DEPLOY / "sudoers")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
