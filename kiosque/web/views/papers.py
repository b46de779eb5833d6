"""The family's documents as PDF: receipts, invoices, yearly attestations."""

import math
import re
from datetime import date, timedelta

from flask import Blueprint, abort, make_response, render_template
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from kiosque.families import throttle
from kiosque.families.throttle import Bucket, Limit, TooManyTries
from kiosque.invoices import attestation
from kiosque.language import clock
from kiosque.papers import content, pdf
from kiosque.web import current
from kiosque.web.access import family_only, own_account, own_family, own_invoice, own_receipt

blueprint = Blueprint("papers", __name__)

#: Papers that one family has made, each a tenth of a second of a processor: two years of them at
#: once, and then no faster than they are read.
PAPERS = Limit("papers", 50, timedelta(seconds=5), timedelta(minutes=1))


@blueprint.get("/recus/<int:receipt_id>.pdf")
@family_only
def receipt(receipt_id: int) -> Response:
    if receipt_id >= 2**63:
        abort(404)
    document = content.receipt_document(own_receipt(receipt_id))
    paid_on = clock.paris_date(document.settlement.settled_at)
    _count_paper()
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
        _count_paper()
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
    _count_paper()
    name = f"attestation-fiscale-{year}-{found.family.code}"
    return _answer(pdf.attestation(current.settings(), found), found.made_on, name)


def _count_paper() -> None:
    """Count a paper that the family has made. Raises TooManyRequests after many in a row."""
    try:
        throttle.count_try(Bucket(PAPERS, str(own_account().id)))
    except TooManyTries as error:
        seconds = math.ceil(error.wait.total_seconds())
        raise TooManyRequests(retry_after=seconds) from None


def _answer(content: bytes, on: date, name: str) -> Response:
    """Answer a PDF to read in the browser, or to keep under a name that begins with its date."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
    response = make_response(content)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{on.isoformat()}-{safe}.pdf"'
    return response
