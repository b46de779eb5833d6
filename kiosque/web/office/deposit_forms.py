"""The forms of deposits: where services' revenue goes, what is made final, what is answered."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from kiosque.deposits import DepositDraft, Imputed
from kiosque.deposits.imputations import LONGEST
from kiosque.payments.refusals import CHANGED
from kiosque.web.forms import Form
from kiosque.web.office.forms import TICK, DayField, OneOf, RegieField, seen_field

_SHORT = Length(max=LONGEST, message=f"{LONGEST} lettres au plus.")


class ImputationForm(Form):
    """The imputation of a service, for a *régie*, from a day."""

    regie = RegieField()
    service = OneOf("Prestation")
    article = StringField("Article", [InputRequired("Indiquez l’article."), _SHORT])
    fonction = StringField("Fonction (facultatif)", [_SHORT])
    antenne = StringField("Antenne (facultatif)", [_SHORT])
    since = DayField("Depuis le (facultatif)")

    def __init__(self, regies: Mapping[str, str], services: Sequence[str], **values: Any) -> None:
        """Take the names of the agent's *régies* by key."""
        super().__init__(**values)
        self.regie.offer(regies)
        self.service.choices = [(name, name) for name in services]
        if len(regies) == 1:
            self.only = next(iter(regies))
            del self.regie

    @property
    def key(self) -> str:
        """The *régie*'s key."""
        return self.regie.key if self.regie else self.only

    @property
    def imputed(self) -> Imputed:
        return Imputed(*((each.data or "") for each in (self.article, self.fonction, self.antenne)))


class FinalForm(Form):
    """A deposit to make final: what was seen, up to which entry of the journal."""

    up_to = HiddenField()
    fingerprint = HiddenField()
    seen = BooleanField("J’ai vérifié")

    def number(self, asked: str, last: int) -> int:
        """Return the entry shown before; the first time, the one asked for, or the `last`."""
        shown = self.up_to.data or asked
        return min(int(shown), last) if re.fullmatch("[0-9]{1,18}", shown, re.ASCII) else last

    def confirms(self, draft: DepositDraft) -> bool:
        """Tell whether the agent has seen this draft and ticked the box; if not, say so in the
        form."""
        if self.fingerprint.data != draft.fingerprint:
            self.form_errors.append(CHANGED)
            self.seen.data = False
        elif not self.seen.data:
            self.seen.errors = [TICK]
        return not self.errors


class AcknowledgementForm(Form):
    """The *comptable*'s acknowledgement."""

    on = DayField("Reçu le", [DataRequired("Indiquez le jour.")])
    reference = StringField(
        "Numéro donné par le comptable",
        [InputRequired("Indiquez ce numéro."), Length(max=60, message="60 lettres au plus.")],
    )


class LastGivenForm(Form):
    """The last deposit that was given before the database was put back."""

    last = StringField("Dernier numéro donné")
    seen = seen_field()

    def validate_last(self, field: StringField) -> None:
        if not re.fullmatch("[0-9]{1,6}", (field.data or "").strip(), re.ASCII):
            raise ValidationError("Un nombre, 0 pour aucun.")

    @property
    def number(self) -> int:
        return int(self.last.data)
