"""Share what was paid of an invoice between its lines, to the cent."""

from collections.abc import Sequence


def share(cents: int, lines: Sequence[int]) -> list[int]:
    """Share the cents of a payment between lines, whose amounts are in cents, by largest remainder.

    Each line gets its part of the total, rounded down to the cent; the cents left go one by one to
    the lines that lost the most, the first ones on a tie. The whole of an invoice gives exactly its
    lines. Raises ValueError unless the lines add up to more than zero.
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
