"""Share what was paid of an invoice between its lines, to the cent."""

from collections.abc import Sequence


def share(cents: int, lines: Sequence[int]) -> list[int]:
    """Return the cents of a payment that are for each line, whose amounts are given in cents.

    Each line has its part of the total, cut to the cent; the cents left go one by one to the lines
    that lost the most, the first of those that lost as much. The whole of an invoice gives its very
    lines. Raises ValueError for lines that add up to nothing, or to less.
    """
    total = sum(lines)
    if total <= 0:
        raise ValueError("nothing to share a payment between")
    parts = [divmod(cents * line, total) for line in lines]
    found = [part for part, _lost in parts]
    by_loss = sorted(range(len(parts)), key=lambda place: -parts[place][1])
    for place in by_loss[: cents - sum(found)]:
        found[place] += 1
    return found
