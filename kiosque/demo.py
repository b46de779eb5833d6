"""The demo: a town's data, the portal and the mock bank, each in a process of its own."""

import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from peewee import OperationalError, fn

from kiosque import chores, db, payments, resources
from kiosque.db import write
from kiosque.db.models import Account, Family, FamilyNotice, Invoice
from kiosque.db.states import InvoiceState, NoticeKind
from kiosque.families import accounts, own_changes, tokens
from kiosque.invoices import announcements, imports
from kiosque.invoices.imports.reading import Progress
from kiosque.settings import Settings, issuer, loading

FILES = resources.find("data/demo")
GUNICORN = resources.find("deploy/gunicorn.conf.py")
START_SECONDS = 30
STOP_SECONDS = 10
ASK_BANKS_SECONDS = 60
_MOCKS = {"sandbox", "sandbox-payfip"}

_SETTINGS = """\
# Réglages de la démonstration, faits au premier lancement. Les secrets sont tirés au hasard.
environment = "demo"
secret_key = "{secret_key}"
public_url = "http://127.0.0.1:8000"

[town]
name = "Ville de Clairvigne"
address = "1 place de la Mairie"
postcode = "44999"
city = "Clairvigne"
phone = "02 61 91 00 00"
contact_email = "enfance@clairvigne.example.org"
technical_email = "informatique@clairvigne.example.org"
publication_director = "le maire de Clairvigne"
host = "cette machine"

[regie]
name = "Régie de recettes Enfance et Jeunesse"
regisseur = "Dominique Aubry"
email = "regie@clairvigne.example.org"

[legal]
declared_on = "2026-11-24"
dpo = "dpo@clairvigne.example.org"

[payment]
gateway = "banque"

[mail]
sender = "kiosque@clairvigne.example.org"

[attestation]
services = ["Multi-accueil", "Périscolaire", "Mercredi"]

# La ville entière serait avertie ; une famille l’est au premier lancement, pour montrer.
[notices]
new_invoices = false
reminder = false
relance = false

[gateways.banque]
adapter = "sandbox"
url = "http://127.0.0.1:8001"
key = "{bank_key}"
password = "testpassword_{bank_password}"

# make run BANK=payfip
[gateways.payfip]
adapter = "sandbox-payfip"
url = "http://127.0.0.1:8001"
"""


class CannotStart(Exception):  # said to a person as it is
    """The demo cannot start; the text says why and what to do, in French."""


def run(port: int, bank_port: int, bank: str = "", *, progress: Progress) -> None:
    """Prepare what is missing, run both processes, deliver mails, until told to stop.

    Raises CannotStart, ConfigError or BadFile when it cannot.
    """
    if port == bank_port:
        raise CannotStart("Le portail et la banque ne peuvent pas avoir le même port.")
    for taken, option in ((port, "PORT"), (bank_port, "BANK_PORT")):
        _check_free(taken, option)
    settings = _settings(port, bank_port, bank)
    db.configure(settings.database_location)
    with db.connection():
        db.migrate()
        accounts_file = settings.data / "demo-families.json"
        if not accounts_file.exists():
            _load_town(settings, progress)
            _announce_to(_families_to_try()[0])
            _make_accounts(accounts_file)
        lines = _account_lines(accounts_file)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    with _processes(settings, port, bank_port) as processes:
        if not _wait_until_ready(processes, (port, bank_port), stop):
            return
        _announce(settings, lines)
        _watch(settings, processes, stop)


def reset() -> None:
    """Erase what the demo wrote. Raises CannotStart where the data is not a demo's."""
    if not loading.config_path(os.environ).exists():
        return
    settings = loading.load(os.environ)
    if settings.environment != "demo":
        raise CannotStart("Ces données ne sont pas celles de la démonstration.")
    if settings.on_postgresql:
        db.configure(settings.database_location)
        with db.connection():
            db.database.erase()
    else:
        for suffix in ("", "-wal", "-shm", ".lock"):
            Path(f"{settings.database_path}{suffix}").unlink(missing_ok=True)
    for name in ("kiosque.toml", "demo-families.json", "bank.sqlite3"):
        (settings.data / name).unlink(missing_ok=True)
    for name in ("outbox", "pdf"):
        shutil.rmtree(settings.data / name, ignore_errors=True)


def _settings(port: int, bank_port: int, bank: str) -> Settings:
    """The settings, written on the first run; the ports of this run, and its bank, laid over
    them."""
    path = loading.config_path(os.environ)
    if not path.exists() and "KIOSQUE_CONFIG" not in os.environ:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = _SETTINGS.format(
            secret_key=secrets.token_urlsafe(48),
            bank_key=secrets.token_hex(16),
            bank_password=secrets.token_hex(20),
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    # Not in the file: the project's folder may move.
    os.environ.setdefault("KIOSQUE_TOWN_LOGO", str(FILES / "logo.svg"))
    if bank:
        os.environ["KIOSQUE_PAYMENT_GATEWAY"] = bank
    settings = loading.load(os.environ)
    adapters = {name: table.get("adapter") for name, table in settings.gateways.items()}
    if settings.environment != "demo" or not set(adapters.values()) <= _MOCKS:
        raise CannotStart(
            "Ces réglages ne sont pas ceux d’une démonstration (environment, adapter)."
        )
    os.environ["KIOSQUE_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    for name in adapters:
        os.environ[f"KIOSQUE_GATEWAYS_{name.upper()}_URL"] = f"http://127.0.0.1:{bank_port}"
    return loading.load(os.environ)


def _mock_bank(settings: Settings) -> str:
    """The name of the gateway whose secrets the mock bank shares. Raises CannotStart."""
    for name, table in settings.gateways.items():
        if table.get("adapter") == "sandbox":
            return name
    raise CannotStart('Ces réglages n’ont pas de banque de démonstration (adapter = "sandbox").')


def _load_town(settings: Settings, progress: Progress) -> None:
    """Load the town's files. What an interrupted first run loaded is passed over."""
    print("Premier lancement : chargement de la ville de démonstration.", flush=True)
    order = ("familles.csv", *sorted(path.name for path in FILES.glob("factures-*.csv")))
    for name in (*order, "encaissements.csv"):
        imports.load(FILES / name, pdf_folder=settings.data / "pdf", progress=progress)


def _announce_to(family: Family) -> None:
    """Show one mail: to the first family to try, about its invoices. Once, even after a first
    run cut short."""
    if FamilyNotice.select().exists():
        return
    invoices = Invoice.select().where(Invoice.family == family, payments.payable_now())
    with write():
        announcements.announce(NoticeKind.NEW_INVOICES, family, list(invoices))


def _make_accounts(path: Path) -> None:
    """Give three families a password and a fourth the activation code of a letter. The file
    that keeps them appears whole, and last: it says that the first run was complete."""
    *families, newcomer = _families_to_try()
    passwords = {
        family.code: accounts.issue_password(family, must_change=number == 2)
        for number, family in enumerate(families)
    }
    code = accounts.random_code()
    own_changes.issue_codes([(newcomer, code)])
    made = {"passwords": passwords, "activation_codes": {newcomer.code: code}}
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(made), encoding="utf-8")
    draft.replace(path)


def _account_lines(path: Path) -> list[str]:
    """What to print of the families to try."""
    made, lines = json.loads(path.read_text(encoding="utf-8")), []
    for code, password in made["passwords"].items():
        account = Account.select().join(Family).where(Family.code == code).get()
        if not accounts.verify_password(account, password):
            note = "  (changé depuis)"
        else:
            note = "  (à changer à la première connexion)" if account.must_change_password else ""
        lines.append(f"code famille : {code}  mot de passe : {password}{note}")
    for code, activation in made["activation_codes"].items():
        note = "" if tokens.find_code(code, activation) else "  (déjà servi, ou trop ancien)"
        lines.append(f"code famille : {code}  code d’activation : {activation}{note}")
    return lines


def _families_to_try() -> list[Family]:
    """Four families that have three invoices to pay."""
    return list(
        Family.select()
        .join(Invoice)
        .where(Invoice.state == InvoiceState.OPEN)
        .group_by(Family)
        .having(fn.COUNT(Invoice.id) == 3)
        .order_by(Family.code)
        .limit(4)
    )


@contextmanager
def _processes(
    settings: Settings, port: int, bank_port: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    bank = _mock_bank(settings)
    bank_environment = {
        "SANDBOX_KEY": str(settings.gateways[bank]["key"]),
        "SANDBOX_PASSWORD": str(settings.gateways[bank].get("password", "")),
        "SANDBOX_NOTIFY_URL": f"{settings.public_url}/paiement/notification/{bank}",
        "SANDBOX_DATABASE": str(settings.data / "bank.sqlite3"),
    }
    processes = [
        _serve("kiosque:create_app()", port, {}),
        _serve("gateways.sandbox.server:create_bank()", bank_port, bank_environment, "--workers=1"),
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _serve(
    application: str, port: int, environment: dict[str, str], *options: str
) -> subprocess.Popen[bytes]:
    """Gunicorn as it is installed, away from this terminal's Ctrl-C: we are the one who stops
    it."""
    command = [
        *(sys.executable, "-m", "gunicorn", application, "--config", str(GUNICORN)),
        *("--bind", f"127.0.0.1:{port}", "--graceful-timeout", "5"),
        *("--chdir", str(resources.SOURCE_TREE or Path.cwd())),
        *options,
    ]
    return subprocess.Popen(  # noqa: S603  # our own command
        command,
        env={**os.environ, **environment},
        start_new_session=True,
        preexec_fn=_end_with_parent,  # noqa: PLW1509  # before any thread of ours
    )


def _end_with_parent() -> None:
    """On Linux, ask to be stopped should our parent be killed without a chance to stop us."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _wait_until_ready(
    processes: list[subprocess.Popen[bytes]], ports: tuple[int, int], stop: threading.Event
) -> bool:
    """True when both answer; False when told to stop. Raises CannotStart."""
    deadline = time.monotonic() + START_SECONDS
    waiting = set(ports)
    while waiting and not stop.wait(0.1):
        if any(process.poll() is not None for process in processes):
            raise CannotStart("Un des processus s’est arrêté au démarrage.")
        if time.monotonic() > deadline:
            raise CannotStart("Les processus ne répondent pas.")
        waiting = {port for port in waiting if not _answers(port)}
    return not waiting


def _answers(port: int) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # no proxy on the way to this machine
        try:
            return session.get(f"http://127.0.0.1:{port}/sante", timeout=1).status_code == 200
        except requests.RequestException:
            return False


def _announce(settings: Settings, lines: list[str]) -> None:
    print("\n".join(lines))
    print(f"courriels : {settings.data / 'outbox'}")
    bank = settings.gateways[settings.payment.gateway]["url"]
    print(f"prêt : {settings.public_url} (portail), {bank} (banque). Ctrl-C pour arrêter.")
    sys.stdout.flush()


def _watch(
    settings: Settings, processes: list[subprocess.Popen[bytes]], stop: threading.Event
) -> None:
    """Do the chores of the timers until told to stop: mails each second, banks each minute."""
    banks_due = time.monotonic()
    while not stop.wait(1):
        if any(process.poll() is not None for process in processes):
            raise CannotStart("Un des processus s’est arrêté.")
        try:
            with db.connection(), issuer.using(settings):
                chores.send_mail(settings, stopped=stop.is_set)
                if time.monotonic() >= banks_due:
                    chores.ask_banks(settings, seconds=STOP_SECONDS)
                    banks_due = time.monotonic() + ASK_BANKS_SECONDS
        except (OperationalError, OSError) as error:
            print(f"minuterie : la base est occupée ({error}), nouvel essai.", flush=True)


def _check_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CannotStart(
                f"Le port {port} est déjà pris. Choisissez-en un autre avec {option}=..., "
                "ou arrêtez la démonstration qui tourne déjà."
            ) from None
