"""Show an agent a family's own pages, read-only; each reading is logged.

The agent gets no session of the family, and no address here takes anything but a GET.
"""

from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl, urlsplit

from flask import abort, current_app, render_template, url_for
from werkzeug.exceptions import HTTPException

from kiosque.db.models import Family, Invoice
from kiosque.invoices import family_balance
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import read_only
from kiosque.web.office.access import READERS, actor, own_agent
from kiosque.web.views import family as pages
from kiosque.web.views.office.families import family_of

#: The family's pages that are shown, and where.
_SHOWN = {
    "family.invoices": "office.seen_invoices",
    "family.invoice": "office.seen_invoice",
    "family.record": "office.seen_record",
}


def seen_invoices(code: str) -> str:
    return _seen(code, pages.invoices_of)


def seen_invoice(code: str, number: str) -> str:
    def show(family: Family) -> str:
        own = Invoice.number == number, Invoice.family == family
        return pages.invoice_of(Invoice.get_or_none(*own) or abort(404))

    return _seen(code, show)


def seen_record(code: str) -> str:
    return _seen(code, pages.record_of)


def _seen(code: str, show: Callable[[Family], str]) -> str:
    family = family_of(code)
    own_agent().require_all(family_balance.regies_of(family), *READERS)
    said = read_only.said_by(show(family), partial(_leads_to, code))
    events.note(Action.SEEN_AS_FAMILY, actor(), family.code)
    return render_template("office/as_family.html", family=family, said=said)


def _leads_to(code: str, address: str) -> str:
    """Return where a link of the family's page leads here: to another that is shown, or nowhere."""
    parts = urlsplit(address)
    try:
        endpoint, values = current_app.url_map.bind("").match(parts.path, "GET")
    except HTTPException:
        return ""
    asked = dict(parse_qsl(parts.query))
    if parts.netloc or endpoint not in _SHOWN or asked.keys() - {"page"}:
        return ""
    return url_for(_SHOWN[endpoint], **{**values, **asked, "code": code})
