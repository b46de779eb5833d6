"""The *journal des encaissements*: double-entry, numbered without gaps, chained by hashes.

Each entry says that an amount went from one account (`credit`) to another (`debit`). The
accounts are words: `bank:NAME` and `counter:MODE` hold what was collected; `invoices`,
`overpayments` and `unmatched` say what for; `refunds` holds what was given back of payments
whose invoices stay paid. A *régie* besides the first has its own, `invoices/KEY`.
"""

import hashlib
import json
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC

from peewee import fn

from kiosque.db import require_write
from kiosque.db.models import JournalEntry, Settlement
from kiosque.db.prepared import PreparedInsert, PreparedQuery, Row
from kiosque.db.states import AllocationKind
from kiosque.language import clock

GENESIS = "0" * 64

_ENTRIES = PreparedInsert(JournalEntry)

#: The account that each kind of allocation feeds.
ACCOUNTS = {
    AllocationKind.INVOICE: "invoices",
    AllocationKind.OVERPAYMENT: "overpayments",
    AllocationKind.UNMATCHED: "unmatched",
}
REFUNDS = "refunds"


def account(name: str, regie: str) -> str:
    """Return the account of this kind that belongs to a *régie*, by its key: each has books of its
    own. A bank's account belongs to the *régie* whose contract it is."""
    return name if not regie or name.startswith("bank:") else f"{name}/{regie}"


def append(settlement: Settlement, label: str, *, debit: str, credit: str, cents: int) -> None:
    """Write the next entry, in cents. Belongs inside `write()`, which is what numbers it."""
    require_write()
    number, previous_hash = last()
    entry = JournalEntry(
        number=number + 1,
        at=clock.now(),
        settlement=settlement,
        label=label,
        debit=debit,
        credit=credit,
        amount_cents=cents,
        previous_hash=previous_hash,
    )
    entry.hash = _hash(entry)
    _ENTRIES.add(entry)


def bring_to(
    target: Mapping[str, int], settlement: Settlement, among: Collection[int], label: str
) -> None:
    """Write the entries that bring the accounts of these settlements to `target`, in cents,
    debits less credits; none when they are there already. They bear on `settlement`."""
    held = balances_of(among)
    moves = {
        account: target.get(account, 0) - held.get(account, 0)
        for account in sorted({*target, *held})
    }
    debits = deque((account, cents) for account, cents in moves.items() if cents > 0)
    credits_ = deque((account, -cents) for account, cents in moves.items() if cents < 0)
    while debits and credits_:
        (debit, owed), (credit, due) = debits.popleft(), credits_.popleft()
        cents = min(owed, due)
        append(settlement, label, debit=debit, credit=credit, cents=cents)
        if owed > cents:
            debits.appendleft((debit, owed - cents))
        if due > cents:
            credits_.appendleft((credit, due - cents))
    if debits or credits_:
        raise RuntimeError("the accounts of a payment do not add up to zero")


def last() -> tuple[int, str]:
    """Return the number and hash of the last entry; 0 and the first hash when there is none. Kept
    elsewhere, they prove that nothing was taken off the journal's end."""
    rows = _LAST.rows()
    return (rows[0][0], rows[0][1]) if rows else (0, GENESIS)


_LAST = PreparedQuery(
    lambda: (
        JournalEntry.select(JournalEntry.number, JournalEntry.hash)
        .order_by(JournalEntry.number.desc())
        .limit(1)
    )
)


def balances() -> dict[str, int]:
    """Return the balance of every account in cents, debits less credits. They add up to zero."""
    return _add_up(_MOVES.rows())


def balances_of(settlements: Collection[int]) -> dict[str, int]:
    """Return the balances, in cents, debits less credits, of the entries that bear on these
    settlements only."""
    return _add_up(row for each in settlements for row in _MOVES_OF.rows(settlement=each))


_SIDES = (JournalEntry.debit, JournalEntry.credit)
_MOVES = PreparedQuery(
    lambda: JournalEntry.select(*_SIDES, fn.SUM(JournalEntry.amount_cents)).group_by(*_SIDES)
)
_MOVES_OF = PreparedQuery(
    lambda settlement: JournalEntry.select(*_SIDES, JournalEntry.amount_cents).where(
        JournalEntry.settlement == settlement
    )
)


def _add_up(moves: Iterable[Row]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for debit, credit, cents in moves:
        totals[debit] = totals.get(debit, 0) + cents
        totals[credit] = totals.get(credit, 0) - cents
    return totals


def verify() -> list[str]:
    """Return what is wrong with the journal (numbers, chain, hashes), in French; nothing if
    sound."""
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
