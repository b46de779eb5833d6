"""Look for the likeliest causes of a gap between the books and the bank's statement."""

from collections.abc import Sequence
from itertools import combinations

from kiosque.closings.differences import Item
from kiosque.language.formats import format_euros


def likely_causes(gap: int, items: Sequence[Item]) -> Sequence[str]:
    """Say what may explain a gap, by the likeliest kind of cause only: one difference, one counted
    twice, transposed digits, or the sum of two or three."""
    if not gap:
        return []
    kinds = (
        [f"même montant\u00a0: {it.words}" for it in items if abs(it.cents) == abs(gap)],
        [f"compté deux fois\u00a0: {it.words}" for it in items if 2 * abs(it.cents) == abs(gap)],
        [
            f"chiffres inversés\u00a0? {format_euros(it.cents)}, {it.words}"
            for it in items
            if _is_transposed(it.cents, it.cents - gap)
        ],
        [
            "ensemble\u00a0: " + "\u00a0; ".join(it.words for it in some)
            for number in (2, 3)
            for some in combinations(items[:_MOST_COMBINED], number)
            if abs(sum(it.cents for it in some)) == abs(gap)
        ],
    )
    return next((kind[:_MOST_CAUSES] for kind in kinds if kind), [])


_MOST_COMBINED, _MOST_CAUSES = 60, 3


def _is_transposed(one: int, other: int) -> bool:
    """Return True if two amounts of one sign have the same digits in another order."""
    return one != other and sorted(str(one)) == sorted(str(other))
