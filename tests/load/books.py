"""Check the books after a rush, read in the database by other means than the site's own."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

import apsw

from tests.load.site import Site


@dataclass(frozen=True)
class Books:
    """`faults` is empty when all is well."""

    payments: int
    cents: int
    faults: list[str]


def look(site: Site, receipts: dict[str, list[str]]) -> Books:
    """`receipts` are the invoices of the families that hold a receipt, by family."""
    debits = _debits(site)
    rows = _rows(
        site,
        "SELECT transaction_id, reference, settlement.amount_cents FROM settlement"
        " JOIN attempt ON attempt.id = attempt_id",
    )
    booked, faults = Counter(rows), []
    faults += [f"missing: {row}" for row in debits - set(booked)]
    faults += [f"unknown: {row}" for row in set(booked) - debits]
    faults += [f"twice: {row}" for row, count in booked.items() if count > 1]
    faults += _invoices(site, receipts)
    for what, sql, wanted in (
        ("anomalies", "SELECT kind FROM anomaly", []),
        ("overpaid", "SELECT id FROM allocation WHERE kind <> 'invoice'", []),
        ("receipts", "SELECT COUNT(*), MAX(number) FROM receipt", [(len(rows), len(rows))]),
        ("file", "PRAGMA integrity_check", [("ok",)]),
    ):
        if (seen := _rows(site, sql)) != wanted:
            faults.append(f"{what}: {seen[:5]}, not {wanted}")
    status, said = site.run("verify")
    if status:
        faults.append(f"verify: {said}")
    return Books(len(rows), sum(int(str(row[2])) for row in rows), faults)


def _debits(site: Site) -> set[tuple[str, str, int]]:
    """Return what the bank debited: transaction, order, cents."""
    with closing(sqlite3.connect(site.bank_database)) as bank:
        notices = [json.loads(text) for (text,) in bank.execute("SELECT notice FROM movement")]
    return {
        (each["vads_trans_uuid"], each["vads_order_id"], int(each["vads_amount"]))
        for each in notices
        if each["vads_trans_status"] == "AUTHORISED"
    }


def _invoices(site: Site, receipts: dict[str, list[str]]) -> list[str]:
    """Each invoice of a receipt is paid, once; no other is."""
    held = {number for numbers in receipts.values() for number in numbers}
    found = []
    for number, state, count in _rows(
        site,
        "SELECT invoice.number, state, COUNT(allocation.id) FROM invoice"
        " LEFT JOIN allocation ON invoice_id = invoice.id AND counts"
        " GROUP BY invoice.id HAVING state = 'paid' OR COUNT(allocation.id) > 0",
    ):
        held.discard(str(number))
        if (state, count) != ("paid", 1):
            found.append(f"invoice {number}: {state}, paid {count} times")
    return found + [f"invoice {number}: a receipt, and it is not paid" for number in sorted(held)]


def _rows(site: Site, sql: str) -> list[tuple[object, ...]]:
    connection = apsw.Connection(
        str(site.folder / "kiosque.sqlite3"), flags=apsw.SQLITE_OPEN_READWRITE
    )
    with closing(connection):
        connection.set_busy_timeout(30_000)
        return [tuple(row) for row in connection.execute(sql)]
