"""The site with a guard taken off, named by STORM_FAULT: the proof that the storm sees it.

Served by gunicorn in place of `app:create_app()`, or run as a command; for tests only.
"""

import ctypes
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask

from kiosque import create_app as create_whole_app
from kiosque import db
from kiosque.cli import main
from kiosque.db import leases
from kiosque.db.models import Allocation, Invoice, Settlement
from kiosque.db.states import AllocationKind
from kiosque.payments import incoming

#: While this file is in the data folder, the next notice freezes its worker inside `write()`.
FREEZE = "freeze"


def no_transaction() -> None:
    """Each statement commits by itself, nobody waits for a turn, and an invoice is marked paid
    without a look at what it was."""
    within = threading.local()

    @contextmanager
    def each_by_itself(_kind: str = "") -> Iterator[None]:
        within.write = True
        try:
            yield
        finally:
            within.write = False

    base: Any = db.database.obj
    base.atomic = each_by_itself
    base.in_transaction = lambda: getattr(within, "write", False)
    replace(base, "alone", lambda *_: nullcontext())
    replace(incoming, "allocate", _allocate_unguarded)


def _allocate_unguarded(
    settlement: Settlement, invoice_id: int, cents: int, *, spare: Allocation | None = None
) -> None:
    assert spare is None
    invoice = Invoice.get_by_id(invoice_id)
    kind = AllocationKind.INVOICE if invoice.state == "open" else AllocationKind.OVERPAYMENT
    time.sleep(0.01)
    Invoice.update(state="paid", paid_cents=cents).where(Invoice.id == invoice_id).execute()
    Allocation.create(settlement=settlement, invoice=invoice_id, kind=kind, amount_cents=cents)


def early_answer(app: Flask) -> None:
    """The bank is answered before the commit."""
    whole = app.wsgi_app

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "/notification/" not in environ["PATH_INFO"]:
            return whole(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        later = {**environ, "wsgi.input": BytesIO(body)}

        def record() -> None:
            time.sleep(random.uniform(0.2, 0.5))
            list(whole(later, lambda *_: lambda _: None))

        threading.Thread(target=record, daemon=True).start()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"OK"]

    app.wsgi_app = answer  # type: ignore[method-assign,assignment]


def repeated_transactions() -> None:
    """A bank's transaction is not looked up; the database's own index is taken off by the test."""
    replace(incoming, "settlement_of", lambda *_: None)


def no_lease() -> None:
    replace(leases, "hold", lambda *_: nullcontext(True))


def frozen() -> None:
    """The next notice, once, freezes its whole worker in the middle of its transaction, the
    interpreter's lock held, as a library in C may."""
    book = incoming.book
    flag = Path(os.environ["KIOSQUE_DATA"]) / FREEZE

    def freeze(*arguments: Any) -> None:
        book(*arguments)
        try:
            flag.unlink()
        except FileNotFoundError:
            return
        ctypes.PyDLL(None).sleep(600)

    replace(incoming, "book", freeze)


def replace(module: object, name: str, value: object) -> None:
    assert hasattr(module, name)
    setattr(module, name, value)


def create_app() -> Flask:
    app = create_whole_app()
    fault = os.environ["STORM_FAULT"]
    if fault == "early_answer":
        early_answer(app)
    else:
        {
            "no_transaction": no_transaction,
            "repeated_transactions": repeated_transactions,
            "frozen": frozen,
        }[fault]()
    return app


if __name__ == "__main__":
    no_lease()
    print("ready", flush=True)
    sys.stdin.readline()
    main()
