"""An invoice that an agent types: it becomes a file like any other, shown before it is loaded."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import FieldList, FormField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from kiosque.db.models import Family, Invoice
from kiosque.families.codes import normalise_family_code
from kiosque.invoices.imports.invoices import InvoicesFile
from kiosque.invoices.uploads import storing
from kiosque.language import clock, formats
from kiosque.language.parsing import parse_decimal, parse_quantity, rounded_hundredths
from kiosque.web.forms import Form
from kiosque.web.office.forms import DayField

#: Lines of an invoice that may be typed.
LINES = 6
#: Characters of the longest word of it.
LONGEST = 100
#: Days to pay, unless another day is typed.
_DAYS = 30
#: The file of a typed invoice.
_FILE = "facture-{}.csv"


def _words(label: str) -> StringField:
    return StringField(label, filters=[lambda text: " ".join((text or "").split())[:LONGEST]])


class LineForm(FlaskForm):
    """A line of an invoice; one without a service is left out."""

    class Meta(FlaskForm.Meta):
        csrf = False

    service = _words("Prestation")
    child = _words("Enfant")
    label = _words("Libellé")
    quantity = _words("Quantité")
    price = _words("Prix unitaire")

    @property
    def is_begun(self) -> bool:
        return any(field.data for field in self)

    @property
    def amount(self) -> str:
        """Return the quantity times the price, in euros. Raises ValueError for no number."""
        quantity = parse_quantity(self.quantity.data or "1")
        return formats.decimal(rounded_hundredths(quantity * parse_decimal(self.price.data)))


class TypedInvoiceForm(Form):
    """An invoice, and its lines."""

    family = StringField("Code famille", [InputRequired("Indiquez le code famille.")])
    period = StringField("Période", [InputRequired("Indiquez la période."), Length(max=LONGEST)])
    due_on = DayField("À régler au plus tard le", [DataRequired("Indiquez le jour.")])
    lines = FieldList(FormField(LineForm), min_entries=LINES, max_entries=LINES)

    def __init__(self) -> None:
        today = clock.today()
        usual = {
            "period": f"{formats.MONTHS[today.month - 1]} {today.year}",
            "due_on": (today + timedelta(days=_DAYS)).isoformat(),
        }
        super().__init__(data=usual)

    def validate_family(self, field: StringField) -> None:
        """Take only a family that the record has."""
        field.data = normalise_family_code((field.data or "").strip())
        if not Family.select().where(Family.code == field.data).exists():
            raise ValidationError("Aucune famille n’a ce code.")

    def validate(self, extra_validators: object = None) -> bool:
        """Say of each line what is wrong with it."""
        sound, typed = super().validate(extra_validators), 0
        for place, line in enumerate(self.lines, 1):
            if not line.form.service.data:
                if line.form.is_begun:
                    self.form_errors.append(f"Ligne {place}\u00a0: indiquez sa prestation.")
                continue
            typed += 1
            try:
                _ = line.form.amount
            except ValueError:
                self.form_errors.append(
                    f"Ligne {place}\u00a0: la quantité ou le prix est illisible. Exemple\u00a0: "
                    "4 et 4,52."
                )
        if not typed:
            self.form_errors.append(
                "Une facture a une ligne au moins\u00a0: indiquez sa prestation."
            )
        return sound and not self.form_errors

    def as_file(self) -> tuple[str, bytes]:
        """Return the name and the content of a file of this invoice, in the town's own format."""
        number, text = next_number(), io.StringIO()
        rows = csv.DictWriter(text, InvoicesFile.COLUMNS, delimiter=";", lineterminator="\n")
        rows.writeheader()
        rows.writerows(self._rows(number))
        return _FILE.format(number), text.getvalue().encode()

    def _rows(self, number: str) -> Iterator[dict[str, Any]]:
        for line in (each.form for each in self.lines):
            if line.service.data:
                yield {
                    "code_famille": self.family.data,
                    "numero_facture": number,
                    "date_emission": clock.today(),
                    "date_echeance": self.due_on.data,
                    "periode": " ".join(self.period.data.split()),
                    "service": line.service.data,
                    "enfant": line.child.data,
                    "libelle": line.label.data or line.service.data,
                    "quantite": line.quantity.data or "1",
                    "prix_unitaire": line.price.data,
                    "montant": line.amount,
                }


def next_number() -> str:
    """Return the number after the last typed invoice of this year, loaded or not: `S2026-0012`."""
    start = f"S{clock.today().year}-"
    typed = Invoice.select(Invoice.number).where(Invoice.number.startswith(start))
    names = [each.number for each in typed]
    names += [_number_of(each.file_name) for each in storing.under_way()]
    tails = (name.removeprefix(start) for name in names if name.startswith(start))
    return f"{start}{max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1:04d}"


def _number_of(file_name: str) -> str:
    """Return the number of the invoice in the name of a typed file; any other name unchanged."""
    before, after = _FILE.split("{}")
    return file_name.removeprefix(before).removesuffix(after)
