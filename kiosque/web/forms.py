"""The forms families fill. Flask-WTF protects each from cross-site requests."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from flask import request
from flask_wtf import CSRFProtect, FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    HiddenField,
    PasswordField,
    RadioField,
    StringField,
    TextAreaField,
)
from wtforms.validators import AnyOf, InputRequired, Length, ValidationError

from gateways.base import Limits
from kiosque.db.states import RequestTopic
from kiosque.families import requests
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.outbox import addresses

#: Refuses a POST without the token of its session, except to the views that it exempts.
csrf = CSRFProtect()


class Form(FlaskForm):
    """A form of text fields only: ignore a file sent under the name of a field.

    Labels and messages marked with `N_` are translated into the language in force.
    """

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        for field in self:
            field.label.text = _(field.label.text)

    def validate(self, extra_validators: object = None) -> bool:
        valid: bool = super().validate(extra_validators)
        for field in self:
            field.errors = [_(error) for error in field.errors]
        return valid

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: FlaskForm, _formdata: object) -> MultiDict[str, str] | None:
            return request.form if form.is_submitted() else None


def _shared_field() -> BooleanField:
    """Return the last field of a form that lets a family in."""
    return BooleanField(N_("Ordinateur partagé"))


def _code_field() -> StringField:
    return StringField(
        N_("Code famille"),
        [
            InputRequired(N_("Indiquez votre code famille.")),
            Length(max=100, message=N_("Un code famille est plus court. Vérifiez-le.")),
        ],
    )


def _new_password_field(label: str) -> PasswordField:
    return PasswordField(label, [InputRequired(N_("Choisissez un mot de passe."))])


class SignInForm(Form):
    code = _code_field()
    password = PasswordField(
        N_("Mot de passe"), [InputRequired(N_("Indiquez votre mot de passe."))]
    )
    shared = _shared_field()


class OwnerForm(Form):
    """A form that asks for the present password, and no longer once it was right: correcting
    another field does not require typing it again."""

    current = PasswordField(
        N_("Mot de passe actuel"), [InputRequired(N_("Indiquez votre mot de passe actuel."))]
    )

    def __init__(self, confirm: Callable[[str], bool] | None) -> None:
        """Take a function that tells whether a password is the present one, or None if the password
        was given just before."""
        super().__init__()
        self._confirm = confirm
        if confirm is None:
            del self.current

    def validate(self, extra_validators: object = None) -> bool:
        valid = super().validate(extra_validators)
        if self.current and not self.current.errors:
            del self.current
        return valid

    def validate_current(self, field: PasswordField) -> None:
        if self._confirm and not self._confirm(field.data):
            raise ValidationError(_("Le mot de passe actuel est incorrect."))


class PasswordForm(OwnerForm):
    new = _new_password_field(N_("Nouveau mot de passe"))


class NoticesForm(Form):
    """The family's wish for mails about its invoices: `yes` or `no`."""

    wanted = HiddenField(validators=[AnyOf(["yes", "no"])])


class PayForm(Form):
    """The summary before the bank; `expected_cents` is the total that the family read on it."""

    expected_cents = HiddenField()
    email = StringField(N_("Adresse électronique pour le reçu (facultatif)"))

    def __init__(self, limits: Limits, **values: Any) -> None:
        """Take the limits of the bank, which may itself want the payer's address."""
        super().__init__(**values)
        self._limits = limits
        if limits.requires_email:
            self.email.label.text = _("Adresse électronique pour le reçu")

    def validate_email(self, field: StringField) -> None:
        """Take an address that every mail server takes, and the bank where it needs one."""
        _plain_address(field)
        if self._limits.requires_email and not field.data:
            raise ValidationError(_("Indiquez votre adresse électronique : la banque l’exige."))
        if len(field.data) > self._limits.longest_email:
            raise ValidationError(
                _(
                    "Cette adresse est trop longue pour la banque, qui accepte %(count)d "
                    "caractères au plus. Donnez-en une autre."
                )
                % {"count": self._limits.longest_email}
            )


class ResetRequestForm(Form):
    """The address to which a link is asked for."""

    email = StringField(
        N_("Adresse électronique"), [InputRequired(N_("Indiquez votre adresse électronique."))]
    )

    def validate_email(self, field: StringField) -> None:
        """Take any address: the town may hold one with accents before its at sign."""
        _address(field)


class EmailForm(OwnerForm):
    """The address at which a family wants its mails."""

    email = StringField(
        N_("Nouvelle adresse électronique"),
        [InputRequired(N_("Indiquez votre nouvelle adresse électronique."))],
    )

    def validate_email(self, field: StringField) -> None:
        """Take only an address that every mail server takes."""
        _plain_address(field)


class ActivationForm(Form):
    """The two codes of the letter, and the password that the family chooses."""

    code = _code_field()
    activation = StringField(
        N_("Code d’activation"),
        [
            InputRequired(N_("Indiquez le code d’activation de la lettre.")),
            Length(max=100, message=N_("Un code d’activation est plus court. Vérifiez-le.")),
        ],
    )
    new = _new_password_field(N_("Votre mot de passe"))
    shared = _shared_field()


class NewPasswordForm(Form):
    new = _new_password_field(N_("Nouveau mot de passe"))
    shared = _shared_field()


class RequestForm(Form):
    """A family's request to the town, about one of `topics`, which gives the words of each."""

    topic = RadioField(
        N_("Votre demande concerne"),
        invalid_choice_message=N_("Choisissez ce que votre demande concerne."),
    )
    message = TextAreaField(
        N_("Votre message"),
        [
            InputRequired(N_("Écrivez votre message.")),
            Length(
                max=requests.LONGEST,
                message=N_("Votre message dépasse 1\u202f000 lettres. Raccourcissez-le."),
            ),
        ],
        filters=[lambda text: _plain(text or "")],
    )

    def __init__(self, topics: Mapping[RequestTopic, str], **values: Any) -> None:
        super().__init__(**values)
        self.topic.choices = [(topic, _(words)) for topic, words in topics.items()]

    def validate_message(self, field: StringField) -> None:
        """Refuse a text without any visible character."""
        if not any(unicodedata.category(sign)[0] in "LNPS" for sign in field.data):
            raise ValidationError(_("Écrivez votre message."))


class ConfirmForm(Form):
    """A button, and nothing to fill."""


def _plain(text: str) -> str:
    """Return a text of several lines, stripped, with uniform line ends and without any other
    control character, which databases and mails may refuse."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return "".join(
        " " if unicodedata.category(sign) == "Cc" and sign != "\n" else sign for sign in lines
    )


def _plain_address(field: StringField) -> None:
    """Take only an address in ASCII, but for its domain."""
    _address(field)
    if not field.data.isascii():
        raise ValidationError(
            _(
                "Cette adresse a des lettres accentuées avant l’arobase\u00a0: nous ne pouvons "
                "pas y écrire à coup sûr. Donnez-en une autre."
            )
        )


def _address(field: StringField) -> None:
    """Normalise the address, or say that it is not one."""
    text = (field.data or "").strip()
    field.data = addresses.kept(text)
    if text and addresses.normal(text) is None:
        raise ValidationError(
            _("Cette adresse électronique n’est pas complète. Exemple\u00a0: nom@exemple.fr")
        )
