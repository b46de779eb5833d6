"""The forms of what is to treat: a step that is advised, and the end of a point."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import ClassVar

from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length

from kiosque import payments
from kiosque.language.parsing import parse_hundredths
from kiosque.payments.step_actions import Filled
from kiosque.payments.steps import Blank, Step
from kiosque.web.office.forms import ActForm, require_shown


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


class StepForm(ActForm):
    """A step that is advised, with the words that it leaves to fill in."""

    command = HiddenField()
    amount = StringField("Montant en euros")
    invoice = StringField("Numéro de la facture")
    family = StringField("Code famille")
    day = StringField("Jour du débit à la banque")
    transaction = StringField("Identifiant à la banque")
    payment = StringField("Reçu, ou identifiant du débit à la banque")

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

    def validate(self, extra_validators: object = None) -> bool:
        """Require each word that was left to fill in, in a form that can be read."""
        sound = super().validate(extra_validators)
        for field in self.wanted:
            field.data = (field.data or "").strip()
            try:
                _READS.get(field.name, _some)(field.data)
            except ValueError:
                field.errors = [
                    *field.errors,
                    "Indiquez-le. Exemple\u00a0: " + _SUCH_AS[field.name],
                ]
                sound = False
        return sound

    @property
    def filled(self) -> Filled:
        """Return what was filled in, of a valid form."""
        typed = {field.name: field.data for field in self.wanted}
        return Filled(
            reason=self.reason.data,
            cents=parse_hundredths(typed["amount"]) if "amount" in typed else None,
            invoice=typed.get("invoice", ""),
            family=typed.get("family", ""),
            day=date.fromisoformat(typed["day"]) if "day" in typed else None,
            transaction_id=typed.get("transaction", ""),
            payment=typed.get("payment", ""),
        )


def _some(text: str) -> str:
    """Return a text if it is not empty and can be the name of something. Raises ValueError."""
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        raise ValueError
    return text


#: Characters of what something is called.
LONGEST_NAME = 100
_READS: Mapping[str, Callable[[str], object]] = {
    "amount": parse_hundredths,
    "day": date.fromisoformat,
}
_SUCH_AS: Mapping[str, str] = {
    "amount": "54,18",
    "invoice": "2026-10-0001",
    "family": "F1001",
    "day": "2026-12-31",
    "transaction": "les lettres et les chiffres que la banque affiche",
    "payment": "R000123",
}
