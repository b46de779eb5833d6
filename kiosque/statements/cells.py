"""Amounts, dates, texts and accounts, as the files of banks write them."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from kiosque.invoices.imports.dates import parse_date
from kiosque.invoices.imports.reading import quoted
from kiosque.language.formats import format_euros
from kiosque.spelling import fold
from kiosque.statements.records import Period

#: Ten billion euros: beyond that, it is no amount.
MAX_CENTS = 10**12
#: Most characters of a label, of a reference, of an amount, of a date.
MAX_LABEL, MAX_REFERENCE, MAX_AMOUNT, MAX_DATE = 500, 100, 40, 40

_AMOUNT = re.compile(
    r"([+\u2212\u2013-]?)\s*"
    r"([0-9]{1,3}(?:(?P<grouped>[\s.,'’])[0-9]{3})(?:(?P=grouped)[0-9]{3})*|[0-9]{1,15})"
    r"(?:([.,])([0-9]{1,15}))?\s*(?:€|EUR)?\s*([+-]?)",
    re.ASCII | re.IGNORECASE,
)
_SPACES = re.compile(r"[\u00a0\u2007\u2009\u202f]")
_COMPACT = re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{2})(?:[0-9]{4}|[0-9]{6})?", re.ASCII)
#: A time of day in the bank's own zone, which is ignored.
_CLOCK = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$", re.ASCII)
_INSTANT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.+", re.ASCII)
#: A card number, of sixteen digits as for Visa, Mastercard and CB; a SIRET has fourteen.
_CARD = re.compile(r"(?<![0-9])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?![0-9])", re.ASCII)
#: The figure for each letter of an account number, to compute its *clé RIB*.
_RIB = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")
_BBAN = re.compile(r"[0-9]{10}[0-9A-Z]{11}", re.ASCII)


def cents_in(text: str) -> int:
    """Read euros as cents: a comma or a point before the decimals, spaces, points or commas
    between thousands, the sign before or after. Raise ValueError, in French; for `1.234` too,
    which may be a thousand or have three decimals."""
    plain = _SPACES.sub(" ", text).strip()
    if len(plain) > MAX_AMOUNT or not (match := _AMOUNT.fullmatch(plain)):
        raise ValueError(_not_read(text))
    before, whole, grouped, mark, decimals, after = match.groups(default="")
    digits = decimals.rstrip("0")
    is_doubtful = grouped in {".", ","} and (mark == grouped or (not mark and len(whole) < 8))
    if is_doubtful or len(digits) > 2 or (before and after):
        raise ValueError(_not_read(text))
    cents = int(re.sub(r"[^0-9]", "", whole) + digits.ljust(2, "0"))
    if cents > MAX_CENTS:
        raise ValueError(f"montant {quoted(text)} trop grand")
    return cents if (before or after) in {"", "+"} else -cents


def _not_read(text: str) -> str:
    return f"montant {quoted(text)} illisible : attendu des euros, comme 1234,56"


@lru_cache(maxsize=10_000)  # the same days come again at every line
def day_in(text: str) -> date:
    """Read a day, of this century: `31/10/2026`, `2026-10-31`, `20261031`; of an instant that says
    its zone, the day in UTC. Raise ValueError, in French."""
    written = _CLOCK.sub("", text.strip()[:MAX_DATE])
    if match := _COMPACT.fullmatch(written):
        written = "-".join(match.groups())
    elif _INSTANT.fullmatch(written):
        written = _utc_day(written)
    if found := parse_date(written):
        return found
    raise ValueError(f"date {quoted(text)} : attendu une date comme 31/10/2026 ou 20261031")


def _utc_day(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return str((found.astimezone(UTC) if found.tzinfo else found).date())


def one_line(*texts: str, most: int = MAX_LABEL) -> str:
    """Join the texts about a movement on one line, without any card number."""
    words = " ".join(" ".join(texts).split())[: 2 * MAX_LABEL]
    plain = words if words.isprintable() else "".join(filter(str.isprintable, words))
    return _CARD.sub(_hidden, plain)[:most].strip()


def _hidden(found: re.Match[str]) -> str:
    digits = re.sub(r"[^0-9]", "", found[0])
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(digits)]
    is_card = sum(number // 10 + number % 10 for number in doubled) % 10 == 0
    return f"XXXX{digits[-4:]}" if is_card else found[0]


def account_in(text: str) -> str:
    """Return the number of an account without spaces, in capitals."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())[:34]


def french_iban(bank: str, branch: str, number: str) -> str:
    """Return the IBAN of a French account, so that all formats name it alike; its number alone if
    the five digits of the bank or of the branch are missing."""
    bban = account_in(bank + branch + number)
    if not _BBAN.fullmatch(bban):
        return account_in(number)
    key = 97 - int(bban.translate(_RIB)) * 100 % 97
    body = f"{bban}{key:02}"
    figures = "".join(str(int(sign, 36)) for sign in f"{body}FR00")
    return f"FR{98 - int(figures) % 97:02}{body}"


def imbalance(period: Period) -> str:
    """Say in French by how much a statement does not add up; "" if it does, or if it lacks one of
    the balances."""
    if period.opening_cents is None or period.closing_cents is None:
        return ""
    moved = sum(each.cents for each in period.movements)
    missing = period.closing_cents - period.opening_cents - moved
    if not missing:
        return ""
    return (
        f"compte {period.account or 'sans numéro'} : l’ancien solde "
        f"{format_euros(period.opening_cents)} et les mouvements {format_euros(moved)} ne font pas "
        f"le nouveau solde {format_euros(period.closing_cents)} : l’écart est de "
        f"{format_euros(abs(missing))}"
    )


@lru_cache(maxsize=1_000)  # of the words of each line, too
def column_key(name: str) -> str:
    """Return the same key for all spellings of a column's name: `Débit (€)`, `Debit euros`."""
    return re.sub(r"\((?:eur|euros?)\)|(?:en)?euros?$|[^a-z0-9]", "", fold(name))
