"""The forms families fill. Flask-WTF protects each from cross-site requests."""

from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import AnyOf, InputRequired, Length, ValidationError

from kiosque.i18n import N_
from kiosque.i18n import gettext as _

#: RFC 5321 allows no longer one.
LONGEST_EMAIL = 254


class Form(FlaskForm):
    """A form of text fields only: a file sent under the name of a field is no value of it.

    Labels and messages written with `N_` are said in the language in force.
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


class SignInForm(Form):
    code = StringField(
        N_("Code famille"),
        [
            InputRequired(N_("Indiquez votre code famille.")),
            Length(max=100, message=N_("Un code famille est plus court. Vérifiez-le.")),
        ],
    )
    password = PasswordField(
        N_("Mot de passe"), [InputRequired(N_("Indiquez votre mot de passe."))]
    )


class PasswordForm(Form):
    current = PasswordField(
        N_("Mot de passe actuel"), [InputRequired(N_("Indiquez votre mot de passe actuel."))]
    )
    new = PasswordField(
        N_("Nouveau mot de passe"), [InputRequired(N_("Choisissez un mot de passe."))]
    )


class NoticesForm(Form):
    """Whether the family takes mails about its invoices: `yes` or `no`."""

    wanted = HiddenField(validators=[AnyOf(["yes", "no"])])


class PayForm(Form):
    """`expected_cents` is the total the family read on the summary."""

    expected_cents = HiddenField()
    email = StringField(N_("Adresse électronique pour le reçu (facultatif)"))

    def validate_email(self, field: StringField) -> None:
        """Keep the address as a mail server takes it: ASCII, an international domain encoded."""
        text = field.data = (field.data or "").strip()
        if text:
            field.data = _deliverable(text)
            if field.data is None:
                field.data = text
                raise ValidationError(
                    _(
                        "Cette adresse électronique n’est pas complète. "
                        "Exemple\u00a0: nom@exemple.fr"
                    )
                )


class ResetRequestForm(Form):
    """The address a link is asked for."""

    email = StringField(
        N_("Adresse électronique"), [InputRequired(N_("Indiquez votre adresse électronique."))]
    )
    validate_email = PayForm.validate_email


class EmailForm(Form):
    """The address a family wants its mails at."""

    current = PasswordField(
        N_("Mot de passe actuel"), [InputRequired(N_("Indiquez votre mot de passe actuel."))]
    )
    email = StringField(
        N_("Nouvelle adresse électronique"),
        [InputRequired(N_("Indiquez votre nouvelle adresse électronique."))],
    )
    validate_email = PayForm.validate_email


class ActivationForm(Form):
    """What the letter says, and the password the family chooses."""

    code = StringField(
        N_("Code famille"),
        [
            InputRequired(N_("Indiquez votre code famille.")),
            Length(max=100, message=N_("Un code famille est plus court. Vérifiez-le.")),
        ],
    )
    activation = StringField(
        N_("Code d’activation"),
        [
            InputRequired(N_("Indiquez le code d’activation de la lettre.")),
            Length(max=100, message=N_("Un code d’activation est plus court. Vérifiez-le.")),
        ],
    )
    new = PasswordField(
        N_("Votre mot de passe"), [InputRequired(N_("Choisissez un mot de passe."))]
    )


class NewPasswordForm(Form):
    new = PasswordField(
        N_("Nouveau mot de passe"), [InputRequired(N_("Choisissez un mot de passe."))]
    )


class ConfirmForm(Form):
    """A button, and nothing to fill."""


def _deliverable(text: str) -> str | None:
    """The address if a mail can be sent to it, else None.

    `=?` opens an encoded word in a mail's header: what follows could become another address.
    """
    if len(text) > LONGEST_EMAIL:
        return None  # Before the library normalises it: that is quadratic in hostile text.
    try:
        found: str | None = validate_email(text, check_deliverability=False).ascii_email
    except EmailNotValidError:
        return None
    return None if found is None or "=?" in found else found
