"""The forms families fill. Flask-WTF protects each from cross-site requests."""

from email_validator import EmailNotValidError, validate_email
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, ValidationError


class SignInForm(FlaskForm):
    code = StringField(
        "Code famille", [InputRequired("Indiquez votre code famille."), Length(max=100)]
    )
    password = PasswordField("Mot de passe", [InputRequired("Indiquez votre mot de passe.")])


class PasswordForm(FlaskForm):
    current = PasswordField(
        "Mot de passe actuel", [InputRequired("Indiquez votre mot de passe actuel.")]
    )
    new = PasswordField("Nouveau mot de passe", [InputRequired("Choisissez un mot de passe.")])


class PayForm(FlaskForm):
    """`expected_cents` is the total the family read on the summary."""

    expected_cents = HiddenField()
    email = StringField("Adresse électronique pour le reçu (facultatif)")

    def validate_email(self, field: StringField) -> None:
        text = (field.data or "").strip()
        field.data = text
        if not text:
            return
        try:
            field.data = validate_email(text, check_deliverability=False).normalized
        except EmailNotValidError:
            raise ValidationError(
                "Cette adresse électronique n’est pas complète. Exemple\u00a0: nom@exemple.fr"
            ) from None
