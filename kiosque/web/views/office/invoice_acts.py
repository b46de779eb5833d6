"""Pages of an agent's acts on an invoice: cancel, take a payment, transmit, use a credit note."""

from collections.abc import Callable

from flask import abort, flash, redirect, url_for
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.db.models import Family, Invoice
from kiosque.db.states import InvoiceState
from kiosque.invoices import announcements
from kiosque.language.formats import counted
from kiosque.mails import sent
from kiosque.staff.roles import Role
from kiosque.web import current
from kiosque.web.office import invoice_acts as acts
from kiosque.web.office import lists
from kiosque.web.office.access import actor, own_agent, own_row
from kiosque.web.office.acts import MoneyAct, answer
from kiosque.web.office.filters import InvoiceFilters
from kiosque.web.views.office.area import Answer, known, said


def _page(act: Callable[[Invoice], MoneyAct], *wanted: Role) -> Callable[[str], Answer]:
    """Return the page of an act, for agents of these roles, else for *régisseurs*."""

    def page(number: str) -> Answer:
        return answer(act(_acted_on(number, *(wanted or (Role.REGISSEUR,)))))

    return page


cancel_invoice = _page(acts.Cancel, Role.FACTURATION, Role.REGISSEUR)
take = _page(acts.Take)
transmit = _page(acts.Transmit)
take_back = _page(acts.TakeBack)
apply_credit = _page(acts.ApplyCredit)


def transmit_many() -> Answer:
    """Transmit the invoices of a list that are to pay, the oldest first, a limited number at a
    time."""
    form = InvoiceFilters(current.settings()).required()
    asked = lists.narrow(Invoice.select(Invoice, Family).join(Family), form.conditions())
    own = lists.narrow(asked, own_agent().own(Invoice.regie, Role.REGISSEUR))
    due = own.where(Invoice.state == InvoiceState.OPEN).order_by(Invoice.due_on, Invoice.id)
    if found := [*due.limit(payments.MOST_TRANSMITTED)]:
        return answer(acts.TransmitMany(found, form.chosen))
    flash("Aucune facture de cette liste n’est à régler ici.")
    return redirect(url_for("office.invoices", **form.chosen))


def take_credit_off(number: str, note: int) -> Answer:
    """Undo what a credit note, given by its id, pays of an invoice."""
    invoice = _acted_on(number, Role.REGISSEUR)
    found = Invoice.get_or_none(Invoice.id == known(note), Invoice.family == invoice.family)
    return answer(acts.TakeCreditOff(invoice, found or abort(404)))


def send_notice(number: str) -> Response:
    """Send its family once more the mail that told of an invoice."""
    invoice = _acted_on(number, Role.FACTURATION, Role.REGISSEUR)

    def send() -> str:
        count = sent.send_notice_again(invoice, actor())
        when = f"dès {announcements.FIRST_HOUR} h" if announcements.is_quiet() else "à l’instant"
        return f"Le courriel part {when}, à {counted(count, 'adresse')}."

    return said(send, url_for("office.invoice", number=invoice.number))


def _acted_on(number: str, *wanted: Role) -> Invoice:
    return own_row(Invoice.get_or_none(Invoice.number == number), *wanted)
