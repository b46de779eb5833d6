"""A day that files cut anywhere, of an account that comes back to its balances: no movement is
counted that is not, and the day is said to be whole only if it is."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise
from random import Random

import pytest

from kiosque.statements.cut_days import DayPart, Span, TooManyParts, is_whole, most, part_of

DAY = date(2026, 11, 1)
OPENING = 1000
NAMES = [(10, "VIR"), (-10, "VIR"), (20, "VIR"), (-20, "REJET"), (30, "CB"), (-30, "REJET")]
#: Movements of a day, in order; and the places where files cut it.
Day = Sequence[tuple[int, str]]
Cuts = Sequence[tuple[int, int]]


def parts_of(said: Day, cuts: Cuts) -> list[DayPart]:
    """Return what each file tells of the day; and the next file, which begins after it."""
    balances = [OPENING + sum(cents for cents, _ in said[:at]) for at in range(len(said) + 1)]
    following = Span(0, DAY, balances[-1], DAY + timedelta(days=4), None)
    parts = [part_of(DAY, following, Counter())]
    for first, last in cuts:
        since = DAY if first else DAY - timedelta(days=1)
        until = DAY if last < len(said) else DAY + timedelta(days=1)
        span = Span(0, since, balances[first], until, balances[last])
        parts.append(part_of(DAY, span, Counter(said[first:last])))
    return parts


def random_day(random: Random) -> tuple[Day, Cuts]:
    """A day, and files that tell it all between them, some of it twice or more."""
    names = random.sample(NAMES, random.randint(1, 5))
    said = [random.choice(names) for _ in range(random.randint(3, random.choice([5, 7, 9])))]
    places = random.sample(range(1, len(said)), random.randint(1, min(4, len(said) - 1)))
    everywhere = sorted({0, len(said), *places})
    ends = sorted({0, len(said), *random.sample(places, random.randint(1, len(places)))})
    spans = [cut for cut in combinations(everywhere, 2) if cut != (0, len(said))]
    more = random.sample(spans, random.randint(0, min(4, len(spans))))
    return said, [*pairwise(ends), *more]


def require_true(said: Day, cuts: Cuts) -> bool:
    """Return whether the day is found whole."""
    parts, truth = parts_of(said, cuts), Counter(said)
    held = most(parts)
    assert held <= truth, (said, cuts)
    assert held == most(parts[::-1])
    found = is_whole(parts, held)
    assert held == truth or not found, (said, cuts)
    return found


@pytest.mark.parametrize(
    ("many", "seed"), [(1500, 1), pytest.param(20_000, 2, marks=pytest.mark.proof)]
)
def test_of_random_days_no_movement_is_doubled_and_none_is_lacking_unless_said(
    many: int, seed: int
) -> None:
    random = Random(seed)
    found = Counter(require_true(*random_day(random)) for _ in range(many))
    assert found[True] > found[False]  # most often, the files do suffice


X, Y, Z = (10, "VIR"), (20, "VIR"), (-20, "REJET")


@pytest.mark.parametrize(
    ("said", "cuts"),
    [
        ([(-10, "VIR")] * 3 + [Y, Z], [(1, 4), (2, 3), (2, 5), (1, 2), (3, 4), (3, 5)]),
        ([(-30, "REJET"), X, X, X, (-30, "REJET"), Y], [(0, 3), (1, 2), (2, 6), (3, 5), (0, 5)]),
        ([Y, Z, Y, Z], [(0, 2), (2, 4)]),
    ],
)
def test_parts_between_balances_that_come_back_are_not_added_up(said: Day, cuts: Cuts) -> None:
    require_true(said, cuts)


@pytest.mark.parametrize(
    ("said", "cuts"),
    [
        ([X, X, X, X], [(0, 2), (2, 4)]),
        ([X, X, X], [(0, 1), (0, 2), (1, 3)]),
        ([X, Y, Z, X], [(0, 2), (2, 3), (3, 4)]),
    ],
)
def test_parts_that_follow_one_another_make_the_day_whole(said: Day, cuts: Cuts) -> None:
    assert require_true(said, cuts)
    assert most(parts_of(said, cuts)) == Counter(said)


@pytest.mark.parametrize(
    ("said", "cuts"),
    [([X, Y, Z], [(0, 1), (2, 3)]), ([X, X, X], [(0, 2)]), ([X, X], []), ([X, X, X], [(1, 3)]),
     ([X, X, Y], [(0, 1), (0, 2)])],
)  # fmt: skip
def test_a_part_that_no_file_tells_is_lacking(said: Day, cuts: Cuts) -> None:
    parts = parts_of(said, cuts)
    assert not is_whole(parts, most(parts))


def test_parts_without_a_hole_may_be_very_many() -> None:
    said = [(10**9 + 3**at, "VIR") for at in range(60)]
    assert require_true(said, [*pairwise(range(61))])


def test_too_many_parts_to_tell_are_not_guessed() -> None:
    said = [each for at in range(1, 12) for each in ((at, "VIR"), (-at, "VIR"), (at, "VIR"))]
    twice = [cut for at in range(0, 33, 3) for cut in ((at, at + 2), (at + 1, at + 3))]
    with pytest.raises(TooManyParts):
        most(parts_of(said, twice))
    assert not is_whole(parts_of(said, twice), Counter())
