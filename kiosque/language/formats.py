"""Write amounts, dates, durations and counts as people read them, in the language in force.

French ones are written here, to the space that French typography wants; those of other
languages follow Unicode's CLDR, by Babel.
"""

import math
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal

from kiosque.language.catalogue import gettext as _
from kiosque.language.catalogue import is_source, locale, ngettext
from kiosque.language.clock import PARIS, paris_date

MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip

NARROW_NO_BREAK_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"


def format_euros(cents: int) -> str:
    """Write cents as euros: `1 234,56 €` in French, `€1,234.56` in English."""
    if is_source():
        return _french_euros(cents)
    return format_currency(Decimal(cents) / 100, "EUR", locale=locale())


@lru_cache(4096)  # a town's prices are few
def _french_euros(cents: int) -> str:
    units, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{_grouped(units)},{rest:02d}{NO_BREAK_SPACE}€"


def format_hundredths(hundredths: int) -> str:
    """Write a quantity without useless decimals: `1 234,5` in French, `1,234.5` in English."""
    if not is_source():
        return format_decimal(Decimal(hundredths) / 100, "#,##0.##", locale=locale())
    units, rest = divmod(abs(hundredths), 100)
    decimals = f",{rest:02d}".rstrip("0") if rest else ""
    sign = "-" if hundredths < 0 else ""
    return sign + _grouped(units) + decimals


def _grouped(units: int) -> str:
    return f"{units:,}".replace(",", NARROW_NO_BREAK_SPACE)


def short_date(on: date) -> str:
    """Write a date for a table: `03/10/2025`."""
    return _french_date(on) if is_source() else format_date(on, "short", locale=locale())


@lru_cache(1024)  # some years of days
def _french_date(on: date) -> str:
    return f"{on.day:02d}/{on.month:02d}/{on.year}"


def long_date(on: date) -> str:
    """Write a date for a sentence: `3 octobre 2025` or `1er mai 2026` in French. No line ends
    within it."""
    if not is_source():
        return format_date(on, "long", locale=locale()).replace(" ", NO_BREAK_SPACE)
    day = "1er" if on.day == 1 else str(on.day)
    return NO_BREAK_SPACE.join((day, MONTHS[on.month - 1], str(on.year)))


def long_instant(at: datetime) -> str:
    """Write an instant for a receipt, in Paris time: `3 octobre 2025 à 20 h 45` in French."""
    words = {"date": long_date(paris_date(at)), "hour": paris_hour(at)}
    return _("%(date)s à %(hour)s") % words


def paris_hour(at: datetime) -> str:
    """Write the hour of an instant, in Paris time: `20 h 45` in French, `20:45` in English."""
    local = at.astimezone(PARIS)
    if not is_source():
        return format_time(local.time(), "short", locale=locale())
    return f"{local.hour}{NO_BREAK_SPACE}h{NO_BREAK_SPACE}{local.minute:02d}"


def period(text: str) -> str:
    """Write the period of an invoice, kept in French, in the language in force: `October 2026`.

    Text that is not a month and a year stays as the file gave it.
    """
    month, _space, year = text.partition(" ")
    if is_source() or month not in MONTHS or not re.fullmatch("[1-9][0-9]{3}", year):
        return text
    return format_skeleton("yMMMM", date(int(year), MONTHS.index(month) + 1, 1), locale=locale())


def bought(text: str, children: str, services: str) -> str:
    """Write what an invoice is for: `Octobre 2026, Robin : Restauration, Périscolaire`."""
    month = period(text)
    what = month[:1].upper() + month[1:] + (f", {children}" if children else "")
    return _("%(what)s\u00a0: %(services)s") % {"what": what, "services": services}


def duration(wait: timedelta) -> str:
    """Write a wait, rounded up: `1 minute`, `35 minutes`, `2 heures`."""
    minutes = max(math.ceil(wait.total_seconds() / 60), 1)
    if minutes < 60:
        return ngettext("%(num)d minute", "%(num)d minutes", minutes) % {"num": minutes}
    hours = math.ceil(minutes / 60)
    return ngettext("%(num)d heure", "%(num)d heures", hours) % {"num": hours}


def counted(number: int, words: str) -> str:
    """Write a count in French: `0 courriel abandonné`, `2 courriels abandonnés`.

    The plural begins at two. `words` are singular, and each takes an `s`.
    """
    if number < 2:
        return f"{number} {words}"
    return f"{number} {' '.join(f'{word}s' for word in words.split())}"


def decimal(cents: int) -> str:
    """Write an amount as a person types it, and as a spreadsheet reads it: `-54,18`."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def capital(text: str) -> str:
    """Begin a text with a capital; the rest of it is as it was."""
    return text[:1].upper() + text[1:]


def receipt_title(number: int, sequence: str) -> str:
    """Write a receipt's number in its sequence: `R000123`, `R000123-creche` for another régie."""
    return f"R{number:06d}-{sequence}" if sequence else f"R{number:06d}"
