"""Search a label for a month, an invoice's number, a child's name. Several formats need it."""

import re
from decimal import Decimal, InvalidOperation

#: With their accents and without.
_MONTHS = (
    "janvier", "f[ée]vrier", "mars", "avril", "mai", "juin",
    "juillet", "ao[ûu]t", "septembre", "octobre", "novembre", "d[ée]cembre",
)  # fmt: skip
_MONTH = re.compile(rf"\b({'|'.join(f'({each})' for each in _MONTHS)})\s+(20[0-9]{{2}})\b", re.I)
_NUMBER = re.compile(r"\bfacture[\s_]*(?:n[°o.]*\s*)?:?\s*([A-Z0-9][A-Z0-9._/-]{0,29})", re.I)
_CHILD = re.compile(r"([^\d]{0,40}?)\s*(?<!\S)- (.+)")
#: More decimals than these are a program's rounding.
_DECIMALS = Decimal("0.000001")
_LONG = re.compile(r"-?[0-9]+[.,][0-9]{7,}", re.ASCII)


def month(*texts: str) -> str:
    """Return the first month that a text names, as `2026-10`; nothing if none does."""
    for text in texts:
        if found := _MONTH.search(text):
            names = found.groups()[1:-1]
            at = next(at for at, name in enumerate(names, 1) if name)
            return f"{found.groups()[-1]}-{at:02}"
    return ""


def without_month(text: str) -> str:
    """Return a text without the month that it names, and without superfluous spaces."""
    return " ".join(_MONTH.sub(" ", text).split()).strip(" -")


def month_of(on: str) -> str:
    """Return the month of a date, written as in files; "" if it is not a date."""
    for pattern in (r"(20\d\d)-(\d\d)-\d\d", r"\d\d/(\d\d)/(20\d\d)"):
        if found := re.match(pattern, on, re.ASCII):
            year, number = sorted(found.groups(), key=len, reverse=True)
            return f"{year}-{number}"
    return ""


def invoice_number(label: str) -> str:
    """Return the number of the invoice that a label names, as `FACTURE 100241 - OCTOBRE 2026`."""
    found = _NUMBER.search(label)
    return found[1] if found else ""


def child_and_label(text: str) -> tuple[str, str]:
    """Split `LEA - REPAS` into a child and a label; `- FRAIS DE DOSSIER` has no child."""
    words = " ".join(text.split())
    found = _CHILD.fullmatch(words)
    return (found[1].strip(), found[2].strip()) if found else ("", words)


def shortened(number: str) -> str:
    """Round a number that a program wrote with more decimals than anybody means."""
    if not _LONG.fullmatch(number):
        return number
    try:
        return str(Decimal(number.replace(",", ".")).quantize(_DECIMALS).normalize())
    except InvalidOperation:
        return number
