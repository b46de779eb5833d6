"""Reconciliation after a day without the bank: every attempt is asked about, and was paid."""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from peewee import Select

from kiosque import create_app, db
from kiosque.db import database
from kiosque.db.models import Attempt, JournalEntry, Receipt, Settlement
from kiosque.payments import reconcile
from kiosque.payments.bank_questions import Questions
from kiosque.settings.loading import load
from tests.bench import base, stub
from tests.bench.table import Figure
from tests.conftest import ISSUERS, free_port
from tests.sites import BANK_PASSWORD, NOWHERE, settle

PENDING, FEW = 10_000, 500


def asking(folder: Path, pending: int = PENDING) -> Iterator[Figure]:
    """Each answer is booked; the yardstick only reads it."""
    port = free_port()
    home = folder / f"asking-{pending}"
    home.mkdir()
    base.fill(home / "kiosque.sqlite3", pending)
    settle(home, NOWHERE, bank=f"http://127.0.0.1:{port}")
    app = create_app(load({"KIOSQUE_DATA": str(home)}))
    with _bank(port), db.connection():
        references = _leave_pending(pending)
        yardstick = _bare(port, references)
        before = time.perf_counter()
        summary = reconcile.run(
            app.extensions["gateways"], "http://127.0.0.1:1", ISSUERS, seconds=600
        )
        ours = time.perf_counter() - before
        booked = Attempt.select().where(Attempt.id.in_(_booked()), Attempt.state == "paid").count()
    if (summary.answered, booked) != (pending, pending):
        raise AssertionError((summary, booked))
    yield Figure(
        f"reconcile {pending} pending attempts, each found paid", ours, "s", yardstick,
        f"requests.post, {Questions.at_once} at once", "1.5x", "1.1x",
    )  # fmt: skip


def _booked() -> Select:
    """The attempts that have a settlement in the journal, and a receipt."""
    return (
        Settlement.select(Settlement.attempt)
        .join(Receipt)
        .switch(Settlement)
        .join(JournalEntry)
        .where(Settlement.attempt.in_(Attempt.select(Attempt.id).where(Attempt.day == "20990101")))
    )


def _leave_pending(pending: int) -> list[str]:
    """One attempt for each family, handed over an hour ago."""
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="microseconds")
    at = at.replace("+00:00", "Z")
    with db.write():
        database.execute_sql(
            "INSERT INTO attempt (reference, family_id, gateway, started_at, day, number,"
            " gateway_reference, amount_cents, state, live_until, ask_at)"
            " SELECT printf('KFA%017d', id), family_id, 'banque', ?1, '20990101', family_id,"
            # As the stub names it.
            " printf('%014da%017d', 0, id), total_cents, 'handed_off', ?1, ?1 FROM invoice"
            " WHERE state = 'open' GROUP BY family_id HAVING id = min(id)",
            (at,),
        )
        database.execute_sql(
            "INSERT INTO attempt_item (attempt_id, invoice_id, amount_cents, live)"
            " SELECT id, CAST(substr(reference, 4) AS INTEGER), amount_cents, 1 FROM attempt"
            " WHERE state = 'handed_off'"
        )
        for state in ("created", "handed_off"):
            database.execute_sql(
                "INSERT INTO fact (attempt_id, at, transaction_id, state, status, amount_cents,"
                " source) SELECT id, started_at, '', ?, '', 0, 'portal' FROM attempt"
                " WHERE state = 'handed_off'",
                (state,),
            )
    found = database.execute_sql(
        "SELECT reference FROM attempt WHERE state = 'handed_off'"
    ).fetchall()
    if len(found) != pending:
        raise AssertionError(len(found))
    return [reference for (reference,) in found]


def _bare(port: int, references: list[str]) -> float:
    def ask(reference: str) -> object:
        return requests.post(
            f"http://127.0.0.1:{port}/api-payment/V4/Order/Get",
            json={"orderId": reference},
            auth=("12345678", BANK_PASSWORD),
            timeout=6,
        ).json()

    before = time.perf_counter()
    with ThreadPoolExecutor(Questions.at_once) as pool:
        for _ in pool.map(ask, references):
            pass
    return time.perf_counter() - before


@contextmanager
def _bank(port: int) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(target=stub.run, args=(port,))
    process.start()
    try:
        stub.wait(port)
        yield
    finally:
        process.terminate()
        process.join()
