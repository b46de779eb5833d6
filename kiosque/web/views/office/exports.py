"""Files to take away: the lists as CSV, and the payments for another software."""

from werkzeug.wrappers import Response

from kiosque.db.models import Family, Invoice, PaymentExport, Receipt, Settlement
from kiosque.payments import journal, outgoing
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current, spreadsheets
from kiosque.web.office import exports, lists
from kiosque.web.office.access import TAKERS, actor, author, own_agent
from kiosque.web.office.filters import BY_SETTLEMENT, InvoiceFilters, SettlementFilters
from kiosque.web.office.money_forms import ExportForm
from kiosque.web.office.regies import own_names
from kiosque.web.views.office.area import Answer, done, form_page
from kiosque.web.views.office.settlements import money, with_names


@exports.as_file
def invoices_table() -> exports.Export:
    settings, form = current.settings(), InvoiceFilters(current.settings()).required()
    own = lists.narrow(Invoice.select(Invoice, Family), own_agent().own(Invoice.regie, *TAKERS))
    every = lists.every(lists.narrow(own.join(Family), form.conditions()), form.order)
    rows = (exports.of_invoice(each, settings) for each in every)
    return exports.Export("factures", exports.INVOICES, rows, form.chosen)


@exports.as_file
def settlements_table() -> exports.Export:
    settings, form = current.settings(), SettlementFilters(current.settings()).required()
    own = lists.narrow(money(*TAKERS), form.conditions())
    found = with_names(own, Settlement, Family, Receipt)
    rows = (exports.of_settlement(each, settings) for each in lists.every(found, BY_SETTLEMENT))
    return exports.Export("encaissements", exports.SETTLEMENTS, rows, form.chosen)


def export() -> Answer:
    form = ExportForm(own_names(*TAKERS))
    known = outgoing.exports(own_agent().bounds(*TAKERS))
    return done(form, lambda: _exported(form)) or form_page(
        "office/export.html", form, exports=known, last=journal.last()[0]
    )


def _exported(form: ExportForm) -> Response:
    """Answer the payments that are new to a software, as a file."""
    asked, again = (form.consumer.data, form.regie.key, author()), form.again.data
    sent: PaymentExport = outgoing.advance(*asked, again=again)
    what = f"encaissements, écritures {sent.former + 1} à {sent.reached}"
    events.note(Action.EXPORTED, actor(), what, sent.consumer)
    told = outgoing.every(sent.former, sent.reached, sent.regie)
    table = (row for each in told for row in exports.of_told(each))
    name = f"encaissements-{sent.former + 1}-{sent.reached}"
    return spreadsheets.answer("csv", name, exports.TOLD, table)
