"""The forms that agents fill."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from kiosque.language import clock
from kiosque.outbox import addresses
from kiosque.staff import roles
from kiosque.staff.roles import Held, Role
from kiosque.web.forms import ConfirmForm, Form

__all__ = ["CodeForm", "ConfirmForm", "InvitationForm", "NewAgentForm", "RoleForm", "SignInForm"]


class SignInForm(Form):
    email = StringField("Adresse électronique", [InputRequired("Indiquez votre adresse.")])
    password = PasswordField("Mot de passe", [InputRequired("Indiquez votre mot de passe.")])


def _code_field() -> StringField:
    return StringField(
        "Code",
        [InputRequired("Indiquez le code."), Length(max=100, message="Un code est plus court.")],
    )


class CodeForm(Form):
    code = _code_field()


class InvitationForm(Form):
    new = PasswordField("Votre mot de passe", [InputRequired("Choisissez un mot de passe.")])
    code = _code_field()


class RoleForm(Form):
    """A role, and from when to when; `regies` are the names of the town's by key."""

    role = SelectField("Rôle", invalid_choice_message="Choisissez un rôle de la liste.")
    regie = SelectField("Régie", invalid_choice_message="Choisissez une régie de la liste.")
    starts_on = StringField("Du")
    ends_on = StringField("Au (facultatif)")

    def __init__(self, regies: Mapping[str, str], **values: Any) -> None:
        super().__init__(**values)
        self.role.choices = [
            (role, f"{name}\u00a0: {roles.OPENS[role]}") for role, name in roles.NAMES.items()
        ]
        self.regie.choices = [*regies.items()]
        if len(regies) == 1:
            del self.regie

    def validate_starts_on(self, field: StringField) -> None:
        _require_day(field)

    def validate_ends_on(self, field: StringField) -> None:
        _require_day(field)

    @property
    def held(self) -> Held:
        """Return the role asked for. An administrator's is of no *régie*."""
        role = Role(self.role.data)
        regie = self.regie.data if self.regie and role != Role.ADMINISTRATION else ""
        return Held(role, regie)

    @property
    def days(self) -> tuple[date, date | None]:
        """Return the first day, today if none was given, and the last."""
        first, last = (date.fromisoformat(day.data) if day.data else None for day in self._days())
        return first or clock.today(), last

    def _days(self) -> Sequence[StringField]:
        return self.starts_on, self.ends_on


class NewAgentForm(RoleForm):
    agent_email = StringField("Adresse électronique", [InputRequired("Indiquez son adresse.")])

    def validate_agent_email(self, field: StringField) -> None:
        """Take only an address that every mail server takes."""
        known = addresses.normal((field.data or "").strip())
        if known is None or not known.isascii():
            raise ValidationError("Cette adresse électronique n’est pas utilisable.")
        field.data = known


def _require_day(field: StringField) -> None:
    field.data = (field.data or "").strip()
    try:
        if field.data:
            date.fromisoformat(field.data)
    except ValueError:
        raise ValidationError("Cette date n’existe pas. Exemple\u00a0: 2026-12-31.") from None
