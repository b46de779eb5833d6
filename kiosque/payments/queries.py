"""Prepared queries: all that handling a bank's message or answer reads from the database."""

from peewee import fn

from kiosque.db.models import (
    Allocation,
    Attempt,
    AttemptItem,
    Fact,
    Invoice,
    Receipt,
    ReceiptGap,
    Repayment,
    Settlement,
)
from kiosque.db.prepared import PreparedInsert, PreparedQuery
from kiosque.db.states import AllocationKind

SETTLEMENTS = PreparedInsert(Settlement)
ALLOCATIONS = PreparedInsert(Allocation)


def attempt_by_id(attempt_id: int) -> Attempt:
    """Return an attempt as it is now."""
    found: Attempt = _ATTEMPT.models(attempt=attempt_id)[0]
    return found


def attempt_by_reference(gateway: str, reference: str) -> Attempt | None:
    """Return the attempt of a gateway that has this reference of ours."""
    return next(iter(_BY_OURS.models(gateway=gateway, reference=reference)), None)


def attempt_by_gateway_reference(gateway: str, reference: str) -> Attempt | None:
    """Return the attempt of a gateway that has this reference of the bank's."""
    return next(iter(_BY_THEIRS.models(gateway=gateway, reference=reference)), None)


def items_of(attempt: Attempt) -> list[AttemptItem]:
    """Return the invoices of an attempt, in order."""
    return _ITEMS.models(attempt=attempt.id)


def numbers_of(attempt: Attempt) -> list[str]:
    """Return the numbers of an attempt's invoices, sorted."""
    return [number for (number,) in _NUMBERS.rows(attempt=attempt.id)]


def facts_of(attempt: Attempt) -> list[Fact]:
    """Return all the facts of an attempt."""
    return _FACTS.models(attempt=attempt.id)


def settlements_of(attempt_id: int) -> list[Settlement]:
    """Return the debits of an attempt, as they are now."""
    return _SETTLEMENTS.models(attempt=attempt_id)


def settlement_of(gateway: str, transaction_id: str) -> Settlement | None:
    """Return what was booked for a transaction of a bank's."""
    return next(iter(_SETTLED.models(gateway=gateway, transaction=transaction_id)), None)


def repayment_of(gateway: str, transaction_id: str) -> Repayment | None:
    """Return the repayment that a bank calls by this transaction."""
    return next(iter(_REPAID.models(gateway=gateway, transaction=transaction_id)), None)


def parts_of(settlement: Settlement) -> list[Allocation]:
    """Return the allocations of a settlement that count."""
    return _PARTS.models(settlement=settlement.id)


def last_receipt_number(sequence: str) -> int:
    """Return the last number of a sequence of receipts, 0 when none was issued. Those that a
    restoration skipped count as given."""
    ((issued, skipped),) = _LAST_RECEIPT.rows(sequence=sequence, gap_of=sequence)
    return max(issued or 0, skipped or 0)


def last_regie_of(gateway: str) -> str:
    """Return the key of the *régie* of the last attempt at a gateway; the first one's by
    default."""
    return next((regie for (regie,) in _LAST_REGIE.rows(gateway=gateway)), "")


_LAST_REGIE = PreparedQuery(
    lambda gateway: (
        Attempt.select(Attempt.regie)
        .where(Attempt.gateway == gateway)
        .order_by(Attempt.day.desc())
        .limit(1)
    )
)
_ATTEMPT = PreparedQuery(lambda attempt: Attempt.select().where(Attempt.id == attempt))
_BY_OURS = PreparedQuery(
    lambda gateway, reference: Attempt.select().where(
        Attempt.reference == reference, Attempt.gateway == gateway
    )
)
_BY_THEIRS = PreparedQuery(
    lambda gateway, reference: Attempt.select().where(
        Attempt.gateway_reference == reference, Attempt.gateway == gateway
    )
)
_ITEMS = PreparedQuery(
    lambda attempt: (
        AttemptItem.select().where(AttemptItem.attempt == attempt).order_by(AttemptItem.id)
    )
)
_NUMBERS = PreparedQuery(
    lambda attempt: (
        Invoice.select(Invoice.number)
        .join(AttemptItem)
        .where(AttemptItem.attempt == attempt)
        .order_by(Invoice.number)
    )
)
_FACTS = PreparedQuery(lambda attempt: Fact.select().where(Fact.attempt == attempt))
_SETTLEMENTS = PreparedQuery(
    lambda attempt: Settlement.select().where(Settlement.attempt == attempt)
)
_SETTLED = PreparedQuery(
    lambda gateway, transaction: Settlement.select().where(
        Settlement.gateway == gateway, Settlement.transaction_id == transaction
    )
)
_REPAID = PreparedQuery(
    lambda gateway, transaction: Repayment.select().where(
        Repayment.gateway == gateway, Repayment.transaction_id == transaction
    )
)
_PARTS = PreparedQuery(
    lambda settlement: Allocation.select().where(
        Allocation.settlement == settlement,
        Allocation.counts == True,  # noqa: E712
    )
)
_LAST_RECEIPT = PreparedQuery(
    lambda sequence, gap_of: Receipt.select(
        fn.MAX(Receipt.number),
        ReceiptGap.select(fn.MAX(ReceiptGap.last)).where(ReceiptGap.sequence == gap_of),
    ).where(Receipt.sequence == sequence)
)


def invoices_paid_by(attempt: Attempt) -> list[Invoice]:
    """Return the invoices that money of an attempt pays, or paid before it left again."""
    paid = Invoice.select().join(Allocation).join(Settlement)
    return list(
        paid.where(Settlement.attempt == attempt, Allocation.kind == AllocationKind.INVOICE)
    )
