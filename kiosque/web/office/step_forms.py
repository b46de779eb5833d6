"""The forms of what is to treat: a step that is advised, and the end of a point."""

from collections.abc import Mapping
from typing import ClassVar

from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from kiosque import payments
from kiosque.payments.step_actions import Filled
from kiosque.payments.steps import Blank, Step
from kiosque.web.office.forms import ActForm, DayField, EurosField, require_shown


class ConclusionForm(ActForm):
    """The end of a point to treat: what was done of it."""

    reason = StringField(
        "Ce qui a été fait",
        [
            DataRequired("Dites ce qui a été fait."),
            Length(max=payments.LONGEST_REASON, message="C’est trop long. Raccourcissez."),
            require_shown,
        ],
    )


#: Characters of what something is called.
LONGEST_NAME = 100


def _wanted(such_as: str) -> DataRequired:
    return DataRequired(f"Indiquez-le. Exemple\u00a0: {such_as}.")


def _name_field(label: str, such_as: str) -> StringField:
    """Return the field of what something is called."""
    return StringField(label, [_wanted(such_as), _require_readable])


def _require_readable(_form: ActForm, field: StringField) -> None:
    name = field.data.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ValidationError("Ce nom est trop long, ou a un signe invisible.")


class StepForm(ActForm):
    """A step that is advised, with the words that it leaves to fill in."""

    command = HiddenField()
    amount = EurosField("Montant en euros", [_wanted("54,18")])
    invoice = _name_field("Numéro de la facture", "2026-10-0001")
    family = _name_field("Code famille", "F1001")
    day = DayField("Jour du débit à la banque", [_wanted("2026-12-31")])
    transaction = _name_field(
        "Identifiant à la banque", "les lettres et les chiffres que la banque affiche"
    )
    payment = _name_field("Reçu, ou identifiant du débit à la banque", "R000123")

    #: The field of each word.
    BLANKS: ClassVar[Mapping[Blank, str]] = {
        Blank.AMOUNT: "amount",
        Blank.INVOICE: "invoice",
        Blank.FAMILY: "family",
        Blank.DAY: "day",
        Blank.TRANSACTION: "transaction",
        Blank.PAYMENT: "payment",
    }

    def __init__(self, step: Step) -> None:
        super().__init__()
        for blank, name in self.BLANKS.items():
            if blank not in step.blanks:
                del self[name]
        self.wanted = [self[name] for name in self.BLANKS.values() if name in self]
        if not self.is_submitted():
            self.command.data = step.command

    @property
    def filled(self) -> Filled:
        """Return what was filled in, of a valid form."""
        typed = {field.name: (field.data or "").strip() for field in self.wanted}
        return Filled(
            reason=self.reason.data,
            cents=self.amount.cents if self.amount else None,
            invoice=typed.get("invoice", ""),
            family=typed.get("family", ""),
            day=self.day.day if self.day else None,
            transaction_id=typed.get("transaction", ""),
            payment=typed.get("payment", ""),
        )
