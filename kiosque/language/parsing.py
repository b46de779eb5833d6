"""Amounts and quantities: read from text exactly, and multiplied. `formats` writes them."""

import re
from fractions import Fraction
from math import floor

#: The largest amount a file may carry: a million euros, far above any family's invoice.
MAX_CENTS = 100_000_000
HALF = Fraction(1, 2)

_NUMBER = re.compile(
    r"'?([-\u2212\u2013]?)\s*"
    r"([0-9]{1,3}(?:\s[0-9]{3})+|[0-9]{1,9})(?:[.,]([0-9]{1,6}))?"
    r"\s*(?:€|EUR)?",
    re.IGNORECASE,
)
_HOURS = re.compile(r"([-\u2212\u2013]?)([0-9]{1,4})\s*(?::|h)\s*([0-5][0-9])?", re.IGNORECASE)


def parse_decimal(text: str) -> Fraction:
    """Read a number as people and spreadsheets write it: a comma or a point before the decimals,
    six at most, spaces of any kind between thousands, `€` after it, a minus sign of any kind or
    the apostrophe of a text cell before it. Raise ValueError for anything else, such as `1e3`.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"nombre illisible : {text[:30]!r}")
    sign, units, decimals = match.groups(default="")
    value = Fraction(int("".join(units.split()) + decimals), 10 ** len(decimals))
    if value * 100 > MAX_CENTS:
        raise ValueError(f"nombre trop grand : {text[:30]!r}")
    return -value if sign else value


def parse_hundredths(text: str) -> int:
    """Read a number as hundredths: euros give cents. Raise ValueError for what is not a whole
    number of them, besides what `parse_decimal` refuses."""
    value = parse_decimal(text) * 100
    if value.denominator != 1:
        raise ValueError(f"plus de deux décimales : {text[:30]!r}")
    return value.numerator


def parse_quantity(text: str) -> Fraction:
    """Read a number, or hours and minutes written `1:30` or `1h30`, as hours. Raise ValueError."""
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        return parse_decimal(text)
    sign, hours, minutes = match.groups(default="0")
    value = int(hours) + Fraction(int(minutes), 60)
    return value if sign == "0" or not sign else -value


def rounded_hundredths(value: Fraction) -> int:
    """Return the nearest number of hundredths."""
    return floor(value * 100 + HALF)


def is_product(
    quantity: Fraction, unit_price: Fraction, cents: int, *, price_off: Fraction = HALF
) -> bool:
    """Tell whether an amount in cents is a quantity times a price in euros, but for roundings.

    The amount may be half a cent off. A price of two decimals at most may stand for one `price_off`
    cents away (3,33 for 10,00 / 3), a quantity of two for one half a hundredth away (1,33 hours).
    """
    gap = abs(quantity * unit_price * 100 - cents)
    allowed = HALF
    if (unit_price * 100).denominator == 1:
        allowed += price_off * abs(quantity)
    if quantity.denominator != 1 and (quantity * 100).denominator == 1:
        allowed += HALF * abs(unit_price)
    return gap <= HALF or gap < allowed
