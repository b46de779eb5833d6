"""Amounts, dates, durations and counts, as people read them, in the language in force."""

import math
import re
from datetime import date, datetime, timedelta
from functools import lru_cache

from kiosque.language import catalogue, cldr
from kiosque.language.catalogue import gettext as _
from kiosque.language.catalogue import ngettext
from kiosque.language.clock import PARIS, paris_date


def counted(number: int, words: str) -> str:
    """Say `0 courriel abandonné`, `1 courriel abandonné`, `2 courriels abandonnés`.

    In French the plural begins at two. `words` are singular, and each takes an `s`.
    """
    if number < 2:
        return f"{number} {words}"
    return f"{number} {' '.join(f'{word}s' for word in words.split())}"


MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def short_date(on: date) -> str:
    """For tables: `03/10/2025`."""
    return _french_date(on) if catalogue.is_source() else cldr.short_date(on)


@lru_cache(1024)  # some years of days
def _french_date(on: date) -> str:
    return f"{on.day:02d}/{on.month:02d}/{on.year}"


def long_date(on: date) -> str:
    """For sentences: `3 octobre 2025`, `1er mai 2026`."""
    if not catalogue.is_source():
        return cldr.long_date(on)
    day = "1er" if on.day == 1 else str(on.day)
    return f"{day} {MONTHS[on.month - 1]} {on.year}"


def long_instant(at: datetime) -> str:
    """For receipts: `3 octobre 2025 à 20 h 45`, Paris time."""
    words = {"date": long_date(paris_date(at)), "hour": paris_hour(at)}
    return _("%(date)s à %(hour)s") % words


def paris_hour(at: datetime) -> str:
    """`20 h 45`, Paris time, with no-break spaces."""
    local = at.astimezone(PARIS)
    if not catalogue.is_source():
        return cldr.hour(local.time())
    return f"{local.hour}\u00a0h\u00a0{local.minute:02d}"


def duration(wait: timedelta) -> str:
    """A wait in words, rounded up: `1 minute`, `35 minutes`, `2 heures`."""
    minutes = max(math.ceil(wait.total_seconds() / 60), 1)
    if minutes < 60:
        return ngettext("%(num)d minute", "%(num)d minutes", minutes) % {"num": minutes}
    hours = math.ceil(minutes / 60)
    return ngettext("%(num)d heure", "%(num)d heures", hours) % {"num": hours}


def period(text: str) -> str:
    """The period of an invoice, kept in French, in the language in force: `octobre 2026`.
    What is not a month and a year stays as the file gave it."""
    month, _space, year = text.partition(" ")
    if catalogue.is_source() or month not in MONTHS or not re.fullmatch("[1-9][0-9]{3}", year):
        return text
    return cldr.month(date(int(year), MONTHS.index(month) + 1, 1))


NARROW_NO_BREAK_SPACE = "\u202f"


NO_BREAK_SPACE = "\u00a0"


def format_hundredths(hundredths: int) -> str:
    """`1234.5` units in the language in force, without useless decimals: `1 234,5`."""
    if not catalogue.is_source():
        return cldr.hundredths(hundredths)
    units, rest = divmod(abs(hundredths), 100)
    decimals = f",{rest:02d}".rstrip("0") if rest else ""
    sign = "-" if hundredths < 0 else ""
    return sign + _grouped(units) + decimals


def format_euros(cents: int) -> str:
    """Cents in the language in force: `1 234,56 €` with its no-break spaces."""
    return _french_euros(cents) if catalogue.is_source() else cldr.euros(cents)


@lru_cache(4096)  # a town's prices are few
def _french_euros(cents: int) -> str:
    units, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{_grouped(units)},{rest:02d}{NO_BREAK_SPACE}€"


def _grouped(units: int) -> str:
    return f"{units:,}".replace(",", NARROW_NO_BREAK_SPACE)


def receipt_title(number: int) -> str:
    return f"R{number:06d}"
