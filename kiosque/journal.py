"""The *journal des encaissements*: double-entry, numbered without gaps, chained by hashes.

Each entry says that an amount went from one account (`credit`) to another (`debit`). The
accounts are words: `bank:NAME` and `counter:MODE` hold what was collected; `invoices`,
`overpayments` and `unmatched` say what for.
"""

import hashlib
import json
from datetime import UTC
from typing import Any

from peewee import fn

from kiosque import clock
from kiosque.database import require_write
from kiosque.models import JournalEntry, Settlement
from kiosque.states import AllocationKind

GENESIS = "0" * 64

#: The account that each kind of allocation feeds.
ACCOUNTS = {
    AllocationKind.INVOICE: "invoices",
    AllocationKind.OVERPAYMENT: "overpayments",
    AllocationKind.UNMATCHED: "unmatched",
}


def append(settlement: Settlement, label: str, *, debit: str, credit: str, cents: int) -> None:
    """Write the next entry, in cents. Belongs inside `write()`, which is what numbers it."""
    require_write()
    last = JournalEntry.select().order_by(JournalEntry.number.desc()).first()
    entry = JournalEntry(
        number=last.number + 1 if last else 1,
        at=clock.now(),
        settlement=settlement,
        label=label,
        debit=debit,
        credit=credit,
        amount_cents=cents,
        previous_hash=last.hash if last else GENESIS,
    )
    entry.hash = _hash(entry)
    entry.save(force_insert=True)


def balances() -> dict[str, int]:
    """The balance of every account in cents, debits less credits. They add up to zero."""
    totals: dict[str, int] = {}
    for side, sign in ((JournalEntry.debit, 1), (JournalEntry.credit, -1)):
        cents = fn.SUM(JournalEntry.amount_cents).alias("cents")
        rows: Any = JournalEntry.select(side.alias("account"), cents).group_by(side).dicts()
        for row in rows:
            totals[row["account"]] = totals.get(row["account"], 0) + sign * row["cents"]
    return totals


def verify() -> list[str]:
    """What is wrong with the journal, in French: numbering, chain, hashes. Nothing if sound."""
    faults = []
    expected_number, expected_hash = 1, GENESIS
    for entry in JournalEntry.select().order_by(JournalEntry.number).iterator():
        if entry.number != expected_number:
            faults.append(f"écriture {expected_number} : absente")
        if entry.previous_hash != expected_hash:
            faults.append(f"écriture {entry.number} : chaînage rompu")
        if entry.hash != _hash(entry):
            faults.append(f"écriture {entry.number} : contenu altéré")
        expected_number, expected_hash = entry.number + 1, entry.hash
    return faults


def _hash(entry: JournalEntry) -> str:
    content = [
        entry.number,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.settlement_id,
        entry.label,
        entry.debit,
        entry.credit,
        entry.amount_cents,
        entry.previous_hash,
    ]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
