"""The *journal des encaissements*: double-entry, numbered without gaps, chained by hashes.

Each entry says that an amount went from one account (`credit`) to another (`debit`). The
accounts are words (`account_words.py` has them in French). `bank:NAME` and `counter:MODE` hold what
was collected; `invoices`, `overpayments` and `unmatched` say what for. `refunds` holds what was
given back of payments whose invoices stay paid. `credits`, which is no money, holds what credit
notes (*avoirs*) paid. `account` holds what the bank's statement says, `fees` what the bank kept,
`paid_over` what deposits promise to the *comptable*, `opening` what the account held before, and
`others` what came or went for other reasons. Each *régie* but the first has accounts of its own,
such as `invoices/KEY`.
"""

import hashlib
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from peewee import fn

from kiosque.db import execute_many, require_write
from kiosque.db.fields import to_text
from kiosque.db.models import JournalEntry, Settlement
from kiosque.db.prepared import PreparedInsert, PreparedQuery, Row
from kiosque.db.states import AllocationKind
from kiosque.language import clock
from kiosque.payments.taken_back import Former, take_back

GENESIS = "0" * 64

_ENTRIES = PreparedInsert(JournalEntry)

#: The account that each kind of allocation feeds.
ACCOUNTS = {
    AllocationKind.INVOICE: "invoices",
    AllocationKind.OVERPAYMENT: "overpayments",
    AllocationKind.UNMATCHED: "unmatched",
}
REFUNDS = "refunds"
CREDITS = "credits"
STATEMENT_ACCOUNT = "account"
FEES = "fees"
PAID_OVER = "paid_over"
OPENING = "opening"
OTHERS = "others"
#: Which columns the hash of a new entry covers.
VERSION = 2


class About(NamedTuple):
    """The subject of an entry: the *régie* whose books it is in, and the id of one row."""

    regie: str
    settlement_id: int | None = None
    statement_id: int | None = None
    line_id: int | None = None
    deposit_id: int | None = None
    closing_id: int | None = None


class Move(NamedTuple):
    """An entry to write, in cents."""

    about: About
    label: str
    debit: str
    credit: str
    cents: int
    corrects: int | None = None


def account(name: str, regie: str) -> str:
    """Return the name of a *régie*'s account of this kind: each *régie* has books of its own. A
    bank's account has the *régie* of its contract."""
    return name if not regie or name.startswith("bank:") else f"{name}/{regie}"


def append(
    about: About, label: str, *, debit: str, credit: str, cents: int, corrects: int | None = None
) -> int:
    """Write the next entry, in cents, and return its number. Belongs inside `write()`, which is
    what numbers it. `corrects` is the number of the entry that this one undoes."""
    require_write()
    number, previous_hash = last()
    entry = JournalEntry(
        **about._asdict(),
        number=number + 1,
        at=clock.now(),
        corrects=corrects,
        label=label,
        debit=debit,
        credit=credit,
        amount_cents=cents,
        version=VERSION,
        previous_hash=previous_hash,
    )
    entry.hash = _hash(entry)
    _ENTRIES.add(entry)
    return entry.number


def append_all(moves: Iterable[Move]) -> None:
    """Write the next entries, as `append` does one; for the thousands of a bank's file. `moves` is
    iterated while rows are being sent: it may not read the database."""
    require_write()
    execute_many(_INSERT, _chained(moves, *last()))


def _chained(
    moves: Iterable[Move], number: int, previous_hash: str
) -> Iterator[tuple[object, ...]]:
    """Yield the columns of entries, each numbered and hashed after the one before."""
    at = to_text(clock.now())
    for about, label, debit, credit, cents, corrects in moves:
        number += 1
        row = (number, at, *about, corrects, label, debit, credit, cents, VERSION, previous_hash)
        previous_hash = _digest(row)
        yield (*row, previous_hash)


_INSERT = """
    INSERT INTO journal_entry (number, at, regie, settlement_id, statement_id, line_id, deposit_id,
        closing_id, corrects, label, debit, credit, amount_cents, version, previous_hash, hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def bring_to(
    target: Mapping[str, int],
    settlement: Settlement,
    among: Collection[int],
    label: str,
    taken_back: Sequence[Former] = (),
) -> int:
    """Write the entries that bring the accounts of the settlements `among` to `target`, in cents,
    debits less credits; none when they are there already. The entries bear on `settlement`, and
    cite the earlier ones that they correct. Return the number of the journal's last entry."""
    held, about = balances_of(among), About(settlement.regie, settlement_id=settlement.id)
    moves = {
        account: target.get(account, 0) - held.get(account, 0)
        for account in sorted({*target, *held})
    }
    debits = deque((account, cents) for account, cents in moves.items() if cents > 0)
    credits_ = deque((account, -cents) for account, cents in moves.items() if cents < 0)
    number = 0
    while debits and credits_:
        (debit, owed), (credit, due) = debits.popleft(), credits_.popleft()
        cited, cents = take_back(taken_back, debit, credit, min(owed, due))
        number = append(about, label, debit=debit, credit=credit, cents=cents, corrects=cited)
        if owed > cents:
            debits.appendleft((debit, owed - cents))
        if due > cents:
            credits_.appendleft((credit, due - cents))
    if debits or credits_:
        raise RuntimeError("the accounts of a payment do not add up to zero")
    return number or last()[0]


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


def balances(
    up_to: int | None = None, regie: str | None = None, *, after: int = 0
) -> dict[str, int]:
    """Return the balance of every account in cents, debits less credits. Count the entries after
    number `after` and up to number `up_to`, and only the books of one *régie* if given. The
    balances add up to zero."""
    moves: Any = (
        JournalEntry.select(*_SIDES, fn.SUM(JournalEntry.amount_cents))
        .where(JournalEntry.number > after)
        .group_by(*_SIDES)
    )
    if up_to is not None:
        moves = moves.where(JournalEntry.number <= up_to)
    if regie is not None:
        moves = moves.where(JournalEntry.regie == regie)
    return _add_up(moves.tuples())


def balances_of(settlements: Collection[int]) -> dict[str, int]:
    """Return the balances, in cents, debits less credits, of the entries that bear on these
    settlements only."""
    return _add_up(row for each in settlements for row in _MOVES_OF.rows(settlement=each))


_SIDES = (JournalEntry.debit, JournalEntry.credit)
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
    number, at, *others = _COLUMNS(entry)
    return _digest((number, to_text(at), *others))


_COLUMNS = attrgetter(
    "number", "at", "regie", "settlement_id", "statement_id", "line_id", "deposit_id",
    "closing_id", "corrects", "label", "debit", "credit", "amount_cents", "version",
    "previous_hash",
)  # fmt: skip


def _digest(row: Sequence[Any]) -> str:
    """Return the hash of an entry, given its columns: that of a JSON list."""
    (
        number, at, regie, settlement, statement, line, deposit, closing, corrects,
        label, debit, credit, cents, version, previous_hash,
    ) = row  # fmt: skip
    content = [
        number, f"{at[:-1]}+00:00", settlement, label, debit, credit, cents, previous_hash,
    ]  # fmt: skip
    if version > 1:
        content += version, regie, statement, line, deposit, closing, corrects
    return hashlib.sha256(orjson.dumps(content)).hexdigest()
