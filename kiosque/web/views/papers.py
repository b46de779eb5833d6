"""The family's documents as PDF: receipts, invoices, yearly attestations."""

import math
from datetime import timedelta

from flask import Blueprint, abort, render_template
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from kiosque.families import throttle
from kiosque.families.throttle import Bucket, Limit, TooManyTries
from kiosque.invoices import attestation
from kiosque.papers import content
from kiosque.web import current, documents
from kiosque.web.access import family_only, own_account, own_family, own_invoice, own_receipt

blueprint = Blueprint("papers", __name__)

#: Limit of the papers made for one family, since each takes a tenth of a second of processor: two
#: years of them at once, and then no faster than they can be read.
PAPERS = Limit("papers", 50, timedelta(seconds=5), timedelta(minutes=1))


@blueprint.get("/recus/<int:receipt_id>.pdf")
@family_only
def receipt(receipt_id: int) -> Response:
    if receipt_id >= 2**63:
        abort(404)
    document = content.receipt_document(own_receipt(receipt_id))
    _count_paper()
    return documents.answer_receipt(document)


@blueprint.get("/documents/factures/<path:number>.pdf")
@family_only
def invoice(number: str) -> Response:
    return documents.answer_invoice(own_invoice(number), _count_paper)


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
    from kiosque.papers import tax_attestation  # noqa: PLC0415  # for this page only

    every = attestation.years(own_family(), current.settings().attestation)
    found = next((each for each in every if each.year == year and each.counted), None) or abort(404)
    _count_paper()
    name = f"attestation-fiscale-{year}-{found.family.code}"
    paper = tax_attestation.attestation(current.settings(), found)
    return documents.answer(paper, found.made_on, name)


def _count_paper() -> None:
    """Count a paper made for the family. Raises TooManyRequests after many in a row."""
    try:
        throttle.count_try(Bucket(PAPERS, str(own_account().id)))
    except TooManyTries as error:
        seconds = math.ceil(error.wait.total_seconds())
        raise TooManyRequests(retry_after=seconds) from None
