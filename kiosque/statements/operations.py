"""The operations of an acquirer's journals: kept once, and found among our payments.

The same operation may be in several journals; only the JRB says when it was remitted to the bank,
and what was kept of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from kiosque.db import execute_many
from kiosque.db.fields import to_text
from kiosque.db.models import BankOperation
from kiosque.statements import records
from kiosque.statements.records import FileKind, Operation

#: How the steps (JO) and states (JT) begin that mean that money came or went.
_DONE = ("CAPTUR", "REFUND")
_NEW = """
    INSERT INTO bank_operation (file_id, gateway, paid_on, transaction_id, order_reference,
        amount_cents, fee_cents, remitted_on, remittance, occurrence)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
#: What a journal tells that none before it did.
_COMPLETED = """
    UPDATE bank_operation SET fee_cents = COALESCE(fee_cents, ?),
        remitted_on = COALESCE(remitted_on, ?),
        remittance = CASE WHEN remittance = '' THEN ? ELSE remittance END
    WHERE id = ?
"""
#: The operations of other files of which this one tells too, as they were.
_TOLD = """
    INSERT INTO told_operation (file_id, operation_id, order_reference, fee_cents, remitted_on,
        remittance)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_NAMED = "UPDATE bank_operation SET order_reference = ? WHERE id = ?"
#: The identity of an operation: its day and number at the gateway, and its cents.
_Name = tuple[date, str, int]


def keep(file: records.ParsedFile, file_id: int, gateway: str) -> tuple[int, int]:
    """Store the new operations, and complete the known ones. Return how many are new, and how many
    were known. Belongs inside `write()`.

    A number is unique within its day: a reference told for it applies to all its operations."""
    done = [each for each in file.operations if _is_money(each, file.kind)]
    if not done:
        return 0, 0
    kept = _kept(gateway, min(each.gateway_day for each in done))
    new: list[tuple[object, ...]] = []
    told: list[tuple[object, ...]] = []
    named: list[tuple[object, ...]] = []
    before: list[tuple[object, ...]] = []
    for name, operations in _by_name(done).items():
        rows = kept.get(name, [])
        before += [(file_id, *_before(each)) for each in rows]
        references = [each.order_reference for each in operations]
        reference = max(references + [each.order_reference for each in rows])
        named += [(reference, row.id) for row in rows if row.order_reference != reference]
        rank = max((each.occurrence for each in rows), default=0)
        for operation, known in _pairs(operations, rows):
            if known is None:
                rank += 1
                new.append(_columns(operation, file_id, gateway, reference, rank))
            elif _completes(operation, known):
                told.append((*_remitted(operation), known.id))
    execute_many(_NEW, new)
    execute_many(_TOLD, before)
    execute_many(_COMPLETED, told)
    execute_many(_NAMED, named)
    return len(new), len(done) - len(new)


def _is_money(operation: Operation, kind: FileKind) -> bool:
    done = kind is FileKind.JRB or operation.status.upper().startswith(_DONE)
    return done and operation.cents != 0


def _by_name(operations: Iterable[Operation]) -> Mapping[_Name, list[Operation]]:
    found: Mapping[_Name, list[Operation]] = defaultdict(list)
    for each in operations:
        found[each.gateway_day, each.transaction_id, each.cents].append(each)
    return found


def _kept(gateway: str, since: date) -> Mapping[_Name, list[BankOperation]]:
    found: Mapping[_Name, list[BankOperation]] = defaultdict(list)
    for each in BankOperation.select().where(
        BankOperation.gateway == gateway, BankOperation.paid_on >= since
    ):
        found[each.paid_on, each.transaction_id, each.amount_cents].append(each)
    return found


def _pairs(
    operations: list[Operation], rows: list[BankOperation]
) -> Iterator[tuple[Operation, BankOperation | None]]:
    """Yield each operation of a file with its existing row: the one of the same remittance, else
    one for which the file, or the row, names no remittance."""
    left, later = [*rows], []
    for operation in operations:
        same = next((row for row in left if row.remittance == operation.remittance), None)
        if same is None:
            later.append(operation)
        else:
            left.remove(same)
            yield operation, same
    for operation in later:
        free = (row for row in left if not (row.remittance and operation.remittance))
        found = next(free, None)
        if found is not None:
            left.remove(found)
        yield operation, found


def _completes(operation: Operation, known: BankOperation) -> bool:
    pairs = (
        (operation.fee_cents, known.fee_cents),
        (operation.remitted_on, known.remitted_on),
        (operation.remittance or None, known.remittance or None),
    )
    return any(told is not None and held is None for told, held in pairs)


def _before(known: BankOperation) -> tuple[object, ...]:
    day = known.remitted_on and to_text(known.remitted_on)
    return known.id, known.order_reference, known.fee_cents, day, known.remittance


def _columns(
    operation: Operation, file_id: int, gateway: str, reference: str, rank: int
) -> tuple[object, ...]:
    return (
        file_id, gateway, to_text(operation.gateway_day), operation.transaction_id, reference,
        operation.cents, *_remitted(operation), rank,
    )  # fmt: skip


def _remitted(operation: Operation) -> tuple[object, ...]:
    day = operation.remitted_on and to_text(operation.remitted_on)
    return operation.fee_cents, day, operation.remittance
