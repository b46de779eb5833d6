"""The forms that agents fill."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.form import BaseForm
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from kiosque import payments
from kiosque.language import clock
from kiosque.language.parsing import parse_hundredths
from kiosque.outbox import addresses
from kiosque.payments.refusals import why_not_answered_for
from kiosque.staff import roles
from kiosque.staff.roles import HeldRole, Role
from kiosque.web.forms import ConfirmForm, Form

__all__ = [
    "CHOOSE",
    "TICK",
    "ActForm",
    "AgentSignInForm",
    "CodeForm",
    "ConfirmForm",
    "DayField",
    "EraseForm",
    "EurosField",
    "InvitationForm",
    "LetterForm",
    "LettersForm",
    "LinkForm",
    "MergeForm",
    "NewAgentForm",
    "OneOf",
    "RegieField",
    "RoleForm",
    "reason_field",
    "require_shown",
    "seen_field",
]

CHOOSE = "Choisissez dans la liste."
TICK = "Vérifiez, puis cochez la case."


class OneOf(SelectField):
    """A choice in a list."""

    def __init__(self, label: str, validators: Any = None, **values: Any) -> None:
        super().__init__(label, validators, invalid_choice_message=CHOOSE, **values)


class RegieField(OneOf):
    """A *régie*; the first one's key, which is empty, is sent as `-`."""

    def __init__(self, **values: Any) -> None:
        super().__init__("Régie", **values)

    def offer(self, regies: Mapping[str, str], *others: tuple[str, str]) -> None:
        """Offer these *régies*, names by key, after the `others`."""
        self.choices = [*others, *((key or "-", name) for key, name in regies.items())]

    @property
    def key(self) -> str:
        """Return the key of the *régie* that was chosen."""
        return str(self.data or "").strip("-")


class DayField(StringField):
    """A day of these centuries, as `2026-12-31`; `day` is None where none was given."""

    data: Any
    day: Any = None

    def pre_validate(self, _form: BaseForm) -> None:
        self.data = (self.data or "").strip()
        try:
            self.day = date.fromisoformat(self.data) if self.data else None
        except ValueError:
            self.day = date.min
        if self.day and not 1900 <= self.day.year < 2200:
            raise ValidationError("Cette date n’existe pas. Exemple\u00a0: 2026-12-31.")


class EurosField(StringField):
    """An amount in euros; `cents` is None where none was given."""

    data: Any
    cents: Any = None

    def pre_validate(self, _form: BaseForm) -> None:
        self.data = (self.data or "").strip()
        try:
            self.cents = parse_hundredths(self.data) if self.data else None
        except ValueError:
            raise ValidationError("Ce montant est illisible. Exemple\u00a0: 54,18.") from None


class AgentSignInForm(Form):
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

    role = OneOf("Rôle")
    regie = OneOf("Régie")
    starts_on = DayField("Du")
    ends_on = DayField("Au (facultatif)")

    def __init__(self, regies: Mapping[str, str], **values: Any) -> None:
        super().__init__(**values)
        self.role.choices = [
            (role, f"{name}\u00a0: {roles.OPENS[role]}") for role, name in roles.NAMES.items()
        ]
        self.regie.choices = [*regies.items()]
        if len(regies) == 1:
            del self.regie

    @property
    def held(self) -> HeldRole:
        """Return the role asked for. An administrator's is of no *régie*."""
        role = Role(self.role.data)
        regie = self.regie.data if self.regie and role != Role.ADMINISTRATION else ""
        return HeldRole(role, regie)

    @property
    def days(self) -> tuple[date, date | None]:
        """Return the first day, today if none was given, and the last."""
        return self.starts_on.day or clock.today(), self.ends_on.day


class NewAgentForm(RoleForm):
    agent_email = StringField("Adresse électronique", [InputRequired("Indiquez son adresse.")])

    def validate_agent_email(self, field: StringField) -> None:
        """Take only an address that every mail server takes."""
        known = addresses.normal((field.data or "").strip())
        if known is None or not known.isascii():
            raise ValidationError("Cette adresse électronique n’est pas utilisable.")
        field.data = known


def require_shown(_form: Form, field: StringField) -> None:
    """Refuse a reason that the act itself would refuse: one that is not visible."""
    if fault := why_not_answered_for("x", field.data):
        raise ValidationError(fault)


def reason_field() -> StringField:
    return StringField(
        "Motif ou pièce",
        [
            DataRequired("Indiquez le motif."),
            Length(
                max=payments.LONGEST_REASON,
                message=f"Le motif dépasse {payments.LONGEST_REASON} lettres. Raccourcissez-le.",
            ),
            require_shown,
        ],
        description="Quelques mots, pour qui relira.",
    )


def seen_field() -> BooleanField:
    return BooleanField("J’ai vérifié", [InputRequired(TICK)])


class ActForm(Form):
    """The confirmation of an act: the reason, and a box to say that its effect was read."""

    reason = reason_field()
    seen = seen_field()


class EraseForm(ActForm):
    """A family to erase."""

    settled = BooleanField("Ses avoirs ont été rendus ou employés")


class LetterForm(ActForm):
    """A letter that opens a family's account."""

    forget = BooleanField(
        "Quelqu’un a pris sa place, ou l’adresse choisie en ligne est fausse : l’oublier. Le mot "
        "de passe et les connexions en cours ne servent plus."
    )


class LettersForm(ActForm):
    """Letters that open the accounts of many families."""

    again = BooleanField(
        "Refaire plutôt celles qui servent encore, les plus anciennes d’abord : leurs codes ne "
        "serviront plus."
    )


class MergeForm(ActForm):
    """The duplicate of a family, by its code."""

    double = StringField("Code famille du doublon", [InputRequired("Indiquez son code.")])


class LinkForm(ActForm):
    """A link to send to one of the `addresses` known of a family."""

    to = OneOf("Adresse")

    def __init__(self, known: Sequence[str]) -> None:
        super().__init__()
        self.to.choices = [(each, addresses.shown(each)) for each in known]
        if len(known) == 1 and not self.is_submitted():
            self.to.data = known[0]
