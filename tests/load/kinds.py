"""The servers compared, and the command of each. All but the project's own live in an environment
of their own, `.venv/servers/NAME`, made from requirements.txt and that one package."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.load.process import PROJECT

HOMES = PROJECT / ".venv" / "servers"
CONFIG = "deploy/gunicorn.conf.py"

#: Runs bjoern, which has no command.
_BJOERN = "import bjoern, sys, app; bjoern.run(app.create_app(), *eval(sys.argv[1]))"


@dataclass(frozen=True)
class Kind:
    """A server with its options. `command` makes its words of the folder of the environment's
    programs and of where to listen: `host:port`, or a path."""

    name: str
    package: str
    command: Callable[[Path, str], list[str]]
    #: The signal that makes it begin new workers and let the old ones end, if it has one.
    reload: str = "HUP"

    @property
    def programs(self) -> Path:
        home = HOMES / self.package.partition("==")[0] / "bin"
        return home if self.package else Path(sys.executable).parent

    def install(self) -> str:
        """Make its environment unless it is there. Returns why not, in a few words."""
        if not self.package or self.programs.exists():
            return ""
        home = self.programs.parent
        for command in (
            [sys.executable, "-m", "venv", str(home)],
            [
                *(str(self.programs / "python"), "-m", "pip", "install", "--quiet"),
                *("--disable-pip-version-check", "-r", "requirements.txt", self.package),
            ],
        ):
            done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)
            if done.returncode:
                subprocess.run(["rm", "-r", str(home)], check=True)
                return (done.stderr.strip().splitlines() or ["?"])[-1]
        return ""


def _gunicorn(*options: str) -> Callable[[Path, str], list[str]]:
    def command(programs: Path, where: str) -> list[str]:
        bind = where if ":" in where else f"unix:{where}"
        return [
            *(str(programs / "python"), "-m", "gunicorn", "--config", CONFIG, "--bind", bind),
            *(*options, "app:create_app()"),
        ]

    return command


def _granian(*options: str) -> Callable[[Path, str], list[str]]:
    def command(programs: Path, where: str) -> list[str]:
        host, _, port = where.rpartition(":")
        bind = ["--host", host, "--port", port] if host else ["--uds", where]
        return [
            *(str(programs / "granian"), "--interface", "wsgi", "--factory", "--no-ws", *bind),
            "--respawn-failed-workers",
            *("--log-level", "warning", *options, "app:create_app"),
        ]

    return command


def _waitress(programs: Path, where: str) -> list[str]:
    bind = f"--listen={where}" if ":" in where else f"--unix-socket={where}"
    return [str(programs / "waitress-serve"), bind, "--threads=8", "--call", "app:create_app"]


def _uwsgi(programs: Path, where: str) -> list[str]:
    return [
        *(str(programs / "uwsgi"), "--http-socket", where, "--wsgi", "app:create_app()"),
        *("--master", "--processes", "2", "--threads", "8", "--lazy-apps", "--need-app"),
        *("--die-on-term", "--buffer-size", "16384", "--disable-logging", "--listen", "1000"),
        *("--home", str(programs.parent), "--pythonpath", str(PROJECT)),
    ]


def _bjoern(programs: Path, where: str) -> list[str]:
    host, _, port = where.rpartition(":")
    given = (host, int(port)) if host else (f"unix:{where}",)
    return [str(programs / "python"), "-c", _BJOERN, repr(given)]


_SYNC, _THREADS = "--worker-class=sync", "--worker-class=gthread"
KINDS = (
    Kind("gunicorn sync, 1 worker", "", _gunicorn(_SYNC, "--threads=1", "--workers=1")),
    Kind("gunicorn sync, 2 workers", "", _gunicorn(_SYNC, "--threads=1", "--workers=2")),
    Kind("gunicorn gthread, 2 x 4", "", _gunicorn(_THREADS, "--threads=4", "--workers=2")),
    Kind("gunicorn gthread, 2 x 8", "", _gunicorn(_THREADS, "--threads=8", "--workers=2")),
    Kind(
        "granian, 2 workers, 1 thread each", "granian==2.8.7",
        _granian("--workers=2", "--blocking-threads=1"),
    ),
    Kind(
        "granian, 2 x 8", "granian==2.8.7",
        _granian("--workers=2", "--blocking-threads=8"),
    ),
    Kind("waitress, 1 x 8", "waitress==3.0.2", _waitress, reload=""),
    Kind("uwsgi, 2 x 8", "uwsgi==2.0.31", _uwsgi),
    Kind("bjoern, 1 process", "bjoern==3.2.2", _bjoern, reload=""),
)  # fmt: skip
