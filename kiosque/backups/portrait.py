"""Describe a database by a few numbers, to compare a backup with the present database."""

from dataclasses import dataclass

from peewee import fn

from kiosque import db
from kiosque.db import database
from kiosque.db.models import Settlement
from kiosque.payments import journal, verification

#: Most faults that are kept; `verify` names them all.
_MOST = 100


@dataclass(frozen=True)
class Portrait:
    """A database in a few numbers: `schema`, its migrations; `entry`, the number and hash of the
    journal's last entry; `rows` and `sums` count its tables and its money in cents; `receipts` are
    the last numbers by sequence; `faults`, those that `verify` found, none when it is sound."""

    schema: list[str]
    entry: tuple[int, str]
    rows: dict[str, int]
    sums: dict[str, int]
    receipts: dict[str, int]
    faults: list[str]


def draw() -> Portrait:
    """Return the portrait of the database in force. Verify its books, unless it is of an earlier
    version, whose tables the checks cannot read."""
    ready = not db.pending_migrations()
    return Portrait(
        schema=db.applied_migrations(),
        entry=journal.last(),
        rows=_rows(),
        sums={"settled_cents": _settled_cents(), **journal.balances()} if ready else {},
        receipts=last_receipts() if ready else {},
        faults=verification.faults()[:_MOST] if ready else [],
    )


#: The last number of each sequence of receipts: given, and skipped by a restoration.
LAST_RECEIPTS = "SELECT sequence, MAX(number) FROM receipt GROUP BY sequence"
LAST_SKIPPED = "SELECT sequence, MAX(last) FROM receipt_gap GROUP BY sequence"


def last_receipts() -> dict[str, int]:
    """Return the last number of each sequence of receipts, given or skipped."""
    found: dict[str, int] = {}
    for query in (LAST_RECEIPTS, LAST_SKIPPED):
        for sequence, last in database.execute_sql(query):
            found[sequence] = max(found.get(sequence, 0), last)
    return found


def _rows() -> dict[str, int]:
    counts = {}
    for name in sorted(database.get_tables()):
        ((counts[name],),) = database.execute_sql(f'SELECT COUNT(*) FROM "{name}"')  # noqa: S608
    return counts


def _settled_cents() -> int:
    return int(Settlement.select(fn.SUM(Settlement.amount_cents)).scalar() or 0)
