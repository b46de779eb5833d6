"""A family's account for the town hall: its dues, latest invoices and payments, a query each."""

from collections.abc import Collection
from typing import Any, NamedTuple

from peewee import JOIN, Case, Expression, fn

from kiosque.db.models import Family, Invoice, Receipt, Settlement
from kiosque.db.states import InvoiceState
from kiosque.language import clock

#: Invoices, and payments, that are shown.
LATEST = 20


class Due(NamedTuple):
    """The dues of a family: the `number` of its open invoices and the cents still to pay, of which
    `late_cents` are past their due dates; the cents that the Treasury collects; and the cents left
    on its credit notes."""

    number: int
    cents: int
    late_cents: int
    treasury_cents: int
    credit_cents: int


#: The keys of the *régies* to include, None for all.
Regies = Collection[str] | None


def due(family: Family, regies: Regies = None) -> Due:
    left = Invoice.total_cents - Invoice.paid_cents
    is_open = Invoice.state == InvoiceState.OPEN
    sums = (
        (is_open, 1),
        (is_open, left),
        (is_open & (Invoice.due_on < clock.today()), left),
        (Invoice.state == InvoiceState.TRANSMITTED, left),
        (Invoice.state == InvoiceState.NOTHING_DUE, Invoice.paid_cents - Invoice.total_cents),
    )
    found = Invoice.select(*(fn.SUM(Case(None, [each], 0)) for each in sums)).where(
        Invoice.family == family,
        Invoice.state.not_in([InvoiceState.PAID, InvoiceState.CANCELLED]),
        *_of(Invoice, regies),
    )
    return Due(*(int(each or 0) for each in found.scalar(as_tuple=True)))


def latest_invoices(family: Family, regies: Regies = None) -> list[Invoice]:
    found = Invoice.select().where(Invoice.family == family, *_of(Invoice, regies))
    return list(found.order_by(Invoice.issued_on.desc(), Invoice.number.desc()).limit(LATEST))


def latest_payments(family: Family, regies: Regies = None) -> list[Settlement]:
    """Return the latest payments, each with its `receipt` where it has one."""
    found = (
        Settlement.select(Settlement, Receipt, Invoice)
        .join(Receipt, JOIN.LEFT_OUTER)
        .switch(Settlement)
        .join(Invoice, JOIN.LEFT_OUTER, on=(Settlement.credit_note == Invoice.id))
        .where(Settlement.family == family, *_of(Settlement, regies))
    )
    return list(found.order_by(Settlement.settled_at.desc(), Settlement.id.desc()).limit(LATEST))


def regies_of(family: Family) -> set[str]:
    """Return the keys of the *régies* that have invoiced a family, or were paid by it."""
    rows: list[Invoice | Settlement] = [
        *Invoice.select(Invoice.regie).where(Invoice.family == family).distinct(),
        *Settlement.select(Settlement.regie).where(Settlement.family == family).distinct(),
    ]
    return {row.regie for row in rows}


def _of(model: Any, regies: Regies) -> list[Expression]:
    return [] if regies is None else [model.regie.in_(sorted(regies))]
