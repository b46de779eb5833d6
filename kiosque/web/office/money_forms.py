"""The forms of acts on money: filled, then confirmed once the agent has read the effect."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from kiosque import payments
from kiosque.db.models import Invoice
from kiosque.language.formats import format_euros, short_date
from kiosque.payments import CounterPayment
from kiosque.payments.previews import Foreseen
from kiosque.payments.refusals import CHANGED
from kiosque.web.forms import Form
from kiosque.web.office.forms import TICK, DayField, EurosField, OneOf, RegieField, reason_field


class ForeseenForm(Form):
    """An act that is filled, then confirmed. The second time, `fingerprint` is that of the effect
    shown to the agent; the boxes `seen` and `anyway` say that the effect, and its warnings, were
    read."""

    reason = reason_field()
    fingerprint = HiddenField()
    seen = BooleanField("J’ai vérifié")
    anyway = BooleanField("Je le fais quand même")

    @property
    def asked(self) -> list[Field]:
        """The fields to fill, the reason last."""
        apart = {"reason", "fingerprint", "seen", "anyway", "csrf_token"}
        return [*(field for field in self if field.name not in apart), self.reason]

    def confirms(self, foreseen: Foreseen) -> bool:
        """Tell whether the agent has read the effect and it is still the same. The field of a box
        that is not ticked says so."""
        if self.fingerprint.data != foreseen.fingerprint:
            if self.fingerprint.data:
                self.form_errors.append(CHANGED)
            self.fingerprint.data = foreseen.fingerprint
            self.seen.data = self.anyway.data = False
            return False
        boxes = [self.seen, self.anyway] if foreseen.warnings else [self.seen]
        for box in boxes:
            if not box.data:
                box.errors = [TICK]
        return all(box.data for box in boxes)


def _amount_field(label: str, description: str = "", **values: Any) -> EurosField:
    keyboard = {"inputmode": "decimal"}
    return EurosField(label, description=description, render_kw=keyboard, **values)


class CounterForm(ForeseenForm):
    """Money taken at the counter, by one or two means."""

    mode = OneOf("Moyen de paiement")
    amount = _amount_field("Montant", validators=[InputRequired("Indiquez le montant.")])
    other_mode = OneOf("Autre moyen, s’il y en a deux", default="")
    other_amount = _amount_field("Montant par cet autre moyen")
    settled_on = DayField(
        "Reçu le", [DataRequired("Indiquez le jour.")], render_kw={"type": "date"}
    )

    def __init__(self, modes: Sequence[str], **values: Any) -> None:
        """Take the modes that the *régie* may collect by, all when it names none."""
        super().__init__(**values)
        known = [
            (mode.value, words)
            for mode, words in payments.COUNTER_MODES.items()
            if not modes or mode in modes
        ]
        self.mode.choices, self.other_mode.choices = known, [("", "Aucun"), *known]

    def validate_other_amount(self, field: EurosField) -> None:
        if bool(self.other_mode.data) != bool(field.data):
            raise ValidationError("Donnez l’autre moyen et son montant, ou aucun des deux.")

    def takings(self, number: str, author: str) -> list[CounterPayment]:
        """Return the payments that were typed, of this invoice."""
        return [
            CounterPayment(
                invoice_number=number,
                amount_cents=amount.cents,
                mode=mode.data,
                settled_on=self.settled_on.day,
                author=author,
                reason=self.reason.data,
                is_extra=True,
            )
            for mode, amount in (
                (self.mode, self.amount),
                (self.other_mode, self.other_amount),
            )
            if mode.data
        ]


class AmountForm(ForeseenForm):
    """An act on some of a payment's money, or all of it."""

    amount = _amount_field("Montant", "Tout ce qui reste, si vous n’écrivez rien.")

    @property
    def cents(self) -> int | None:
        """Return the cents typed; None for all, also if the form has no amount."""
        return self.amount.cents if self.amount else None


class ElsewhereForm(AmountForm):
    """Money given back without our asking the bank."""

    transaction = StringField(
        "Identifiant du remboursement à la banque",
        [Length(max=100, message="Cet identifiant est plus court.")],
        description="Seulement si la banque a remboursé sans que le site le lui demande.",
    )


class RestoreForm(AmountForm):
    """Money that is there although the books say that it left."""

    amount = _amount_field("Montant", "Si plusieurs sommes sont reparties, laquelle.")


class ApplyForm(AmountForm):
    """A *trop-perçu* that pays an invoice."""

    amount = _amount_field("Montant", "Tout ce qui se peut, si vous n’écrivez rien.")
    number = StringField("Numéro de la facture à payer", [InputRequired("Indiquez la facture.")])


class WithdrawForm(ForeseenForm):
    """An invoice to which money was applied, one of these numbers."""

    number = OneOf("Facture")

    def __init__(self, numbers: Sequence[str]) -> None:
        super().__init__()
        self.number.choices = [(each, each) for each in numbers]


class TransmitForm(ForeseenForm):
    """An invoice that the Treasury will collect."""

    list_name = StringField(
        "Nom de la liste",
        [InputRequired("Indiquez la liste, par exemple «\u00a0titres 2026-11\u00a0».")],
        description="Celle qui part au Trésor public.",
    )
    on = DayField("Transmise le", [DataRequired("Indiquez le jour.")], render_kw={"type": "date"})


class TransmitManyForm(TransmitForm):
    """The invoices of a list that the Treasury will collect, by their ids; all are ticked at
    first."""

    invoices = SelectMultipleField(
        "Factures",
        [DataRequired("Cochez au moins une facture.")],
        validate_choice=False,
    )

    def __init__(self, known: Sequence[Invoice], **values: Any) -> None:
        super().__init__(**values)
        self._known = {str(each.id): each for each in known}
        self.invoices.choices = [(key, _told(each)) for key, each in self._known.items()]
        if not self.is_submitted() or request.form.get("change") == "all":
            self.invoices.data = [*self._known]
        elif request.form.get("change") == "none":
            self.invoices.data = []

    def validate_invoices(self, field: SelectMultipleField) -> None:
        if not self._known.keys() >= set(field.data):
            raise ValidationError(CHANGED)

    @property
    def ticked(self) -> list[Invoice]:
        return [each for key, each in self._known.items() if key in self.invoices.data]


def _told(invoice: Invoice) -> str:
    family, due_on = invoice.family, short_date(invoice.due_on)
    named = f"{invoice.number}, {family.code} {family.name}, {invoice.period}, échéance {due_on}"
    return f"{named}\u00a0: {format_euros(invoice.remaining_cents)}"


class ExportForm(Form):
    """The software that the payments of a *régie* are for."""

    consumer = StringField(
        "Logiciel",
        [InputRequired("Indiquez le logiciel."), Length(max=100, message="Ce nom est trop long.")],
        default="logiciel famille",
        description="Le site retient, pour chacun, jusqu’où il a reçu.",
    )
    regie = RegieField()
    again = BooleanField("Reprendre le dernier export, sans avancer")

    def __init__(self, own: Mapping[str, str]) -> None:
        """Take the *régies* whose payments the agent may export, names by key."""
        super().__init__()
        self.regie.offer(own)
