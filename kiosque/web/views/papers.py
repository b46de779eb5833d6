"""The family's documents as PDF: receipts, invoices, yearly attestations."""

import re
from datetime import date

from flask import Blueprint, abort, make_response, render_template
from werkzeug.wrappers import Response

from kiosque.invoices import attestation
from kiosque.language import clock
from kiosque.papers import content, pdf
from kiosque.web import current
from kiosque.web.access import family_only, own_family, own_invoice, own_receipt

blueprint = Blueprint("papers", __name__)


@blueprint.get("/recus/<int:number>.pdf")
@family_only
def receipt(number: int) -> Response:
    if number >= 2**63:
        abort(404)
    document = content.receipt_document(own_receipt(number))
    paid_on = clock.paris_date(document.settlement.settled_at)
    made = pdf.receipt(current.settings(), document)
    return _answer(made, paid_on, f"recu-{document.receipt.title}")


@blueprint.get("/documents/factures/<path:number>.pdf")
@family_only
def invoice(number: str) -> Response:
    """Give the town's own PDF of an invoice, or one made from its lines."""
    found = own_invoice(number)
    given = current.settings().data / "pdf" / found.pdf_name
    if found.pdf_name and given.is_file():
        written = given.read_bytes()
    else:
        written = pdf.invoice(current.settings(), content.invoice_document(found))
    return _answer(written, found.issued_on, f"facture-{found.number}")


@blueprint.get("/attestations")
@family_only
def attestations() -> str:
    rules = current.settings().attestation
    if not rules.services:
        abort(404)
    return render_template(
        "family/attestations.html", years=attestation.years(own_family(), rules), rules=rules
    )


@blueprint.get("/attestations/<int:year>.pdf")
@family_only
def yearly(year: int) -> Response:
    every = attestation.years(own_family(), current.settings().attestation)
    found = next((each for each in every if each.year == year and each.counted), None) or abort(404)
    name = f"attestation-fiscale-{year}-{found.family.code}"
    return _answer(pdf.attestation(current.settings(), found), found.made_on, name)


def _answer(content: bytes, on: date, name: str) -> Response:
    """Answer a PDF to read in the browser, or to keep under a name that begins with its date."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
    response = make_response(content)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{on.isoformat()}-{safe}.pdf"'
    return response
