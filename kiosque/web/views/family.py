"""The family's own space: invoices, receipts, record."""

from typing import NamedTuple

from flask import Blueprint, abort, render_template, request

from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.families import records
from kiosque.papers import content
from kiosque.papers.content import InvoiceDocument
from kiosque.web import current, invoice_rows
from kiosque.web.access import family_only, own_family, own_invoice, own_receipt
from kiosque.web.open_payments import waiting_for_payer
from kiosque.web.status_words import Status, held_advice, invoice_status

blueprint = Blueprint("family", __name__)


class Standing(NamedTuple):
    """An invoice, its status in words, and the payment that holds it, with what to do about it."""

    document: InvoiceDocument
    status: Status
    held: Attempt | None
    advice: str


@blueprint.get("/factures")
@family_only
def invoices() -> str:
    return invoices_of(own_family())


def invoices_of(family: Family) -> str:
    """Return a family's list of invoices."""
    asked = request.args
    page = max(asked.get("page", 1, type=int), 1)
    write = invoice_rows.RowWriter()
    return render_template(
        "family/invoices.html",
        unpaid=invoice_rows.unpaid(family, write),
        settled=invoice_rows.settled(family, page, write),
        page=page,
        ticked=asked.getlist("invoice"),
        tick_all="tout" in asked,
        nothing_ticked="rien" in asked,
        overpaid_cents=payments.overpaid_to(family),
    )


@blueprint.get("/factures/<path:number>")
@family_only
def invoice(number: str) -> str:
    return invoice_of(own_invoice(number))


def invoice_of(found: Invoice) -> str:
    """Return the page of an invoice, as its family reads it."""
    live = payments.live_attempts([found]).get(found.id)
    bank = current.settings().gateway_of(found.regie)
    return render_template(
        "family/invoice.html",
        row=_standing(content.invoice_document(found), live),
        transmission=payments.transmission_of(found),
        opened=waiting_for_payer(live) if live else None,
        unanswered_at=payments.unanswered_of([found]),
        closure=payments.closure_words().get(bank or ""),
        lost_time=payments.lost_time_of([(bank, found.issued_on)]),
    )


@blueprint.get("/recus/<int:receipt_id>")
@family_only
def receipt(receipt_id: int) -> str:
    if receipt_id >= 2**63:
        abort(404)
    document = content.receipt_document(own_receipt(receipt_id))
    return render_template("family/receipt.html", document=document)


@blueprint.get("/famille")
@family_only
def record() -> str:
    return record_of(own_family())


def record_of(family: Family) -> str:
    """Return a family's record, as it reads it."""
    return render_template("family/record.html", family=family, record=records.read(family))


def _standing(document: InvoiceDocument, held: Attempt | None) -> Standing:
    advice = held_advice(held) if held else ""
    return Standing(document, invoice_status(document.invoice, held), held, advice)
