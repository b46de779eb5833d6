"""Amounts as integer cents: read from text, and multiplied. `formats` writes them."""

import re

#: The largest amount a file may carry: a million euros, far above any family's invoice.
MAX_CENTS = 100_000_000

_AMOUNT = re.compile(r"(-?)([0-9]{1,9})(?:[.,]([0-9]{1,2}))?", re.ASCII)


def parse_hundredths(text: str) -> int:
    """Read a number of at most two decimals, after a comma or a point, as hundredths.

    Euros give cents, quantities hundredths of a unit. Raise ValueError for anything else: `1e3`,
    `1 000`, three decimals, no digits.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"nombre illisible : {text[:30]!r}")
    sign, units, decimals = match.groups(default="")
    hundredths = int(units) * 100 + int(decimals.ljust(2, "0") or 0)
    if hundredths > MAX_CENTS:
        raise ValueError(f"nombre trop grand : {text[:30]!r}")
    return -hundredths if sign else hundredths


def product_cents(quantity_hundredths: int, unit_price_cents: int) -> tuple[int, ...]:
    """Return the amounts in cents to which a quantity times a unit price may be rounded.

    Two where the product falls on half a cent, which programs round one way or the other.
    """
    floor, rest = divmod(quantity_hundredths * unit_price_cents, 100)
    if rest == 50:
        return (floor, floor + 1)
    return (floor,) if rest < 50 else (floor + 1,)
