"""The fields of the filters of a list: words, a day, an amount, a choice."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import ValidationError

from kiosque.language.parsing import parse_hundredths
from kiosque.web.office.forms import OneOf

#: Characters of a text to look for.
_LONGEST = 100


class TextFilter(StringField):
    """Words to look for; only visible characters are kept."""

    kind = "text"
    choices = ()

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = looked_for((valuelist or [""])[0])


class DayFilter(TextFilter):
    """A day of a plausible century; `day` is None when none was given."""

    kind = "date"
    day: date | None = None

    def pre_validate(self, _form: FlaskForm) -> None:
        if not self.data:
            return
        try:
            self.day = date.fromisoformat(self.data)
        except ValueError:
            self.day = date.min
        if not 1900 <= self.day.year < 2200:
            raise ValidationError("Cette date n’existe pas. Exemple\u00a0: 2026-12-31.")


class EurosFilter(TextFilter):
    """An amount in euros; `cents` is None when none was given."""

    cents: int | None = None

    def pre_validate(self, _form: FlaskForm) -> None:
        try:
            self.cents = parse_hundredths(self.data) if self.data else None
        except ValueError:
            raise ValidationError("Ce montant est illisible. Exemple\u00a0: 54,18.") from None


class ChoiceFilter(OneOf):
    """A value among several, each with its words; the first is empty, and filters nothing."""

    kind = "choice"

    def __init__(self, label: str, known: Sequence[tuple[str, str]] = (), **values: Any) -> None:
        super().__init__(label, default="", **values)
        self.choices = [*known]


def looked_for(text: str) -> str:
    """Return the words to look for in what was typed: visible characters only, cut to a limit."""
    shown = (sign if sign.isprintable() else " " for sign in text[:_LONGEST])
    return " ".join("".join(shown).split())
