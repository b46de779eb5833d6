"""Money is integer cents everywhere; text exists only at the edges."""

import re

#: The largest amount a file may carry: a million euros, far above any family's invoice.
MAX_CENTS = 100_000_000

_AMOUNT = re.compile(r"(-?)([0-9]{1,9})(?:[.,]([0-9]{1,2}))?", re.ASCII)


def parse_hundredths(text: str) -> int:
    """Read a decimal number of at most two decimals, comma or point, as hundredths.

    Serves euros (giving cents) and quantities (giving hundredths of a unit).
    Raises ValueError for anything else: `1e3`, `1 000`, three decimals, no digits.
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
    """The amounts in cents that a quantity times a unit price may be rounded to.

    One value, or two where the product falls on half a cent: programs differ on that one.
    """
    floor, rest = divmod(quantity_hundredths * unit_price_cents, 100)
    if rest == 50:
        return (floor, floor + 1)
    return (floor,) if rest < 50 else (floor + 1,)
