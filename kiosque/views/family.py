"""The family's own space: invoices, receipts, record."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, abort, render_template, request
from peewee import JOIN

from kiosque import clock, documents, payments
from kiosque.access import family_only, own_family, own_invoice, own_receipt
from kiosque.models import (
    Allocation,
    Attempt,
    Child,
    Enrolment,
    Family,
    Guardian,
    Invoice,
    Receipt,
    Service,
    Settlement,
)
from kiosque.states import AllocationKind, InvoiceState
from kiosque.views.wording import AT_BANK, DUE, LATE, Status, invoice_status

blueprint = Blueprint("family", __name__)

#: Settled invoices shown at once; the open ones follow payments.MAX_INVOICES.
HISTORY_PAGE = 24


@dataclass(frozen=True)
class Row:
    """An invoice with its state in words, and its receipt if it has one."""

    invoice: Invoice
    status: Status
    receipt: Receipt | None = None
    settlement: Settlement | None = None
    attempt: Attempt | None = None


@blueprint.get("/factures")
@family_only
def invoices() -> str:
    family, page = own_family(), request.args.get("page", 1, type=int)
    rows = _open_rows(family)
    payable = [row for row in rows if row.status in (DUE, LATE)]
    history, has_next = _history(family, max(page, 1))
    return render_template(
        "family/invoices.html",
        payable=payable[: payments.MAX_INVOICES],
        payable_count=len(payable),
        due_cents=sum(row.invoice.total_cents for row in payable),
        at_bank=[row for row in rows if row.status is AT_BANK],
        elsewhere=[row for row in rows if row.status not in (DUE, LATE, AT_BANK)],
        years=_by_school_year(history),
        page=max(page, 1),
        has_next=has_next,
        ticked=request.args.getlist("invoice"),
        tick_all="tout" in request.args,
    )


@blueprint.get("/factures/<path:number>")
@family_only
def invoice(number: str) -> str:
    found = own_invoice(number)
    live = payments.live_attempts([found]).get(found.id)
    return render_template(
        "family/invoice.html",
        row=_with_receipt(found, live),
        lines=documents.invoice_document(found).lines,
    )


@blueprint.get("/recus/<int:number>")
@family_only
def receipt(number: int) -> str:
    if number >= 2**63:
        abort(404)
    document = documents.receipt_document(own_receipt(number))
    return render_template("family/receipt.html", document=document)


@blueprint.get("/famille")
@family_only
def record() -> str:
    family = own_family()
    taken = (
        Enrolment.select(Enrolment, Child, Service)
        .join(Child)
        .switch(Enrolment)
        .join(Service)
        .where(Child.family == family)
        .order_by(Service.name)
    )
    services: dict[int, list[str]] = {}
    for enrolment in taken:
        services.setdefault(enrolment.child.id, []).append(enrolment.service.name)
    return render_template(
        "family/record.html",
        guardians=list(Guardian.select().where(Guardian.family == family).order_by(Guardian.id)),
        children=list(Child.select().where(Child.family == family).order_by(Child.name)),
        services=services,
    )


def _open_rows(family: Family) -> list[Row]:
    found = list(
        Invoice.select()
        .where(Invoice.family == family, Invoice.state == InvoiceState.OPEN)
        .order_by(Invoice.due_on, Invoice.number)
    )
    live = payments.live_attempts(found)
    return [
        Row(each, invoice_status(each, live.get(each.id)), attempt=live.get(each.id))
        for each in found
    ]


def _history(family: Family, page: int) -> tuple[list[Row], bool]:
    """One page of what is settled or cancelled, the latest first, and whether more follows."""
    found = (
        Invoice.select()
        .where(Invoice.family == family, Invoice.state != InvoiceState.OPEN)
        .order_by(Invoice.issued_on.desc(), Invoice.number.desc())
        .paginate(min(page, 10_000), HISTORY_PAGE)
        .limit(HISTORY_PAGE + 1)
    )
    invoices = list(found)
    settled = _settlements(invoices[:HISTORY_PAGE])
    rows = [
        Row(each, invoice_status(each, None), *settled.get(each.id, (None, None)))
        for each in invoices[:HISTORY_PAGE]
    ]
    return rows, len(invoices) > HISTORY_PAGE


def _settlements(invoices: Sequence[Invoice]) -> dict[int, tuple[Receipt | None, Settlement]]:
    """What paid each of these invoices, and its receipt when it was paid online."""
    paid = (
        Allocation.select(Allocation, Settlement, Receipt)
        .join(Settlement)
        .join(Receipt, JOIN.LEFT_OUTER)
        .where(
            Allocation.invoice.in_([invoice.id for invoice in invoices]),
            Allocation.kind == AllocationKind.INVOICE,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
    )
    return {
        allocation.invoice_id: (
            getattr(allocation.settlement, "receipt", None),
            allocation.settlement,
        )
        for allocation in paid
        if allocation.invoice_id
    }


def _with_receipt(invoice: Invoice, live: Attempt | None) -> Row:
    receipt, settlement = _settlements([invoice]).get(invoice.id, (None, None))
    return Row(invoice, invoice_status(invoice, live), receipt, settlement, live)


def _by_school_year(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    grouped = groupby(rows, key=lambda row: clock.school_year(row.invoice.issued_on))
    return [(f"{year}-{year + 1}", list(group)) for year, group in grouped]
