"""Run the demo: prepare what is missing, start both servers, do the timers' chores; or erase it."""

import fcntl
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from peewee import OperationalError

from kiosque import chores, db, os_errors
from kiosque.db import deployment
from kiosque.demo import processes, town
from kiosque.demo import settings as demo_settings
from kiosque.demo.processes import Servers
from kiosque.demo.settings import DemoError
from kiosque.invoices.imports.reading import Progress
from kiosque.monitoring import memory
from kiosque.settings import Settings, loading

ASK_BANKS_SECONDS = 60
_LOCK = "demo.lock"


def run(port: int, bank_port: int, bank: str = "", *, progress: Progress) -> None:
    """Prepare what is missing, run both servers and the timers' chores, until told to stop.

    `bank` names the gateway in force, the one of the settings if empty. Raises DemoError,
    ConfigError or BadFile when it cannot.
    """
    if port == bank_port:
        raise DemoError("Le portail et la banque ne peuvent pas avoir le même port.")
    for taken, option in ((port, "PORT"), (bank_port, "BANK_PORT")):
        processes.require_free(taken, option)
    with _alone(loading.data_directory(os.environ)):
        environment = demo_settings.prepare(os.environ, port=port, bank_port=bank_port, bank=bank)
        settings = loading.load(environment)
        db.configure(settings.database_location)
        with db.connection():
            db.migrate()
            deployment.note(settings.environment)
            people = town.load(settings, progress)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        with processes.servers(settings, environment, port=port, bank_port=bank_port) as servers:
            if servers.wait_until_ready(stop):
                _say_ready(settings, people)
                _do_chores(settings, servers, stop)


def reset() -> None:
    """Erase the files and the database of the demo. Raises DemoError where the data is a town's,
    or while a demo runs on it."""
    if not loading.config_path(os.environ).exists():
        return
    settings = loading.load(os.environ)
    if settings.environment != "demo":
        raise DemoError("Ces données ne sont pas celles de la démonstration.")
    with _alone(settings.data):
        _erase_database(settings)
        for name in (
            "kiosque.toml",
            "demo-families.json",
            "demo-agents.json",
            "bank.sqlite3",
            memory.NAME,
            _LOCK,
        ):
            (settings.data / name).unlink(missing_ok=True)
        for name in ("outbox", "pdf"):
            shutil.rmtree(settings.data / name, ignore_errors=True)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Keep other demos off the data. Raises DemoError while one runs; a killed one lets go."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                "La démonstration tourne déjà sur ces données. Arrêtez-la d’abord (Ctrl-C)."
            ) from None
        yield


def _erase_database(settings: Settings) -> None:
    if settings.on_postgresql:
        db.configure(settings.database_location)
        with db.connection():
            db.database.erase()
        return
    for suffix in ("", "-wal", "-shm", ".lock"):
        Path(f"{settings.database_path}{suffix}").unlink(missing_ok=True)


def _say_ready(settings: Settings, people: Sequence[str]) -> None:
    print("\n".join(people))
    print(f"courriels : {settings.data / 'outbox'}")
    bank = settings.gateways[settings.payment.gateway]["url"]
    print(f"prêt : {settings.public_url} (portail), {bank} (banque). Ctrl-C pour arrêter.")
    sys.stdout.flush()


def _do_chores(settings: Settings, servers: Servers, stop: threading.Event) -> None:
    """Do the chores of the timers until told to stop: mails each second, banks each minute."""
    banks_due = time.monotonic()
    while not stop.wait(1):
        servers.require_running()
        try:
            with db.connection():
                chores.send_mail(settings, stopped=stop.is_set)
                if time.monotonic() >= banks_due:
                    chores.ask_banks(settings, seconds=processes.STOP_SECONDS)
                    banks_due = time.monotonic() + ASK_BANKS_SECONDS
        except (OperationalError, OSError) as error:
            why = os_errors.why(error) if isinstance(error, OSError) else db.why(error)
            print(f"minuterie : {why}, nouvel essai.", flush=True)
