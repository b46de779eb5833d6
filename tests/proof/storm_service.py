"""The real service under the storm: gunicorn's processes on a database of their own, killed at
will."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from kiosque import db
from kiosque.db import models, write
from kiosque.db.models import Family, ImportBatch, Invoice, InvoiceLine
from tests import fresh_databases
from tests.conftest import NOW, PASSWORD, choose_password, csrf_token, free_port, make_batch
from tests.proof.storm_balancer import Balancer
from tests.sites import settle

PROJECT = Path(__file__).parents[2]
START_SECONDS = 60

#: Gunicorn, stopped should the test be killed without a chance to stop it (prctl's
#: PR_SET_PDEATHSIG, SIGTERM).
_GUNICORN = """
import ctypes
from gunicorn.app.wsgiapp import run
ctypes.CDLL(None).prctl(1, 15)
run()
"""


class Broken(Exception):
    """No answer came: what became of the request is not known."""


class Node:
    """One gunicorn with several workers."""

    def __init__(self, application: str, workers: int, timeout: int, log: Path) -> None:
        self.port, self._log = free_port(), log
        self._command = [
            *(sys.executable, "-c", _GUNICORN, application),
            *("--bind", f"127.0.0.1:{self.port}", "--workers", str(workers)),
            *("--threads", "8", "--no-control-socket", "--graceful-timeout", "5"),
            *("--timeout", str(timeout), "--log-level", "warning"),
            *("--chdir", str(PROJECT)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: dict[str, str]) -> None:
        if self._process:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def workers(self) -> list[int]:
        """The processes of the workers, at this moment."""
        pid = self._process.pid if self._process else 0
        try:
            return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def kill(self) -> None:
        """SIGKILL to the master and its workers, all at once."""
        if self._process:
            with suppress(ProcessLookupError):  # it ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def deploy(self) -> None:
        """Deploy: new workers begin, while the old ones end what they were doing."""
        if self._process:
            os.kill(self._process.pid, signal.SIGHUP)


class Service:
    """Nodes on one database, behind a balancer when they are several; `fault` names a guard to take
    off (storm_faults)."""

    def __init__(
        self,
        folder: Path,
        location: fresh_databases.Location,
        bank_url: str,
        *,
        workers: int = 4,
        fault: str = "",
        timeout: int = 30,
        nodes: int = 1,
    ) -> None:
        self.location = location
        self.log = folder / "gunicorn.log"
        application = "tests.proof.storm_faults:create_app()" if fault else "app:create_app()"
        self.nodes = [Node(application, workers, timeout, self.log) for _ in range(nodes)]
        self.port = free_port() if nodes > 1 else self.nodes[0].port
        self._balancer = Balancer(folder, self.port, [node.port for node in self.nodes])
        self.environment = {
            **{name: it for name, it in os.environ.items() if not name.startswith("KIOSQUE_")},
            "KIOSQUE_DATA": str(folder),
            "KIOSQUE_DATABASE": str(location),
            "STORM_FAULT": fault,
        }
        settle(folder, f"http://127.0.0.1:{self.port}", bank=bank_url, letters=False)

    def start(self) -> None:
        """Start what does not run, and wait until it answers. Called by the main thread: the
        service ends with the thread that started it."""
        for node in self.nodes:
            node.start(self.environment)
        if len(self.nodes) > 1:
            self._balancer.start()
        for port in {self.port, *(node.port for node in self.nodes)}:
            self._wait_until_it_answers(port)

    def _wait_until_it_answers(self, port: int) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                if Browser(port).get("/sante").status == 200:
                    return
            except Broken:
                pass
            if time.monotonic() > end or not all(node.is_running() for node in self.nodes):
                raise AssertionError(f"the service does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def workers(self) -> list[int]:
        return [worker for node in self.nodes for worker in node.workers()]

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    def stop(self) -> None:
        self.kill()
        self._balancer.stop()

    def deploy(self) -> None:
        for node in self.nodes:
            node.deploy()

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin `python app.py ...`."""
        return subprocess.Popen(
            [sys.executable, "app.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """`python app.py ...` to its end: its status, and all it said."""
        process = self.command(*arguments)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Read the database, by a connection of its own."""
        return fresh_databases.run(self.location, sql)


class Answer:
    def __init__(self, status: int, text: str, cookies: dict[str, str]) -> None:
        self.status, self.text, self.cookies = status, text, cookies


class Browser:
    """Somebody with a cookie, or the bank, who has none. Its requests may be made at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}
        self.token = ""

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, form: Sequence[tuple[str, str]]) -> Answer:
        return self._ask("POST", path, urlencode(form))

    def sign_in(self, code: str, invoice: str) -> None:
        """By the page, then take the token that the summary's form carries."""
        page = self._keep(self.get("/connexion"))
        form = [("code", code), ("password", PASSWORD), ("csrf_token", csrf_token(page.text))]
        answer = self._keep(self.post("/connexion", form))
        assert answer.status == 302, answer.text
        summary = self._keep(self.get(f"/paiement/recapitulatif?invoice={invoice}"))
        assert summary.status == 200, summary.text
        self.token = csrf_token(summary.text)

    def _keep(self, answer: Answer) -> Answer:
        self._cookies |= answer.cookies
        return answer

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        headers = {"Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={it}" for name, it in self._cookies.items())
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
            given = SimpleCookie()
            for line in response.headers.get_all("Set-Cookie") or ():
                given.load(line)
            return Answer(response.status, text, {name: it.value for name, it in given.items()})
        except (OSError, HTTPException) as error:
            raise Broken(type(error).__name__) from None
        finally:
            connection.close()


def make_town(
    base: fresh_databases.Location, families: int, invoices: int
) -> dict[str, list[tuple[str, int]]]:
    """A database with so many families that have a password, each with so many open invoices; and
    as many again that do nothing. Returns the numbers and cents of the first, by family."""
    db.configure(base)
    town: dict[str, list[tuple[str, int]]] = {}
    with db.connection():
        db.migrate()
        batch, meals = make_batch(), models.Service.create(name="Restauration scolaire")
        for number in range(2 * families):
            code = f"F{1000 + number}"
            family = Family.create(code=code, name=f"Famille {number}", updated_on=NOW.date())
            owed = [(f"{code}-{each:04}", 1000 + 7 * each) for each in range(invoices)]
            with write():
                Invoice.insert_many([_invoice(family, batch, *each) for each in owed]).execute()
                InvoiceLine.insert_many(_lines(family, meals)).execute()
            if number < families:
                choose_password(family)
                town[code] = owed
    return town


def _invoice(family: Family, batch: ImportBatch, number: str, cents: int) -> dict[str, object]:
    return {
        "number": number,
        "family": family,
        "batch": batch,
        "issued_on": date(2026, 11, 5),
        "due_on": date(2099, 11, 30),
        "period": "octobre 2026",
        "services": "Restauration scolaire",
        "children": "Léa Martin",
        "total_cents": cents,
        "digest": number,
    }


def _lines(family: Family, service: models.Service) -> list[dict[str, object]]:
    """One meal an invoice, which says its total."""
    return [
        {
            "invoice": invoice,
            "child": "Léa Martin",
            "service": service,
            "label": "Repas",
            "quantity_hundredths": 100,
            "unit_price_cents": invoice.total_cents,
            "amount_cents": invoice.total_cents,
        }
        for invoice in Invoice.select().where(Invoice.family == family)
    ]
