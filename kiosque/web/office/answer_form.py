"""The form of an answer to what a family asks."""

from collections.abc import Mapping
from typing import ClassVar

from wtforms import RadioField, SelectField, StringField
from wtforms.validators import ValidationError

from kiosque.db.models import FamilyRequest
from kiosque.db.states import RequestTopic
from kiosque.families import answers
from kiosque.web.forms import Form


class AnswerForm(Form):
    """An answer to a family's request; accepted, it may change the record."""

    decision = RadioField("Réponse", validate_choice=False)
    address = StringField("Adresse")
    postcode = StringField("Code postal")
    city = StringField("Ville")
    parent = SelectField("Parent", validate_choice=False)
    phone = StringField("Téléphone")
    email = StringField("Adresse électronique")
    words = StringField("Votre phrase à la famille")

    #: The values of the record that a request is about.
    VALUES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        RequestTopic.ADDRESS: ("address", "postcode", "city"),
        RequestTopic.PHONE: ("parent", "phone"),
        RequestTopic.EMAIL: ("parent", "email"),
    }

    def __init__(self, asked: FamilyRequest) -> None:
        super().__init__()
        self.decision.choices = [("accept", "Accepter"), ("refuse", "Refuser")]
        kept = self.VALUES.get(asked.topic, ())
        for name in {name for names in self.VALUES.values() for name in names} - {*kept}:
            del self[name]
        self.values = [self[name] for name in kept]
        family = asked.family
        if self.parent:
            self.parent.choices = [(name, name) for name in answers.parents(family)]
        if self.address and not self.is_submitted():
            self.address.data, self.postcode.data = family.address, family.postcode
            self.city.data = family.city

    @property
    def accepts(self) -> bool:
        return bool(self.decision.data == "accept")

    def validate_decision(self, field: RadioField) -> None:
        if field.data not in ("accept", "refuse"):
            raise ValidationError("Choisissez.")

    @property
    def change(self) -> answers.Change | None:
        """Return what the answer changes of the record, None for nothing."""
        typed = {field.name: " ".join((field.data or "").split()) for field in self.values}
        if "address" in typed:
            return answers.Home(**typed)
        return answers.Contact(**typed) if typed else None
