"""Invoices, as the town hall looks them up."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple
from urllib.parse import quote

from flask import render_template, url_for
from peewee import ModelSelect, Value
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.db.models import Family, Invoice
from kiosque.db.states import InvoiceState
from kiosque.language import clock
from kiosque.language.formats import format_euros, short_date
from kiosque.mails import sent
from kiosque.papers import content
from kiosque.payments import history
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current, documents
from kiosque.web.office import lists
from kiosque.web.office.access import READERS, actor, own_agent, own_row
from kiosque.web.office.filters import InvoiceFilters
from kiosque.web.status_words import Status, status_on
from kiosque.web.views.office.area import Answer


class ListedInvoice(NamedTuple):
    """A row of the list; `code` and `name` are its family's."""

    id: int
    number: str
    period: str
    issued_on: date
    due_on: date
    closes_on: date | None
    total_cents: int
    paid_cents: int
    state: str
    code: str
    name: str


def invoices() -> Answer:
    form = InvoiceFilters(current.settings())
    return lists.show("office/invoices.html", form, lambda: _page(form), _written)


def _page(form: InvoiceFilters) -> lists.ListPage:
    if form.famille.data:
        events.note(Action.FAMILIES_SEARCHED, actor(), form.famille.data)

    def found(cents: Value) -> "ModelSelect[Invoice]":
        own = lists.narrow(Invoice.select(Invoice.id), own_agent().own(Invoice.regie))
        return lists.narrow(own, form.conditions(cents))

    def rows(cents: Value) -> "ModelSelect[Invoice]":
        return found(cents).select(*lists.columns(ListedInvoice, Invoice, Family)).join(Family)

    reads_all = own_agent().bounds(*READERS) is None
    said = "invoices", form.etat.data, form.montant.cents is None
    kept_as = said if reads_all and form.is_plain else None
    of, cents = ListedInvoice, {"cents": form.montant.cents}
    return lists.read_page(rows, form.order, found, kind=of, kept_as=kept_as, values=cents)


def _written(found: Sequence[ListedInvoice]) -> Iterator[tuple[str, ...]]:
    """Write the rows with their words: three hundred cells, for which the template calls
    nothing."""
    root, statuses = url_for("office.invoices"), _statuses(found)
    for it in found:
        status, amount = statuses[it.id], format_euros(it.total_cents)
        if it.paid_cents and it.state in (InvoiceState.OPEN, InvoiceState.TRANSMITTED):
            amount += f", reste {format_euros(it.total_cents - it.paid_cents)}"
        yield (
            f"{root}/{quote(it.number)}", it.number, f"{it.code} {it.name}", it.period,
            short_date(it.issued_on), short_date(it.due_on), status.name, status.words, amount,
        )  # fmt: skip


def _statuses(invoices: Sequence[ListedInvoice | Invoice]) -> dict[int, Status]:
    unpaid = [each.id for each in invoices if each.state == InvoiceState.OPEN]
    today, held = clock.today(), payments.holders_of(unpaid)
    return {each.id: status_on(today, each, held.get(each.id)) for each in invoices}


def invoice(number: str) -> str:
    found = _invoice(number)
    events.note(Action.INVOICE_READ, actor(), found.number)
    return render_template(
        "office/invoice.html",
        document=content.invoice_document(found),
        status=_statuses([found])[found.id],
        history=history.events_of(found.number),
        mails=sent.in_words(sent.about_invoice(found)),
    )


def invoice_paper(number: str) -> Response:
    found = _invoice(number)
    events.note(Action.INVOICE_READ, actor(), found.number)
    return documents.answer_invoice(found)


def _invoice(number: str) -> Invoice:
    return own_row(Invoice.get_or_none(Invoice.number == number), *READERS)
