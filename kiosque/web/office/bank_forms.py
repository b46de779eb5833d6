"""The forms of the bank's page: a file, its columns, what a line is, what lines are shown."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from peewee import Expression
from wtforms import HiddenField
from wtforms.validators import InputRequired

from kiosque.db.models import StatementLine
from kiosque.db.statement_words import LineState, MatchKind
from kiosque.statements.columns import missing
from kiosque.statements.records import Meaning, TableReading, Unit
from kiosque.statements.words import MEANINGS
from kiosque.web.forms import Form
from kiosque.web.office.filter_fields import ChoiceFilter, DayFilter, EurosFilter, TextFilter
from kiosque.web.office.forms import OneOf, RegieField, reason_field
from kiosque.web.office.lists import Filters, RowOrder

BY_DAY = RowOrder(StatementLine.booked_on, StatementLine.id)


class _ForRegie(FlaskForm):
    """A file, and its *régie* if nothing in the file says which."""

    regie: RegieField

    def offer(self, regies: Mapping[str, str]) -> None:
        """Offer these *régies*, names by key, and the choice to go by the file."""
        self.regie.offer(regies, ("", "celle que le fichier nomme"))
        if len(regies) < 2:
            del self.regie

    @property
    def chosen(self) -> str | None:
        """Return the key of the *régie* that was chosen, None for none."""
        return self.regie.key if self.regie and self.regie.data else None


class StatementForm(_ForRegie):
    """A file of the bank's, and the unit of its amounts if nothing in the file says which."""

    file = FileField("Fichier de la banque", [FileRequired("Choisissez un fichier.")])
    regie = RegieField(default="")
    unit = OneOf("Montants d’un journal de paiements", default="")

    def __init__(self, regies: Mapping[str, str]) -> None:
        super().__init__()
        units = [(Unit.CENTS.value, "centimes"), (Unit.EUROS.value, "euros")]
        self.unit.choices = [("", "comme le fichier le dit"), *units]
        self.offer(regies)


def _column(meaning: Meaning) -> OneOf:
    return OneOf(MEANINGS[meaning], default="")


class BankColumnsForm(Form, _ForRegie):
    """A field for each `Meaning` that a column of the table may have. `seen` is the choice of
    columns by which the table shown on the page was read."""

    booked_on = _column(Meaning.BOOKED_ON)
    label = _column(Meaning.LABEL)
    amount = _column(Meaning.AMOUNT)
    debit = _column(Meaning.DEBIT)
    credit = _column(Meaning.CREDIT)
    side = _column(Meaning.SIDE)
    balance = _column(Meaning.BALANCE)
    value_on = _column(Meaning.VALUE_ON)
    reference = _column(Meaning.REFERENCE)
    details = _column(Meaning.DETAILS)
    account = _column(Meaning.ACCOUNT)
    currency = _column(Meaning.CURRENCY)
    regie = RegieField(default="")
    name = HiddenField()
    seen = HiddenField()
    load = HiddenField()

    def __init__(self, header: Sequence[str], regies: Mapping[str, str], **values: Any) -> None:
        super().__init__(**values)
        for meaning in Meaning:
            self[meaning.value].choices = [("", "aucune"), *((name, name) for name in header)]
        self.offer(regies)

    @classmethod
    def of(cls, table: TableReading, regies: Mapping[str, str], name: str) -> Self:
        """Return the form of a table that was just read."""
        said = {meaning.value: column for meaning, column in table.columns.items()}
        form = cls(table.header, regies, data={**said, "name": name})
        form.show()
        return form

    @property
    def is_agreed(self) -> bool:
        """Tell whether the table is to be loaded as it was shown."""
        return bool(self.load.data) and self.seen.data == self._fingerprint

    def show(self) -> None:
        """Note the choice of columns by which the table on the page is read."""
        self.seen.data = self._fingerprint

    @property
    def _fingerprint(self) -> str:
        return json.dumps(self.columns, sort_keys=True)

    @property
    def columns(self) -> dict[Meaning, str]:
        found = {meaning: self[meaning.value].data for meaning in Meaning}
        return {meaning: name for meaning, name in found.items() if name}

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse columns that do not make a statement."""
        if not super().validate(extra_validators):
            return False
        self.form_errors += missing(self.columns)
        return not self.form_errors


class ExplainForm(Form):
    """The kind of a line that no payment explains, and the reason."""

    kind = OneOf("Ce mouvement est", [InputRequired("Choisissez ce qu’il est.")])
    reason = reason_field()

    def __init__(self) -> None:
        super().__init__()
        self.kind.choices = [
            (MatchKind.FEE.value, "des frais bancaires"),
            (MatchKind.OTHER.value, "sans rapport avec le kiosque"),
        ]


class LineFilters(Filters):
    """Which lines of an account are shown."""

    etat = ChoiceFilter(
        "État",
        known=[("", "Tous"), (LineState.OPEN, "À expliquer"), (LineState.MATCHED, "Expliqué")],
    )
    libelle = TextFilter("Libellé (une partie)")
    du = DayFilter("Du")
    au = DayFilter("Au")
    montant = EurosFilter("Montant")
    regie = ChoiceFilter("Régie")

    def __init__(self, regies: Mapping[str, str]) -> None:
        super().__init__()
        self.regie.choices = [*regies.items()]
        if len(regies) < 2:
            del self.regie
        elif not self.regie.data:
            self.regie.data = next(iter(regies))

    def conditions(self) -> Iterator[Expression]:
        if self.etat.data:
            yield StatementLine.state == LineState(self.etat.data)
        if self.libelle.data:
            yield StatementLine.label.contains(self.libelle.data)
        if self.du.day:
            yield StatementLine.booked_on >= self.du.day
        if self.au.day:
            yield StatementLine.booked_on <= self.au.day
        if self.montant.cents is not None:
            yield StatementLine.amount_cents == self.montant.cents
