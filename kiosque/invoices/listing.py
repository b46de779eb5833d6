"""A family's invoices as its list shows them, each kind by one query."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from peewee import JOIN, fn

from kiosque import payments
from kiosque.db.models import Allocation, Attempt, AttemptItem, Family, Invoice, Receipt, Settlement
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import AllocationKind, InvoiceState
from kiosque.language import clock

#: Settled invoices of a page: a year of months.
HISTORY_PAGE = 12


class HoldingAttempt(NamedTuple):
    """The attempt that holds an invoice now."""

    reference: str
    state: str
    gateway: str
    started_at: datetime
    live_until: datetime


class Unpaid(NamedTuple):
    """An invoice still to pay, here or to the Treasury, maybe paid in part; `held` while a payment
    of it is at the bank. `unanswered_at` is when a payment that the bank never reported on was
    begun. Or a credit note that is still worth something: what remains of it is below zero."""

    number: str
    period: str
    services: str
    children: str
    total_cents: int
    paid_cents: int
    state: str
    issued_on: date
    due_on: date
    closes_on: date | None
    regie: str
    held: HoldingAttempt | None
    unanswered_at: datetime | None

    @property
    def remaining_cents(self) -> int:
        return self.total_cents - self.paid_cents


class Settled(NamedTuple):
    """An invoice paid or cancelled, with the last of the payments that pay it. A payment at the
    counter has no receipt: `receipt_id` and the rest of the receipt are None. Or a credit note;
    `paid_cents`, below zero, is then how much of it is used."""

    number: str
    period: str
    services: str
    children: str
    total_cents: int
    state: str
    issued_on: date
    paid_cents: int
    settled_at: datetime | None
    mode: str | None
    receipt_id: int | None
    receipt_number: int
    receipt_sequence: str


def _of_invoice(names: Sequence[str]) -> list[Any]:
    return [getattr(Invoice, name) for name in names]


_TO_PAY = (InvoiceState.OPEN, InvoiceState.TRANSMITTED)
_OPEN = _of_invoice(Unpaid._fields[:-2])


def unpaid(family: Family) -> list[Unpaid]:
    """Return all invoices still to pay, even those that cannot be paid here, and the credit notes
    that are still worth something; the most urgent first."""
    found = _UNPAID.rows(
        family=family.id,
        now=clock.now(),
        since=payments.told_since(),
        opened_since=payments.opening_since(),
    )
    return [_unpaid(row) for row in found]


def _unpaid(row: Sequence[Any]) -> Unpaid:
    end = len(_OPEN)
    held, unanswered_at = row[end:-1], row[-1]
    return Unpaid._make(
        (
            *row[:end],
            HoldingAttempt(*held) if held[0] else None,
            datetime.fromisoformat(unanswered_at) if unanswered_at else None,
        )
    )


def settled(family: Family, page: int) -> tuple[list[Settled], bool]:
    """Return a page of paid and cancelled invoices, the latest first; and True if more follow."""
    first = min(page - 1, 10_000) * HISTORY_PAGE
    found = _SETTLED.rows(family=family.id, first=first)
    return [Settled._make(row) for row in found[:HISTORY_PAGE]], len(found) > HISTORY_PAGE


def _last_part() -> Any:
    """Return a subquery: the last part of a payment that pays the invoice of the outer query."""
    part = Allocation.alias()
    return part.select(fn.MAX(part.id)).where(
        part.invoice == Invoice.id,
        part.kind == AllocationKind.INVOICE,
        part.counts == True,  # noqa: E712  # an SQL expression
    )


_UNPAID = PreparedQuery(
    lambda family, now, since, opened_since: (
        Invoice.select(
            *_OPEN,
            *(getattr(Attempt, name) for name in HoldingAttempt._fields),
            payments.unanswered_at(Invoice.id, now, since),
        )
        .join(
            AttemptItem,
            JOIN.LEFT_OUTER,
            on=(AttemptItem.invoice == Invoice.id) & (AttemptItem.live == True),  # noqa: E712
        )
        .join(
            Attempt,
            JOIN.LEFT_OUTER,
            on=(Attempt.id == AttemptItem.attempt) & payments.holds(now, opened_since),
        )
        .where(
            Invoice.family == family,
            Invoice.state.in_((*_TO_PAY, InvoiceState.NOTHING_DUE)),
            Invoice.total_cents != Invoice.paid_cents,
        )
        .order_by(Invoice.due_on, Invoice.number)
    )
)
_SETTLED = PreparedQuery(
    lambda family, first: (
        Invoice.select(
            *_of_invoice(Settled._fields[:-5]),
            Settlement.settled_at,
            Settlement.mode,
            Receipt.id,
            Receipt.number,
            Receipt.sequence,
        )
        .join(
            Allocation,
            JOIN.LEFT_OUTER,
            on=Allocation.id == _last_part(),
        )
        .join(Settlement, JOIN.LEFT_OUTER)
        .join(Receipt, JOIN.LEFT_OUTER)
        .where(Invoice.family == family, Invoice.state.not_in(_TO_PAY))
        .order_by(Invoice.issued_on.desc(), Invoice.number.desc())
        .limit(HISTORY_PAGE + 1)
        .offset(first)
    )
)
