"""The acts of the town hall on an invoice, or on those of a list."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from kiosque import payments
from kiosque.db.models import Invoice
from kiosque.db.states import CREDIT, CounterMode, InvoiceState
from kiosque.language import clock
from kiosque.language.formats import counted, decimal, format_euros, short_date
from kiosque.payments import previews
from kiosque.payments.previews import Foreseen
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current
from kiosque.web.office.access import actor, author
from kiosque.web.office.acts import MoneyAct
from kiosque.web.office.money_forms import (
    ApplyForm,
    CounterForm,
    ForeseenForm,
    TransmitForm,
    TransmitManyForm,
)


class OfInvoice(MoneyAct):
    def __init__(self, invoice: Invoice, form: ForeseenForm | None = None) -> None:
        self.invoice, self.form = invoice, form or self.form_class()
        self.about = f"Facture {invoice.number}, {invoice.period}"
        self.back = url_for("office.invoice", number=invoice.number)


class Cancel(OfInvoice):
    verb = "Annuler"

    def foresee(self) -> Foreseen:
        return previews.cancellation(self.invoice)

    def do(self) -> str:
        number = self.invoice.number
        payments.cancel_invoice(number, author(), self.reason, agreed=self.invoice)
        events.note(Action.INVOICE_CANCELLED, actor(), number, self.reason)
        return f"La facture {number} est annulée."


class Take(OfInvoice):
    """Money taken at the counter."""

    verb = "Encaisser"
    form: CounterForm

    def __init__(self, invoice: Invoice) -> None:
        self._regies = current.settings().regies_by_key
        regie = self._regies.get(invoice.regie)
        cents = invoice.remaining_cents or invoice.treasury_cents
        left = decimal(cents) if cents else ""
        usual = {"settled_on": clock.today().isoformat(), "amount": left}
        modes = regie.modes if regie else ()
        if invoice.state == InvoiceState.TRANSMITTED:  # not limited to the modes of the régie
            modes = (CounterMode.TREASURY,)
        super().__init__(invoice, CounterForm(modes, data=usual))

    def _payments(self) -> list[payments.CounterPayment]:
        return self.form.takings(self.invoice.number, author())

    def foresee(self) -> Foreseen:
        return previews.taking(self.invoice, self._payments(), self._regies)

    def do(self) -> str:
        added = payments.settle_at_counter(self._payments(), self._regies, agreed=self.told.taken)
        taken = format_euros(sum(each.cents for each in added))
        number = self.invoice.number
        events.note(Action.TAKEN, actor(), number, f"{taken}, {self.reason}")
        return f"{taken} encaissés pour la facture {number}."


class Transmit(OfInvoice):
    """An invoice becomes the Treasury's to collect."""

    verb = "Transmettre au Trésor public"
    form: TransmitForm

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(invoice, TransmitForm(data={"on": clock.today().isoformat()}))

    def foresee(self) -> Foreseen:
        return previews.transmission([self.invoice])

    def do(self) -> str:
        number = self.invoice.number
        transmit([number], self)
        events.note(Action.TRANSMITTED, actor(), number, self.reason)
        return f"La facture {number} est transmise au Trésor public."


class TransmitMany(MoneyAct):
    """The Treasury collects from now on those that are ticked, of the invoices of a list."""

    verb = "Transmettre au Trésor public"
    form: TransmitManyForm

    def __init__(self, found: Sequence[Invoice], chosen: Mapping[str, Any]) -> None:
        """Take the invoices that may be ticked, and the filters of the list that has them."""
        paying = payments.at_bank(each.number for each in found)
        free = [each for each in found if each.number not in paying]
        self.form = TransmitManyForm(free, data={"on": clock.today().isoformat()})
        self.about = f"{counted(len(free), 'facture')} à régler"
        if len(found) == payments.MOST_TRANSMITTED:
            self.about += ", les plus anciennes"
        if paying:
            self.about += f", sans celles que des familles paient en ce moment ({len(paying)})"
        self.back = url_for("office.invoices", **chosen)

    def foresee(self) -> Foreseen:
        many = counted(len(self.form.ticked), "facture")
        self.about = f"{many}, liste {self.form.list_name.data}, {short_date(self.form.on.day)}"
        return previews.transmission(self.form.ticked)

    def do(self) -> str:
        new = transmit([each.number for each in self.form.ticked], self)
        name, many = str(self.form.list_name.data).strip(), counted(len(new), "facture")
        about = f"liste {name}, {many}, {format_euros(self.told.cents)}"
        events.note(Action.TRANSMITTED, actor(), about, self.reason)
        self.back = url_for("office.invoices", liste=name)
        return f"Transmis au Trésor public\u00a0: {about}."


def transmit(numbers: Sequence[str], act: Transmit | TransmitMany) -> list[str]:
    """Transmit these invoices as an act says. Return their numbers. Raises Refused."""
    name, on = act.form.list_name.data, act.form.on.day
    return payments.transmit(numbers, name, on, author(), act.reason, agreed=act.told.cents)


class TakeBack(OfInvoice):
    """An invoice that was transmitted by mistake is due here again."""

    verb = "Reprendre du Trésor public"

    def foresee(self) -> Foreseen:
        return previews.return_from_treasury(self.invoice)

    def do(self) -> str:
        number = self.invoice.number
        payments.take_back(number, author(), self.reason)
        events.note(Action.TAKEN_BACK, actor(), number, self.reason)
        return f"La facture {number} est reprise du Trésor public."


class ApplyCredit(OfInvoice):
    """A credit note that pays an invoice."""

    verb = "Affecter"
    form_class = ApplyForm
    form: ApplyForm

    def foresee(self) -> Foreseen:
        same = Invoice.number == self._target, Invoice.regie == self.invoice.regie
        paid = Invoice.get_or_none(*same)
        if paid is None:  # do not reveal what another régie has
            raise payments.Refused(
                [f"Facture {self._target[:30]}\u00a0: la régie de l’avoir n’en a pas de ce numéro."]
            )
        payment = payments.CounterPayment(
            invoice_number=self._target,
            amount_cents=self.form.cents,
            mode=CREDIT,
            settled_on=clock.today(),
            author=author(),
            reason=self.reason,
            credit_number=self.invoice.number,
        )
        return previews.taking(paid, [payment], current.settings().regies_by_key)

    def do(self) -> str:
        asked = self.invoice.number, self._target, self.told.cents, author(), self.reason
        used = format_euros(payments.apply_credit(*asked, agreed=self.told.taken))
        events.note(Action.CREDIT_APPLIED, actor(), self.invoice.number, f"{used}, {self.reason}")
        return f"{used} de l’avoir {self.invoice.number} paient la facture {self._target}."

    @property
    def _target(self) -> str:
        return str(self.form.number.data).strip()


class TakeCreditOff(OfInvoice):
    """Undo what a credit note pays of this invoice."""

    verb = "Reprendre"

    def __init__(self, invoice: Invoice, note: Invoice) -> None:
        super().__init__(invoice)
        self.note = note
        self.about = f"Ce que l’avoir {note.number} paie de la facture {invoice.number}"

    def foresee(self) -> Foreseen:
        return previews.credit_return(self.note, self.invoice)

    def do(self) -> str:
        note, number = self.note.number, self.invoice.number
        asked = note, number, author(), self.reason
        back = format_euros(payments.unapply_credit(*asked, agreed=self.told.cents))
        events.note(Action.CREDIT_TAKEN_OFF, actor(), note, f"{back}, {number}, {self.reason}")
        return f"{back} de la facture {number} sont rendus à l’avoir {note}."
