"""A day that several files cut: which of its parts tell different movements, and whether together
they tell it whole.

A part leads from a balance to a balance. An account may come back to the same balance within a day,
so a part that begins where another ends may also lie within it. Two parts are *apart* if they can
have no movement in common: then their counts add up. Do not guess about the others: a file of the
whole day will add what is lacking.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

#: Limits of the search. People who download during a day cut it in two or three.
_MOST_SETS = 1000
_MOST_SUMS = 5000


class TooManyParts(Exception):  # the word of the domain
    """More parts of a day than can be compared."""


class Span(NamedTuple):
    """A statement loaded before; without balances, `opened_on` is the day before its first day."""

    id: int
    opened_on: date
    opening_cents: int | None
    closed_on: date
    closing_cents: int | None

    def holds(self, day: date) -> bool:
        """Tell whether it covers a whole day; it may begin and end within a day."""
        return self.opened_on < day < self.closed_on


@dataclass(frozen=True, eq=False)
class DayPart:
    """How many of each movement a statement tells of a day; `starts` and `ends` if the start and
    the end of the day are in it. The balances are those before and after, None if it gives none."""

    starts: bool
    ends: bool
    balances: tuple[int, int] | None
    counts: "Counter[Hashable]"


def part_of(day: date, span: Span, counts: "Counter[Hashable]") -> DayPart:
    moved, balances = _moved(counts), None
    if span.closed_on == day and span.closing_cents is not None:
        balances = span.closing_cents - moved, span.closing_cents
    if span.opened_on == day and span.opening_cents is not None:
        balances = span.opening_cents, span.opening_cents + moved
    return DayPart(span.opened_on < day, day < span.closed_on, balances, counts)


def most(parts: Sequence[DayPart]) -> "Counter[Hashable]":
    """Return how many of each movement the day has at least. Raises TooManyParts."""
    found: Counter[Hashable] = Counter()
    for some in _sets_apart(parts):
        found |= _total(some)
    return found


def is_whole(parts: Sequence[DayPart], held: "Counter[Hashable]") -> bool:
    """Tell whether the parts prove that the day has no more than is `held` of it: some that are
    apart lead from balance to balance through all of it, and the others cannot tell more."""
    try:
        sets = _sets_apart(parts)
    except TooManyParts:
        return False
    for some in sets:
        others = [each for each in parts if each not in some]
        if _total(some) == held and _is_chain(some, others) and not _may_add(some, others):
            return True
    return False


def is_apart(one: DayPart, other: DayPart) -> bool:
    """Tell whether two parts of a day can have no movement in common."""
    if one.balances is None or other.balances is None:
        return False
    if (one.starts and other.starts) or (one.ends and other.ends):
        return False
    shared = one.counts & other.counts
    if not shared:
        return True
    # The end of one may be the start of the other; or one may lie within the other.
    ends = {one.balances[1] - other.balances[0], other.balances[1] - one.balances[0]}
    return not (_can_make(shared, ends) or _may_hold(one, other) or _may_hold(other, one))


def _may_hold(whole: DayPart, piece: DayPart) -> bool:
    """Tell whether a part may lie within another: what that has before it must lead to it."""
    if whole.balances is None or piece.balances is None or not piece.counts <= whole.counts:
        return False
    before = piece.balances[0] - whole.balances[0]
    return before == 0 or _can_make(whole.counts - piece.counts, {before})


def _sets_apart(parts: Sequence[DayPart]) -> Collection[frozenset[DayPart]]:
    """Return the largest sets of parts that are all apart from each other."""
    found: set[frozenset[DayPart]] = {frozenset()}
    for at, part in enumerate(parts):
        apart = frozenset(each for each in parts[:at] if is_apart(part, each))
        found |= {(some & apart) | {part} for some in found}
        found = {some for some in found if not any(some < other for other in found)}
        if len(found) > _MOST_SETS:
            raise TooManyParts
    return found


def _is_chain(some: Collection[DayPart], others: Iterable[DayPart]) -> bool:
    """Tell whether each part begins with the balance that another ends with, from the start of the
    day to its end; or as far as any part goes, if none goes to its end."""
    begun = Counter(each.balances and each.balances[0] for each in some if not each.starts)
    ended = Counter(each.balances and each.balances[1] for each in some if not each.ends)
    has_end = any(each.ends for each in some) or not any(each.ends for each in others)
    return any(each.starts for each in some) and has_end and begun <= ended


def _may_add(some: Collection[DayPart], others: Iterable[DayPart]) -> bool:
    """Tell whether the other parts may tell movements that a chain of parts has not: they leave its
    balances as they are; if the chain does not go to the end of the day, they may come after it."""
    left = [each for each in others if not any(_is_within(each, chained) for chained in some)]
    ends: set[int] = {0}
    if not any(each.ends for each in some):
        (last,) = {each.balances[0] for each in some if each.starts and each.balances}
        last += _moved(_total(some))
        ends |= {each.balances[1] - last for each in left if each.balances}
    return _can_make(_total(left), ends)


def _is_within(part: DayPart, other: DayPart) -> bool:
    """Tell whether a part surely lies within another: both start, or both end, with the day."""
    together = (part.starts and other.starts) or (part.ends and other.ends)
    return together and part.counts.total() <= other.counts.total()


def _can_make(counts: "Counter[Hashable]", wanted: Collection[int]) -> bool:
    """Tell whether one or more of these movements may add up to one of these sums."""
    sums: set[int] = set()
    for name in counts.elements():
        sums |= {each + _cents(name) for each in (0, *sums)}
        if len(sums) > _MOST_SUMS:
            return True
    return not sums.isdisjoint(wanted)


def _total(parts: Iterable[DayPart]) -> "Counter[Hashable]":
    return sum((each.counts for each in parts), Counter())


def _moved(counts: "Counter[Hashable]") -> int:
    return sum(map(_cents, counts.elements()))


def _cents(name: Any) -> int:
    """Return the cents of a movement, given the key by which it is counted."""
    return int(name if isinstance(name, int) else name[0])
