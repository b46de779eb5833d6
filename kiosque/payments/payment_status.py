"""Say what is known of the invoices that a family wants to pay and cannot: paid already, under way,
or surely not debited."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from peewee import JOIN, ModelSelect

from kiosque.db.models import (
    Allocation,
    Anomaly,
    Attempt,
    AttemptItem,
    Family,
    Invoice,
    Receipt,
    Settlement,
)
from kiosque.db.states import AllocationKind, AnomalyKind, AttemptState, InvoiceState
from kiosque.payments.selection import MAX_INVOICES, live_attempts
from kiosque.payments.unanswered import unanswered_of

#: Ends of an attempt by which nothing was debited; so is EXPIRED, unless the bank never spoke.
_CAME_TO_NOTHING = (
    AttemptState.CREATED,
    AttemptState.REFUSED,
    AttemptState.CANCELLED,
    AttemptState.EXPIRED,
)


@dataclass(frozen=True)
class Paid:
    """A paid invoice: the date of the last payment that pays it, and its receipt if it was made
    online."""

    number: str
    settled_at: datetime
    receipt: Receipt | None
    attempt: Attempt | None


@dataclass(frozen=True)
class PaymentStatus:
    """The invoices that a family asked to pay. `paid` are the paid ones, `all_paid` if there is no
    other; `held` are the attempts that hold the others, by number; `unanswered_at` is when the last
    attempt that the bank never spoke of was begun; `nothing_debited` if surely nothing was."""

    paid: list[Paid]
    all_paid: bool
    held: dict[str, Attempt]
    unanswered_at: datetime | None
    nothing_debited: bool
    #: The one attempt that holds all these invoices, or paid them all.
    attempt: Attempt | None


def payment_status_of(family: Family, numbers: Iterable[str]) -> PaymentStatus:
    """Return what is known of the invoices of these numbers that are the family's."""
    asked = set(list(numbers)[:MAX_INVOICES])
    own = Invoice.select().where(Invoice.family == family, Invoice.number.in_(asked))
    invoices = list(own.order_by(Invoice.number))
    ids = [invoice.id for invoice in invoices]
    paid, unanswered_at = _paid(ids), unanswered_of(invoices)
    made = [each.attempt for each in paid]
    holders = live_attempts(invoices)
    doubted = (
        Attempt.select()
        .join(AttemptItem)
        .where(AttemptItem.invoice.in_(ids), Attempt.state.not_in(_CAME_TO_NOTHING))
        .exists()
        or _doubts().join(AttemptItem).where(AttemptItem.invoice.in_(ids)).exists()
    )
    some_paid = any(invoice.state == InvoiceState.PAID for invoice in invoices)
    return PaymentStatus(
        paid,
        all_paid=bool(paid) and len(paid) == len(asked),
        held={each.number: holders[each.id] for each in invoices if each.id in holders},
        unanswered_at=unanswered_at,
        nothing_debited=not (some_paid or doubted or unanswered_at),
        attempt=_only([*holders.values(), *made], len(asked)),
    )


def is_doubted(attempt: Attempt) -> bool:
    """Return whether the bank reported money of this attempt that is not in the books, and that no
    human has looked at yet."""
    return bool(_doubts().where(Attempt.id == attempt.id).exists())


def keeps_another_amount(reference: str) -> bool:
    """Return whether an unexpected debit of this attempt waits for a use."""
    kept = (
        Allocation.select()
        .join(Settlement)
        .join(Attempt)
        .where(
            Attempt.reference == reference,
            Allocation.kind == AllocationKind.UNMATCHED,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
    )
    return bool(kept.exists())


def _doubts() -> "ModelSelect[Attempt]":
    """Return a query of the attempts for which the bank reported money that is not in the books."""
    moved = Anomaly.outcome.in_([AttemptState.PAID, AttemptState.REFUNDED])
    return (
        Attempt.select()
        .join(Anomaly)
        .where(
            Anomaly.resolved_at.is_null(),
            (Anomaly.kind == AnomalyKind.UNMATCHED_REFUND)
            | ((Anomaly.kind == AnomalyKind.MISMATCH) & moved),
        )
        .switch(Attempt)
    )


def _only(attempts: Sequence[Attempt | None], count: int) -> Attempt | None:
    """Return the attempt if it is the same one for all `count` invoices, else None."""
    one = len(attempts) == count and len({each and each.id for each in attempts}) == 1
    return attempts[0] if one else None


def _paid(ids: list[int]) -> list[Paid]:
    parts = (
        Allocation.select(Allocation, Invoice, Settlement, Receipt, Attempt)
        .join(Invoice)
        .switch(Allocation)
        .join(Settlement)
        .join(Receipt, JOIN.LEFT_OUTER)
        .switch(Settlement)
        .join(Attempt, JOIN.LEFT_OUTER)
        .where(
            Allocation.invoice.in_(ids),
            Invoice.state == InvoiceState.PAID,
            Allocation.kind == AllocationKind.INVOICE,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
        .order_by(Invoice.number, Allocation.id)
    )
    last = {part.invoice.number: part.settlement for part in parts if part.invoice}
    return [
        Paid(number, each.settled_at, getattr(each, "receipt", None), each.attempt)
        for number, each in last.items()
    ]
