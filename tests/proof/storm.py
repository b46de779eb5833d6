"""A storm on the real service: gunicorn's workers, parents who fight over the same invoices, a
bank that repeats itself, and somebody who kills it all at random.

    python -m tests.proof.storm --payments 3000

The bank is ours here: it signs notices as Lyra's does, sends each several times, at once and late,
and sends again what was not acknowledged, as the real one may. What it was answered 200 for is
acknowledged. Afterwards, from a fresh process: everything acknowledged is in the books, once.
"""

import argparse
import html
import os
import queue
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

from gateways.base import Handoff
from kiosque import accounts, database
from kiosque.models import Allocation, Family, Invoice, Receipt, Settlement
from tests.bank import KEY, REFUSED, notice
from tests.conftest import PASSWORD, csrf_token, free_port, make_family, make_invoice

ROOT = Path(__file__).parents[2]
WORKERS, FAMILIES, PARENTS, COURIERS = 4, 6, 2, 6
SETTINGS = """
environment = "test"
secret_key = "{secret}"
public_url = "http://127.0.0.1:{port}"
[town]
name = "Ville de l’orage"
contact_email = "a@example.org"
technical_email = "b@example.org"
[regie]
name = "Régie"
regisseur = "Dominique Aubry"
[payment]
gateway = "banque"
[mail]
sender = "c@example.org"
[gateways.banque]
adapter = "sandbox"
url = "http://127.0.0.1:9"
key = "{key}"
"""


@dataclass
class Truth:
    """What the bank knows: its debits, those the town acknowledged, and what was done to it all."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    debits: dict[str, tuple[str, int]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1


class Service:
    """The town's service, as installed: gunicorn with several workers, and what a timer calls."""

    def __init__(self, folder: Path, application: str) -> None:
        self._application = application
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = SETTINGS.format(secret=secrets.token_urlsafe(48), port=self.port, key=KEY)
        (folder / "kiosque.toml").write_text(text, encoding="utf-8")
        self.environment = {**os.environ, "KIOSQUE_DATA": str(folder)}
        self._log = (folder / "gunicorn.log").open("a")
        self.base = folder / "kiosque.sqlite3"
        self._master: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            *(sys.executable, "-m", "gunicorn", self._application, "--no-control-socket"),
            *("--bind", f"127.0.0.1:{self.port}", "--workers", str(WORKERS), "--threads", "4"),
            *("--log-level", "critical", "--graceful-timeout", "5"),
        ]
        self._master = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, start_new_session=True,
            stdout=self._log, stderr=self._log,
        )  # fmt: skip
        pause = threading.Event()
        for _ in range(400):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            pause.wait(0.05)
        raise RuntimeError("the service does not start")

    def workers(self) -> list[int]:
        assert self._master
        path = Path(f"/proc/{self._master.pid}/task/{self._master.pid}/children")
        with suppress(OSError):
            return [int(pid) for pid in path.read_text().split()]
        return []

    def kill_everything(self) -> None:
        assert self._master
        with suppress(ProcessLookupError):
            os.killpg(self._master.pid, signal.SIGKILL)
        self._master.wait(10)

    def deploy(self) -> None:
        """New workers take over from the old ones, as after an update."""
        assert self._master
        self._master.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        assert self._master
        self._master.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._master.wait(10)
        self.kill_everything()
        self._log.close()

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "app.py", *arguments], cwd=ROOT, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


class Bank:
    """Sends each notice until it is acknowledged, in several threads, in no order."""

    def __init__(self, service: Service, truth: Truth, *, insists: bool = True) -> None:
        self._address = f"{service.url}/paiement/notification/banque"
        self._truth = truth
        self._insists = insists
        self._waiting: queue.PriorityQueue[tuple[float, int, dict[str, str], str]] = (
            queue.PriorityQueue()
        )
        self._ends, self._pause = threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=self._carry) for _ in range(COURIERS)]
        for thread in self._threads:
            thread.start()

    def debit(self, handoff: Handoff, *, late: float = 0) -> None:
        """A card was accepted: the same notice leaves two to four times."""
        uuid = secrets.token_hex(16)
        cents = int(dict(handoff.fields or ())["vads_amount"])
        with self._truth.lock:
            self._truth.debits[uuid] = (dict(handoff.fields or ())["vads_order_id"], cents)
        fields = notice(handoff, trans_uuid=uuid)
        for _ in range(random.randint(2, 4)):
            self._send(fields, uuid, random.random() * late)

    def refuse(self, handoff: Handoff) -> bool:
        """A card was refused; whether the town acknowledges it at once."""
        return self._post(notice(handoff, **REFUSED, trans_uuid=secrets.token_hex(16)))

    def _send(self, fields: dict[str, str], uuid: str, wait: float) -> None:
        self._waiting.put((time.monotonic() + wait, random.getrandbits(60), fields, uuid))

    def _carry(self) -> None:
        while True:
            try:
                at, _, fields, uuid = self._waiting.get(timeout=0.1)
            except queue.Empty:
                if self._ends.is_set():
                    return
                continue
            if (wait := at - time.monotonic()) > 0:
                self._pause.wait(min(wait, 0.05))
                self._waiting.put((at, random.getrandbits(60), fields, uuid))
            elif self._post(fields):
                self._truth.count("notices acknowledged")
                with self._truth.lock:
                    self._truth.acknowledged.add(uuid)
            elif self._insists:
                self._truth.count("notices sent again")
                self._send(fields, uuid, 0.2)

    def _post(self, fields: dict[str, str]) -> bool:
        try:
            answer = requests.post(
                self._address, data=fields, timeout=10, allow_redirects=False,
                proxies={"http": ""},
            )  # fmt: skip
        except requests.RequestException:
            return False
        if 400 <= answer.status_code < 500:
            raise AssertionError(f"a genuine notice was refused: {answer.text}")
        return answer.status_code == 200

    def finish(self, seconds: float) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(seconds)
            assert not thread.is_alive(), "notices are not acknowledged"


class Parent(threading.Thread):
    """A browser signed in. It pays one invoice after the other, as the other parent does."""

    def __init__(
        self, service: Service, bank: Bank, truth: Truth, code: str, numbers: list[str]
    ) -> None:
        super().__init__()
        self._service, self._bank, self._truth = service, bank, truth
        self._code, self._numbers = code, numbers
        self._http = requests.Session()
        self._http.trust_env = False

    def sign_in(self) -> None:
        page = self._http.get(f"{self._service.url}/connexion", timeout=30).text
        form = {"code": self._code, "password": PASSWORD, "csrf_token": csrf_token(page)}
        answer = self._http.post(f"{self._service.url}/connexion", data=form, timeout=30)
        assert answer.url.endswith("/factures"), answer.status_code

    def run(self) -> None:
        for number in self._numbers:
            while not self._truth.over.is_set():
                try:
                    self._pay(number)
                except requests.RequestException:
                    self._truth.count("pages broken")
                    self._truth.over.wait(0.1)
                else:
                    break

    def _pay(self, number: str) -> None:
        """Raises RequestException when the service was not there: nothing is known then."""
        handoff = self._open(number)
        if handoff is None:
            return
        story = random.random()
        if story < 0.3 and self._bank.refuse(handoff):
            # The invoice is free: it is opened again, and both cards are accepted after all.
            second = self._open(number)
            if second:
                self._truth.count("attempts both paid")
                self._bank.debit(second, late=0.5)
        if story < 0.95:
            self._bank.debit(handoff, late=0.5)

    def _open(self, number: str) -> Handoff | None:
        """The signed form for one invoice, or None: held by the other parent, paid, or broken."""
        address = f"{self._service.url}/paiement/recapitulatif"
        page = self._http.get(address, params={"invoice": number}, timeout=30)
        if page.status_code != 200:
            self._truth.count("openings refused" if page.status_code == 409 else "pages broken")
            return None
        cents = re.search(r'name="expected_cents"[^>]*value="([0-9]+)"', page.text)
        assert cents
        form = {
            "invoice": number, "expected_cents": cents[1], "csrf_token": csrf_token(page.text),
            "email": f"{number}@example.org",
        }  # fmt: skip
        answer = self._http.post(f"{self._service.url}/paiement/banque", data=form, timeout=30)
        if answer.status_code != 200:
            self._truth.count("openings refused" if answer.status_code == 409 else "pages broken")
            return None
        found = re.findall(r'name="(vads_\w+|signature)" value="([^"]*)"', answer.text)
        self._truth.count("attempts opened")
        return Handoff("", "", tuple((name, html.unescape(value)) for name, value in found))


def prepare(service: Service, payments: int) -> dict[str, list[str]]:
    """A town with enough invoices to pay. Returns their numbers by family."""
    database.configure(service.base)
    numbers: dict[str, list[str]] = {}
    with database.connection():
        database.migrate()
        with database.write():
            for index in range(FAMILIES):
                family = make_family(f"F{index}", "Orage")
                numbers[family.code] = [f"{family.code}-{n}" for n in range(payments // 4 + 20)]
                for number in numbers[family.code]:
                    make_invoice(family, number, random.randint(100, 9999))
        for family in Family.select():
            accounts.set_password(family, PASSWORD)
    return numbers


def break_things(service: Service, truth: Truth) -> None:
    """Kill workers, the whole service, the timers' commands; deploy; until it is over."""
    next_restart = time.monotonic() + 5
    while not truth.over.wait(random.uniform(1, 2.5)):
        if time.monotonic() > next_restart:
            service.kill_everything()
            truth.count("services killed")
            service.start()
            next_restart = time.monotonic() + random.uniform(8, 15)
        elif random.random() < 0.1:
            service.deploy()
            truth.count("deploys")
        elif workers := service.workers():
            with suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)
                truth.count("workers killed")


def run_timers(service: Service, truth: Truth) -> None:
    while not truth.over.wait(0.3):
        with service.command(random.choice(["reconcile", "send-mail"])) as command:
            try:
                command.wait(random.uniform(0.3, 3))
            except subprocess.TimeoutExpired:
                command.kill()
                truth.count("timers killed")


def judge(service: Service, truth: Truth) -> list[str]:
    """What is wrong, seen from fresh processes once the storm is over."""
    with service.command("verify") as command:
        words, _ = command.communicate(timeout=120)
    faults = [] if command.returncode == 0 else [f"verify: {words}"]
    database.configure(service.base)
    with database.connection():
        booked = Counter(each.transaction_id for each in Settlement.select())
        amounts = {each.transaction_id: each.amount_cents for each in Settlement.select()}
        paid = Invoice.select().where(Invoice.state == "paid").count()
        kinds = Counter(each.kind for each in Allocation.select())
        receipts = Receipt.select().count()
        integrity = list(database.db.execute_sql("PRAGMA integrity_check"))
    lost = truth.acknowledged - booked.keys()
    truth.counts["lost"], truth.counts["invoices paid"] = len(lost), paid
    truth.counts["overpayments"] = kinds["overpayment"]
    truth.counts["doubled"] = sum(count - 1 for count in booked.values())
    checks = {
        f"acknowledged and lost: {len(lost)}": not lost,
        f"booked more than once: {truth.counts['doubled']}": truth.counts["doubled"] == 0,
        f"debits of nobody's: {len(booked.keys() - truth.debits.keys())}": booked.keys()
        <= truth.debits.keys(),
        "amounts differ": all(
            truth.debits.get(uuid, ("", cents))[1] == cents for uuid, cents in amounts.items()
        ),
        f"{paid} invoices paid by {kinds['invoice']} debits": paid == kinds["invoice"],
        f"{len(booked)} debits, {receipts} receipts": receipts == booked.total(),
        f"integrity: {integrity}": [tuple(row) for row in integrity] == [("ok",)],
    }
    return faults + [fault for fault, holds in checks.items() if not holds]


def storm(
    payments: int,
    folder: Path,
    *,
    application: str = "app:create_app()",
    insists: bool = True,
    longest_seconds: float = 900,
    judge: Callable[[Service, Truth], list[str]] = judge,
) -> tuple[Truth, list[str]]:
    """Go on until that many debits were announced. Returns what happened, and what is wrong."""
    truth, service = Truth(), Service(folder, application)
    numbers = prepare(service, payments)
    service.start()
    hook = threading.excepthook
    threading.excepthook = lambda raised: truth.failures.append(f"{raised.exc_value!r}")
    try:
        bank = Bank(service, truth, insists=insists)
        parents = [
            Parent(service, bank, truth, code, numbers[code])
            for code in numbers
            for _ in range(PARENTS)
        ]
        for parent in parents:
            parent.sign_in()
        breakers = [
            threading.Thread(target=break_things, args=(service, truth)),
            threading.Thread(target=run_timers, args=(service, truth)),
        ]
        for thread in (*parents, *breakers):
            thread.start()
        end = time.monotonic() + longest_seconds
        while len(truth.debits) < payments and any(parent.is_alive() for parent in parents):
            truth.over.wait(0.1)
            assert time.monotonic() < end, "the storm does not end"
        truth.over.set()
        for thread in (*parents, *breakers):
            thread.join(60)
        bank.finish(120)
    finally:
        truth.over.set()
        service.stop()
        threading.excepthook = hook
    return truth, truth.failures + judge(service, truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=3000)
    payments, begun = parser.parse_args().payments, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        truth, faults = storm(payments, Path(folder))
    truth.counts["debits announced"] = len(truth.debits)
    truth.counts["debits acknowledged"] = len(truth.acknowledged)
    truth.counts["seconds"] = round(time.monotonic() - begun)
    for what, count in sorted(truth.counts.items()):
        print(f"{what:25} {count:7}")
    sys.exit("\n".join(faults) or 0)


if __name__ == "__main__":
    main()
