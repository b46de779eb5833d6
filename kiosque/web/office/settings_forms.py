"""The forms of the settings that the town hall changes, a section each."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, IntegerField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, ValidationError

from kiosque.db.models import Service
from kiosque.language import clock
from kiosque.language.formats import capital
from kiosque.papers import typesetting
from kiosque.settings import Settings, logo
from kiosque.spelling import fold
from kiosque.staff.town_settings import CHANGEABLE
from kiosque.web import legal
from kiosque.web.forms import Form
from kiosque.web.office.forms import CHOOSE, seen_field


class SectionForm(Form):
    """One section: its fields bear the names of the settings."""

    SECTION: ClassVar[str]
    TITLE: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        table = getattr(settings, self.SECTION)
        super().__init__(data={name: getattr(table, name) for name in CHANGEABLE[self.SECTION]})
        self.fields = [self[name] for name in CHANGEABLE[self.SECTION]]

    @property
    def values(self) -> dict[str, Any]:
        """Return what was filled in, by name."""
        return {
            field.name: (field.data or "").strip() if isinstance(field, StringField) else field.data
            for field in self.fields
        }

    @classmethod
    def shown(cls, settings: Settings) -> list[tuple[str, str, str]]:
        """Return the settings in force: full name, label, value in French."""
        return [
            (f"{cls.SECTION}.{field.name}", field.label.text, _in_words(field.data))
            for field in cls(settings).fields
        ]


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)


class TownForm(SectionForm):
    SECTION = "town"
    TITLE = "La ville et le service"

    name = StringField("Nom de la ville")
    service = StringField("Service qui répond aux familles")
    address = StringField("Adresse")
    postcode = StringField("Code postal")
    city = StringField("Ville de l’adresse")
    phone = StringField("Téléphone")
    contact_email = StringField("Courriel du service")
    website = StringField("Site de la ville")
    colour = StringField("Couleur, en #rrggbb")


class NoticesSectionForm(SectionForm):
    SECTION = "notices"
    TITLE = "Les courriels aux familles"

    new_invoices = BooleanField("Avis de nouvelles factures")
    reminder = BooleanField("Rappel avant l’échéance")
    reminder_days = IntegerField(
        "Jours avant l’échéance", [InputRequired("Indiquez un nombre de jours.")]
    )
    relance = BooleanField("Relance après l’échéance")
    relance_days = IntegerField(
        "Jours après l’échéance", [InputRequired("Indiquez un nombre de jours.")]
    )


class AttestationForm(SectionForm):
    """The services that count, to choose among those invoiced or named in the settings already."""

    SECTION = "attestation"
    TITLE = "L’attestation fiscale"

    services = SelectMultipleField(
        "Prestations de garde qu’elle compte, repas à part",
        choices=[],
        validate_choice=False,
        description="Aucune prestation pour l’instant\u00a0: elles viennent avec les factures.",
    )

    def __init__(self, settings: Settings) -> None:
        named = [each.name for each in Service.select().order_by(Service.name)]
        known = {fold(each) for each in named}
        named += [each for each in settings.attestation.services if fold(each) not in known]
        counted = {fold(each) for each in settings.attestation.services}
        super().__init__(settings)
        self.services.choices = [(each, each) for each in named]
        if not self.is_submitted():
            self.services.data = [each for each in named if fold(each) in counted]

    @property
    def values(self) -> dict[str, Any]:
        return {"services": tuple(self.services.data)}

    def validate_services(self, field: SelectMultipleField) -> None:
        if not dict(field.choices).keys() >= set(field.data):
            raise ValidationError(CHOOSE)


class ClosureForm(Form):
    """Until when a bank takes no new payment, an aware instant in `ends_at`, and what families
    read."""

    until = StringField("Suspendu jusqu’au", [InputRequired("Indiquez la fin.")])
    sentence = StringField("Ce que lisent les familles")
    seen = seen_field()
    ends_at = datetime.max.replace(tzinfo=UTC)

    def validate_until(self, field: StringField) -> None:
        try:
            typed = datetime.fromisoformat((field.data or "").strip())
        except ValueError:
            typed = datetime.min  # noqa: DTZ901  # refused below
        if not 1900 <= typed.year < 2200:
            raise ValidationError("Cette heure n’existe pas. Exemple\u00a0: 2026-12-31T20:00.")
        self.ends_at = typed.replace(tzinfo=clock.PARIS).astimezone(UTC)


class LogoForm(FlaskForm):
    """A PNG that pages and papers can show."""

    file = FileField("Nouveau logo", [FileRequired("Choisissez une image.")])
    content = b""

    def validate_file(self, field: FileField) -> None:
        self.content = field.data.read(logo.MOST_BYTES + 1)
        if fault := logo.fault(self.content):
            raise ValidationError(fault)
        if not typesetting.is_drawn(self.content):
            raise ValidationError("Cette image est abîmée. Enregistrez-la de nouveau en PNG.")


class TextForm(Form):
    """The text of a page, in Markdown."""

    #: Less than a request may hold: room is left for the rest of the form.
    MOST_BYTES: ClassVar[int] = 40_000

    text = TextAreaField("Texte de la page")

    def __init__(self, begun: str) -> None:
        """`begun` is the text to start from; it is ignored once the form is sent."""
        super().__init__()
        if not self.is_submitted():
            self.text.data = begun

    def validate_text(self, field: TextAreaField) -> None:
        field.data = (field.data or "").replace("\r\n", "\n").replace("\0", "")
        if fault := legal.fault(field.data, self.MOST_BYTES):
            raise ValidationError(f"{capital(fault)}.")


#: The forms by the address of their section.
FORMS: Mapping[str, type[SectionForm]] = {
    "ville": TownForm,
    "courriels": NoticesSectionForm,
    "attestation": AttestationForm,
}
