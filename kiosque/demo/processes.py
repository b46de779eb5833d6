"""The two processes of the demo, the portal and the mock bank: start, wait for, stop."""

import ctypes
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from kiosque import resources
from kiosque.demo.settings import DemoError, mock_bank
from kiosque.settings import Settings

GUNICORN = resources.find("deploy/gunicorn.conf.py")
START_SECONDS = 30
STOP_SECONDS = 10


class Servers:
    """The two processes, started; `ports` are those they answer on."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]], ports: Sequence[int]) -> None:
        self._processes = processes
        self._ports = ports

    def require_running(self) -> None:
        """Raise DemoError if one of the processes has stopped."""
        if any(process.poll() is not None for process in self._processes):
            raise DemoError("Un des processus s’est arrêté.")

    def wait_until_ready(self, stop: threading.Event) -> bool:
        """Return True once both answer, False if told to stop before. Raises DemoError."""
        deadline = time.monotonic() + START_SECONDS
        waiting = set(self._ports)
        while waiting and not stop.wait(0.1):
            self.require_running()
            if time.monotonic() > deadline:
                raise DemoError("Les processus ne répondent pas.")
            waiting = {port for port in waiting if not _answers(port)}
        return not waiting

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def servers(
    settings: Settings, environment: Mapping[str, str], *, port: int, bank_port: int
) -> Iterator[Servers]:
    """Start the portal and the mock bank, and stop them at the end of the block."""
    bank = mock_bank(settings)
    bank_environment = {
        **environment,
        "SANDBOX_KEY": str(settings.gateways[bank]["key"]),
        "SANDBOX_PASSWORD": str(settings.gateways[bank].get("password", "")),
        "SANDBOX_NOTIFY_URL": f"{settings.public_url}/paiement/notification/{bank}",
        "SANDBOX_DATABASE": str(settings.data / "bank.sqlite3"),
    }
    portal = _start("kiosque:create_app()", port, environment)
    mock = _start(
        "gateways.sandbox.server:create_bank()", bank_port, bank_environment, "--workers=1"
    )
    started = Servers((portal, mock), (port, bank_port))
    try:
        yield started
    finally:
        started.stop()


def require_free(port: int, option: str) -> None:
    """Raise DemoError if something already listens on a port; `option` is how to choose another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise DemoError(
                f"Le port {port} est déjà pris. Choisissez-en un autre avec {option}=..., "
                "ou arrêtez la démonstration qui tourne déjà."
            ) from None


def _start(
    application: str, port: int, environment: Mapping[str, str], *options: str
) -> subprocess.Popen[bytes]:
    """Start gunicorn as a town would, in a session of its own: Ctrl-C reaches only the demo."""
    command = [
        *(sys.executable, "-m", "gunicorn", application, "--config", str(GUNICORN)),
        *("--bind", f"127.0.0.1:{port}", "--graceful-timeout", "5"),
        *("--chdir", str(resources.SOURCE_TREE or Path.cwd())),
        *options,
    ]
    return subprocess.Popen(  # noqa: S603  # our own command
        command,
        env=environment,
        start_new_session=True,
        preexec_fn=_end_with_parent,  # noqa: PLW1509  # before any thread of ours
    )


def _end_with_parent() -> None:
    """On Linux, ask to be stopped should our parent be killed without a chance to stop us."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _answers(port: int) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # no proxy on the way to this machine
        try:
            return session.get(f"http://127.0.0.1:{port}/sante", timeout=1).status_code == 200
        except requests.RequestException:
            return False
