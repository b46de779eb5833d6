"""Papers as a browser receives them."""

import re
from collections.abc import Callable
from datetime import date

from flask import make_response
from werkzeug.wrappers import Response

from kiosque.db.models import Invoice
from kiosque.language import clock
from kiosque.papers import content
from kiosque.papers.content import ReceiptDocument
from kiosque.web import current


def answer_invoice(invoice: Invoice, before_making: Callable[[], None] = lambda: None) -> Response:
    """Answer the town's own PDF of an invoice, or one made from its lines."""
    from kiosque.papers import receipts_and_invoices  # noqa: PLC0415  # few pages need it

    given = current.settings().data / "pdf" / invoice.pdf_name
    if invoice.pdf_name and given.is_file():
        written = given.read_bytes()
    else:
        before_making()
        written = receipts_and_invoices.invoice(
            current.settings(), content.invoice_document(invoice)
        )
    return answer(written, invoice.issued_on, f"facture-{invoice.number}")


def answer_receipt(document: ReceiptDocument) -> Response:
    from kiosque.papers import receipts_and_invoices  # noqa: PLC0415

    paid_on = clock.paris_date(document.settlement.settled_at)
    made = receipts_and_invoices.receipt(current.settings(), document)
    return answer(made, paid_on, f"recu-{document.receipt.title}")


def answer(content: bytes, on: date, name: str) -> Response:
    """Answer a PDF to read in the browser, or to keep under a name that begins with its date."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
    response = make_response(content)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{on.isoformat()}-{safe}.pdf"'
    return response


def answer_archive(content: bytes, name: str) -> Response:
    """Answer a zip to keep under this name."""
    response = make_response(content)
    response.mimetype = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return response
