"""Check the books after a storm, found in the database by other means than the site's own."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proof.storm import Storm

#: A run ends after a minute; on a busy machine the next goes on.
RUNS = 15
#: How the report of a run ends when nothing is left to ask.
_ALL_ASKED = "restent à demander\u00a0: 0.\n"
_FILE: tuple[tuple[str, str, list[tuple[object, ...]]], ...] = (
    ("file", "PRAGMA integrity_check", [("ok",)]),
    ("file", "PRAGMA foreign_key_check", []),
)
_STATES = {"AUTHORISED": "paid", "CAPTURED": "paid", "REFUSED": "refused", "ABANDONED": "cancelled"}


def faults_of(storm: "Storm") -> list[str]:
    """Kill the service, look for what was acknowledged, ask the bank about the rest, and look at
    everything. Each fault begins with what it is: lost, twice, or another word."""
    service = storm.service
    service.kill()
    found = _lost(storm)
    storm.let_time_pass()
    for _ in range(RUNS):
        status, said = service.run("reconcile", "--seconds", "60")
        if said.endswith(_ALL_ASKED):
            break
    if status or not said.endswith(_ALL_ASKED):
        found.append(f"reconcile: {said}")
    found += [*_debits(storm), *_invoices(storm), *_numbers(storm)]
    status, said = service.run("verify")
    if status:
        found.append(f"verify: {said}")
    return found


def _lost(storm: "Storm") -> list[str]:
    """Acknowledged, and not there."""
    facts = set(
        storm.service.rows(
            "SELECT reference, transaction_id, fact.state FROM fact"
            " JOIN attempt ON attempt.id = attempt_id"
        )
    )
    booked = {uuid for (uuid,) in storm.service.rows("SELECT transaction_id FROM settlement")}
    return [
        f"lost: {message.status} of {message.reference}, acknowledged at {at:.3f}"
        for message, at in storm.acknowledged.items()
        if (message.reference, message.uuid, _STATES[message.status]) not in facts
        or (message.is_debit and message.uuid not in booked)
    ]


def _debits(storm: "Storm") -> list[str]:
    """Each debit is there once, of its amount and for its order, and nothing else is."""
    debits = storm.bank.debits()
    rows = storm.service.rows(
        "SELECT transaction_id, reference, settlement.amount_cents FROM settlement"
        " JOIN attempt ON attempt.id = attempt_id"
    )
    booked = Counter(rows)
    expected = {(uuid, *debit) for uuid, debit in debits.items()}
    found = [f"missing: debit {row}" for row in expected - set(booked)]
    found += [f"unknown: debit {row}" for row in set(booked) - expected]
    found += [f"twice: debit {row}" for row, count in booked.items() if count > 1]
    ((held,),) = storm.service.rows(
        "SELECT COALESCE(SUM(CASE WHEN debit = 'bank:banque' THEN amount_cents ELSE 0 END), 0)"
        " - COALESCE(SUM(CASE WHEN credit = 'bank:banque' THEN amount_cents ELSE 0 END), 0)"
        " FROM journal_entry"
    )
    total = sum(cents for _, cents in debits.values())
    if held != total:
        found.append(f"sums: the bank debited {total}, the journal says {held}")
    return found


def _invoices(storm: "Storm") -> list[str]:
    """An invoice is paid once if a debit was made for it; what came besides is owed back."""
    debits = Counter(reference for reference, _ in storm.bank.debits().values())
    items = storm.service.rows(
        "SELECT invoice_id, reference FROM attempt_item JOIN attempt ON attempt.id = attempt_id"
    )
    came: Counter[object] = Counter()
    for invoice, reference in items:
        came[invoice] += debits[str(reference)]
    found = []
    for invoice, state, paying, spare in storm.service.rows(
        "SELECT invoice.id, invoice.state, COUNT(CASE WHEN kind = 'invoice' THEN 1 END),"
        " COUNT(CASE WHEN kind = 'overpayment' THEN 1 END)"
        " FROM invoice LEFT JOIN allocation ON invoice_id = invoice.id GROUP BY invoice.id"
    ):
        count = came[invoice]
        wanted = ("paid", 1, count - 1) if count else ("open", 0, 0)
        if (state, paying, spare) != wanted:
            what = "twice" if int(str(paying)) > 1 else "invoice"
            found.append(f"{what}: {invoice} is {(state, paying, spare)}, not {wanted}")
    return found


def _numbers(storm: "Storm") -> list[str]:
    """Receipts, mails, notes, and the file itself."""
    rows, found = storm.service.rows, []
    count = len(storm.bank.debits())
    for name, sql, wanted in (
        ("receipts", "SELECT COUNT(*), MIN(number), MAX(number) FROM receipt", [(count, 1, count)]),
        ("receipts", "SELECT settlement_id FROM receipt GROUP BY 1 HAVING COUNT(*) > 1", []),
        (
            "mails",
            "SELECT object_id FROM outbox_mail WHERE template = 'receipt' GROUP BY 1"
            " HAVING COUNT(*) > 1",
            [],
        ),
        (
            "mails",
            "SELECT id FROM outbox_mail WHERE template = 'receipt'"
            " AND object_id NOT IN (SELECT id FROM receipt)",
            [],
        ),
        ("notes", "SELECT kind, detail FROM anomaly WHERE kind <> 'overpayment'", []),
        (
            "attempts",
            "SELECT invoice_id FROM attempt_item WHERE live = 1 GROUP BY 1 HAVING COUNT(*) > 1",
            [],
        ),
        *(_FILE if isinstance(storm.service.location, Path) else ()),
    ):
        if (seen := rows(sql)) != wanted:
            found.append(f"{name}: {seen[:5]}, not {wanted}")
    return found
