"""The fields of the filters of a list: words, a day, an amount, a choice."""

from collections.abc import Sequence
from typing import Any

from wtforms import StringField

from kiosque.web.office.forms import DayField, EurosField, OneOf

#: Characters of a text to look for.
_LONGEST = 100


class TextFilter(StringField):
    """Words to look for; only visible characters are kept."""

    kind = "text"
    choices = ()

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = looked_for((valuelist or [""])[0])


class DayFilter(TextFilter, DayField):
    kind = "date"


class EurosFilter(TextFilter, EurosField):
    """An amount in euros, to look for."""


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
