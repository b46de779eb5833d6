"""The one clock: aware UTC instants (`..._at`), Paris dates (`..._on`), and their words."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from kiosque import cldr, i18n
from kiosque.i18n import gettext as _
from kiosque.i18n import ngettext

PARIS = ZoneInfo("Europe/Paris")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def now() -> datetime:
    """The present instant, aware, in UTC. Tests replace this function and nothing else."""
    return datetime.now(UTC)


def today() -> date:
    """The present date in Paris."""
    return paris_date(now())


def paris_date(at: datetime) -> date:
    return at.astimezone(PARIS).date()


def short_date(on: date) -> str:
    """For tables: `03/10/2025`."""
    return _french_date(on) if i18n.is_source() else cldr.short_date(on)


@lru_cache(1024)  # some years of days
def _french_date(on: date) -> str:
    return f"{on.day:02d}/{on.month:02d}/{on.year}"


def long_date(on: date) -> str:
    """For sentences: `3 octobre 2025`, `1er mai 2026`."""
    if not i18n.is_source():
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
    if not i18n.is_source():
        return cldr.hour(local.time())
    return f"{local.hour}\u00a0h\u00a0{local.minute:02d}"


def from_iso(text: str) -> date | None:
    """The date that an ISO text stands for; none for an empty one."""
    return date.fromisoformat(text) if text else None


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
    if i18n.is_source() or month not in MONTHS or not re.fullmatch("[1-9][0-9]{3}", year):
        return text
    return cldr.month(date(int(year), MONTHS.index(month) + 1, 1))


def school_year(on: date) -> int:
    """The year a school year begins: 2025 from 1 September 2025 to 31 August 2026."""
    return on.year if on.month >= 9 else on.year - 1
