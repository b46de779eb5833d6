"""The dates of a file: how they are written, and those of an invoice that refuse it, or that
somebody should look at."""

import re
from datetime import date, timedelta
from functools import lru_cache

from kiosque.language.formats import short_date

#: Further apart, dates are refused: no invoice of a family is due so long after its issue, nor
#: issued so long after today.
LONGEST = timedelta(days=366)
#: Towns load the invoices of a month some days before or after its end.
EARLY, LATE = timedelta(days=31), timedelta(days=92)

_DATES = (
    re.compile(r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})", re.ASCII),
    re.compile(
        r"(?P<day>[0-9]{1,2})[-/.](?P<month>[0-9]{1,2})[-/.](?P<year>[0-9]{4}|[0-9]{2})", re.ASCII
    ),
)
#: The midnight that a spreadsheet writes after a date.
_MIDNIGHT = re.compile(r"[ T]0?0:00(:00)?$", re.ASCII)


# The same few dates come again at every line of a file.
@lru_cache(maxsize=10_000)
def parse_date(text: str) -> date | None:
    """Read a date, the day first or the year first. A year of two digits is of this century."""
    text = _MIDNIGHT.sub("", text.removeprefix("'"))
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _DATES)), None)
    if match is None:
        return None
    year, month, day = (int(match[part]) for part in ("year", "month", "day"))
    try:
        found = date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None


@lru_cache(maxsize=1_000)  # the invoices of a month share their dates
def fault(issued_on: date, due_on: date, today: date) -> str:
    """Say in French why these dates are refused; nothing when they are not."""
    if due_on > issued_on + LONGEST:
        return (
            f"date_echeance {short_date(due_on)} : plus d’un an après date_emission "
            f"{short_date(issued_on)}"
        )
    if issued_on > today + LONGEST:
        return f"date_emission {short_date(issued_on)} : dans plus d’un an"
    return ""


@lru_cache(maxsize=1_000)
def oddity(issued_on: date, due_on: date, closes_on: date | None, today: date) -> str:
    """Say in French why somebody should look at these dates; nothing when all is usual."""
    if meant := _if_swapped(issued_on, due_on, today):
        return (
            f"émission {short_date(issued_on)}, échéance {short_date(due_on)} : jour et mois "
            f"peut-être inversés, pour le {short_date(meant[0])} et le {short_date(meant[1])}"
        )
    if issued_on > today + EARLY:
        return f"émission {short_date(issued_on)} dans l’avenir"
    if closes_on and closes_on <= today:
        return (
            f"échéance {short_date(due_on)} : le paiement en ligne ferme le "
            f"{short_date(closes_on)}, personne ne pourra payer"
            if closes_on < today
            else f"échéance {short_date(due_on)} : le paiement en ligne ferme aujourd’hui même"
        )
    return f"échéance {short_date(due_on)} déjà passée" if due_on < today else ""


def _if_swapped(issued_on: date, due_on: date, today: date) -> tuple[date, date] | None:
    """Return the dates with day and month exchanged, if only these would be usual."""
    if max(issued_on.day, due_on.day) > 12 or _is_usual(issued_on, today):
        return None
    issued, due = _exchanged(issued_on), _exchanged(due_on)
    if not _is_usual(issued, today) or not issued <= due <= issued + LONGEST:
        return None
    return issued, due


def _is_usual(issued_on: date, today: date) -> bool:
    return today - LATE <= issued_on <= today + EARLY


def _exchanged(on: date) -> date:
    return date(on.year, on.day, on.month)
