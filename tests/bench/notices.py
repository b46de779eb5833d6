"""A bank's notification, from its bytes to the books, on a disk."""

import secrets
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import apsw
from flask import Flask

from gateways.base import Gateway
from kiosque import create_app, db, payments
from kiosque.db import sqlite
from kiosque.db.models import Family, Invoice
from kiosque.settings.loading import load
from tests.bank import notice
from tests.bench import base
from tests.bench.pages import FEW, MANY
from tests.bench.table import Figure, interleaved
from tests.sites import NOWHERE, settle

ROUNDS, EACH = 15, 40


def notification(folder: Path) -> Iterator[Figure]:
    """Beside one bare transaction of SQLite's, which writes as little as it can."""
    bank = Bank(folder / "few-notices", FEW)
    commit = bare(folder / "bare.sqlite3")
    ours, yardstick = interleaved(ROUNDS, bank.settle, commit)
    yield Figure(
        "a notification settled durably", ours, "ms", yardstick, "bare BEGIN IMMEDIATE commit",
        "7x", "5x",
    )  # fmt: skip


def notification_many(folder: Path, many: Path) -> Iterator[Figure]:
    """The same with a million payments in the database."""
    large, small = Bank(many, MANY), Bank(folder / "few-notices", FEW)
    ours, yardstick = interleaved(ROUNDS, large.settle, small.settle)
    yield Figure(
        "the same, 1 000 000 payments in the database", ours, "ms", yardstick, "with 1 000", "1.2x",
        "1.05x",
    )  # fmt: skip


class Bank:
    """A site, and notices for it that the bank has yet to post."""

    def __init__(self, folder: Path, families: int, address: str = "") -> None:
        """`address` is that of a database of PostgreSQL's, filled already."""
        folder.mkdir(exist_ok=True)
        self.location: Path | str = address or folder / "kiosque.sqlite3"
        if isinstance(self.location, Path) and not self.location.exists():
            base.fill(self.location, families)
        settle(folder, NOWHERE, database=address)
        self.app = create_app(load({"KIOSQUE_DATA": str(folder)}))

    def settle(self) -> float:
        """Milliseconds from a notice's arrival to its acknowledgement: the quickest of EACH, the
        one that waited least for what else uses the machine."""
        db.database.close()
        db.configure(self.location)
        bodies = self.notices()
        post(self.app, bodies.pop())
        return min(timed(lambda body=body: post(self.app, body)) for body in bodies)

    def notices(self) -> list[bytes]:
        """Return what the bank has to post about payments opened for that."""
        gateway: Gateway = self.app.extensions["gateways"]["banque"]
        found = []
        with db.connection():
            _open_again(EACH + 1)
            for invoice in Invoice.select().where(Invoice.state == "open").limit(EACH + 1):
                family = Family.get_by_id(invoice.family_id)
                purchase = payments.Purchase(family, [invoice.number], invoice.total_cents)
                _, handoff = payments.start(purchase, gateway, "http://127.0.0.1:1")
                uuid = secrets.token_hex(16)
                found.append(urlencode(notice(handoff, trans_uuid=uuid)).encode())
        return found


def _open_again(count: int) -> None:
    """Open invoices of two lines to pay, in place of those that were."""
    with db.write():
        for _ in range(count):
            db.database.execute_sql(
                "INSERT INTO invoice (number, family_id, batch_id, issued_on, due_on, period,"
                " services, children, total_cents, state, state_reason, pdf_name, digest)"
                f" VALUES ({db.database.param}, 50, 1, '2026-11-05', '2099-11-30', 'novembre 2026',"
                " '', '', 4520, 'open', '', '', '0')",
                (f"N-{secrets.token_hex(8)}",),
            )
        db.database.execute_sql(
            "INSERT INTO invoice_line (invoice_id, child, service_id, label, quantity_hundredths,"
            " unit_price_cents, amount_cents) SELECT invoice.id, 'Léa Martin', service.id,"
            " 'Novembre', 100, 2260, 2260 FROM invoice CROSS JOIN service"
            " WHERE substr(number, 1, 2) = 'N-'"
            " AND invoice.id NOT IN (SELECT invoice_id FROM invoice_line)"
        )


def post(app: Flask, body: bytes) -> None:
    """Hand the notice to the site as a server does."""
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/paiement/notification/banque",
        "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "1",
        "HTTP_HOST": "127.0.0.1:1", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(), "wsgi.multithread": False, "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }  # fmt: skip
    said: list[str] = []
    answer = app(environ, lambda status, _headers, _error=None: said.append(status))
    text = b"".join(answer)
    if said != ["200 OK"]:
        raise AssertionError((said, text))
    answer.close()  # type: ignore[attr-defined]


def opened(path: Path) -> apsw.Connection:
    """A connection as the site's are, and nothing around it."""
    connection = apsw.Connection(str(path))
    connection.convert_binding = sqlite._date_to_text
    for setting, value in sqlite.SETTINGS:
        connection.config(setting, value)
    for name, value in sqlite.PRAGMAS.items():
        connection.pragma(name, value)
    return connection


def bare(path: Path) -> Callable[[], float]:
    """Milliseconds of a transaction that writes as little as it can: the quickest of EACH."""
    connection = opened(path)
    connection.execute("CREATE TABLE notice (id INTEGER PRIMARY KEY, fields TEXT)")

    def write() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO notice (fields) VALUES (?)", ("x" * 500,))
        connection.execute("COMMIT")

    return lambda: min(timed(write) for _ in range(EACH))


def timed(work: Callable[[], None]) -> float:
    """How long it took, in milliseconds."""
    before = time.perf_counter()
    work()
    return (time.perf_counter() - before) * 1000
