"""The bank in the storm: what it debited, its notices, and its REST service over HTTP."""

import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gateways.base import Handoff, Order
from tests.bank import (
    ABANDONED,
    REFUSED,
    envelope,
    error_envelope,
    notice,
    order_answer,
    transaction,
)

Form = dict[str, str]
#: Statuses under which the payer has been debited.
DEBITED = ("AUTHORISED", "CAPTURED")


@dataclass(frozen=True)
class Message:
    """A signed notice, and what it says: of which order, which transaction, which status."""

    reference: str
    uuid: str
    status: str
    cents: int
    fields: tuple[tuple[str, str], ...]

    @property
    def is_debit(self) -> bool:
        return self.status in DEBITED


@dataclass
class Bank:
    """Every transaction is in its books before anybody is told of it."""

    #: By order: the form it came with, and each transaction's last status.
    forms: dict[str, Form] = field(default_factory=dict)
    transactions: dict[str, dict[str, str]] = field(default_factory=dict)
    #: How often each order was asked about.
    questions: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0
    #: Where set, the first question about the first order waits for the second: two ask at once.
    meeting: threading.Barrier | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self, form: Form) -> None:
        with self.lock:
            self.forms[form["vads_order_id"]] = form
            self.transactions.setdefault(form["vads_order_id"], {})

    def say(self, form: Form, status: str, uuid: str = "") -> Message:
        """Let something become of a form, and put the notice of it together."""
        changes: dict[str, str | None] = {}
        if status == "ABANDONED":
            changes = dict(ABANDONED)
        elif status == "REFUSED":
            changes = dict(REFUSED)
        if status != "ABANDONED":
            uuid = uuid or secrets.token_hex(16)
            changes["trans_uuid"] = uuid
            with self.lock:
                self.transactions[form["vads_order_id"]][uuid] = status
        handoff = Handoff("", "", tuple(form.items()))
        fields = notice(handoff, **{"trans_status": status, **changes})
        cents = int(form["vads_amount"])
        return Message(form["vads_order_id"], uuid, status, cents, tuple(fields.items()))

    def debits(self) -> dict[str, tuple[str, int]]:
        """The order and cents of each debit, by transaction."""
        with self.lock:
            return {
                uuid: (reference, int(self.forms[reference]["vads_amount"]))
                for reference, made in self.transactions.items()
                for uuid, status in made.items()
                if status in DEBITED
            }

    def answer(self, reference: str) -> dict[str, Any]:
        """`Order/Get`."""
        with self.lock:
            self.questions[reference] += 1
            count = self.questions[reference]
        if self.meeting and reference == next(iter(self.forms)) and count <= 2:
            self.meeting.wait(5)
        with self.lock:
            made = dict(self.transactions.get(reference, {}))
            form = self.forms.get(reference)
        if not made or form is None:
            return error_envelope("Order/Get", "PSP_010")
        order = _order(form)
        told = [_transaction(order, uuid, status) for uuid, status in made.items()]
        return envelope("Order/Get", order_answer(order, *told))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """While it lasts, the bank can be asked."""
        bank = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = json.dumps(bank.answer(asked["orderId"])).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: object) -> None:
                """Whoever asked was killed."""

        server = Server(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


def _order(form: Form) -> Order:
    at = datetime.strptime(form["vads_trans_date"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    number, cents = int(form["vads_trans_id"]), int(form["vads_amount"])
    return Order(form["vads_order_id"], number, cents, "", at, "", "")


def _transaction(order: Order, uuid: str, status: str) -> dict[str, Any]:
    succeeded = "PAID" if status in DEBITED else "UNPAID"
    return transaction(order, uuid=uuid, status=succeeded, detailedStatus=status)
