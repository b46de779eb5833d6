"""Tell which movements of a file are new: the others were in a file loaded before.

Nothing names a movement: two that are the same, of one day, are two. So they are counted, by day.
Files that overlap say the same ones, and the more of the two counts is right. But where one file
ends within a day and another begins there, with the balance that the first ends with, they say
different ones, and the sum is right: of all the ways from balance to balance, the one that counts
most, less what both may say where the account has had that balance before. A day that both files
hold whole has the same movements in both, else one of the two is wrong.

So what is kept depends on what the files say, in whatever order they come.
"""

from collections import Counter, defaultdict
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from kiosque.payments.refusals import Refused
from kiosque.statements.records import Movement

#: A day is cut in two or three by those who download what they have of it: few ways lead through,
#: and few movements are shared.
_MOST_WAYS = 2000
_TOO_MANY = "Trop de relevés coupent un même jour : chargez-en un qui le donne entier."


class KnownLine(NamedTuple):
    """A movement that was in a file loaded before: which statement brought it, of which kind."""

    id: int
    booked_on: date
    value_on: date | None
    cents: int
    label: str
    reference: str
    statement_id: int
    kind: str


class Span(NamedTuple):
    """A statement loaded before; without balances, `opened_on` is the eve of its first day."""

    id: int
    opened_on: date
    opening_cents: int | None
    closed_on: date
    closing_cents: int | None

    def holds(self, day: date) -> bool:
        """Tell whether all the movements of a day are in it: it may begin and end within one."""
        return self.opened_on < day < self.closed_on


@dataclass
class Found:
    """The movements to add; the days that the files contradict each other about; and those that the
    file holds a part of, other than what it brings."""

    added: list[Movement] = field(default_factory=list)
    known: int = 0
    contradicted: list[date] = field(default_factory=list)
    partial: list[date] = field(default_factory=list)


def new_of(
    span: Span,
    movements: Sequence[Movement],
    kind: str,
    lines: Iterable[KnownLine],
    spans: Sequence[Span],
    told: Mapping[int, Collection[int]],
) -> Found:
    """Compare a file's statement, whose days and balances are `span`, with what was loaded of the
    same account: `lines` of the same days, `spans` that touch them, and the lines that these told
    of a day that they hold a part of, where others had brought some."""
    by_day: Mapping[date, list[Movement]] = defaultdict(list)
    known: Mapping[date, list[KnownLine]] = defaultdict(list)
    for movement in movements:
        by_day[movement.booked_on].append(movement)
    for line in lines:
        known[line.booked_on].append(line)
    found = Found()
    for day in sorted({*by_day, *(day for day in known if span.holds(day))}):
        if day not in known and not any(each.holds(day) for each in spans):
            found.added += by_day[day]
            continue
        of_day = _Day(day, by_day.get(day, []), known.get(day, []), kind)
        if of_day.is_contradicted(span, spans):
            found.contradicted.append(day)
        added = list(of_day.added(span, spans, told))
        found.added += added
        found.known += max(0, len(of_day.movements) - len(added))
        if of_day.lines and not span.holds(day):
            found.partial.append(day)
    return found


def lines_of(movements: Sequence[Movement], lines: Iterable[KnownLine]) -> Iterator[KnownLine]:
    """Give the lines of a day that its movements are: of the same words, else of the same cents."""
    left, said = [*lines], [*movements]
    for name in (_words, _cents):
        same: Mapping[Hashable, list[KnownLine]] = defaultdict(list)
        for line in left:
            same[name(line)].append(line)
        others = []
        for movement in said:
            if of_name := same[name(movement)]:
                yield of_name.pop()
            else:
                others.append(movement)
        left, said = [line for some in same.values() for line in some], others


class _Part(NamedTuple):
    """How many of each movement a statement tells of a day: from the balance `before`, where it
    begins within the day, to the balance `after`, where it ends within it."""

    before: int | None
    after: int | None
    counts: frozenset[tuple[Hashable, int]]

    @property
    def counted(self) -> "Counter[Hashable]":
        return Counter(dict(self.counts))


class _Day:
    """A day in a file, and in those loaded before. Another kind of file says the same movements in
    other words: they are compared by their amounts."""

    def __init__(self, day: date, movements: list[Movement], lines: list[KnownLine], kind: str):
        self.day, self.movements, self.lines = day, movements, lines
        other_words = any(line.kind != kind for line in lines)
        self._name: Callable[[Any], Hashable] = _cents if other_words else _words
        self._held = Counter(map(self._name, lines))
        self._told = Counter(map(self._name, movements))

    def is_contradicted(self, span: Span, spans: Iterable[Span]) -> bool:
        lacks = bool(self._held - self._told)
        brings = bool(self._told - self._held)
        return (lacks and span.holds(self.day)) or (
            brings and any(each.holds(self.day) for each in spans)
        )

    def added(
        self, span: Span, spans: Sequence[Span], told: Mapping[int, Collection[int]]
    ) -> Iterator[Movement]:
        """Yield the movements of the file but for those known, so many as there are more of now;
        and, of those that other files told, how many are proved now to be others."""
        more = (self._told | self._joined(span, spans, told)) - self._held
        known, others = self._told - more, more - self._told
        for movement in self.movements:
            if known[self._name(movement)] > 0:
                known[self._name(movement)] -= 1
            else:
                yield movement
        for line in self.lines:
            yield from [_movement(line)] * others.pop(self._name(line), 0)

    def _joined(
        self, span: Span, spans: Sequence[Span], told: Mapping[int, Collection[int]]
    ) -> "Counter[Hashable]":
        """Count what statements tell that each begin with the balance that another ends with;
        nothing where one holds the whole day."""
        if not self.lines or any(each.holds(self.day) for each in (span, *spans)):
            return Counter()
        parts = {self._part(span, self.movements)}
        for each in spans:
            known = told.get(each.id, ())
            some = [line for line in self.lines if line.id in known]
            own = (line for line in self.lines if line.statement_id == each.id)
            parts.add(self._part(each, some or own))
        return _most(frozenset(part for part in parts if part.counts))

    def _part(self, span: Span, said: Iterable[Movement | KnownLine]) -> _Part:
        before = span.opening_cents if span.opened_on == self.day else None
        after = span.closing_cents if span.closed_on == self.day else None
        return _Part(before, after, frozenset(Counter(map(self._name, said)).items()))


class _Way(NamedTuple):
    """Parts that lead from balance to balance, the last of them, those that are `left`, and the
    balances that they begin with."""

    last: _Part
    left: frozenset[_Part]
    began: frozenset[int | None]
    counted: "Counter[Hashable]"

    def onwards(self) -> "Iterator[_Way]":
        """Give the ways of one more part."""
        began = self.began | {self.last.before}
        for each in self.left:
            if each.before is not None and each.before == self.last.after:
                together = _together(self.counted, each.counted, again=each.before in began)
                if together:
                    yield _Way(each, self.left - {each}, began, together)


def _most(parts: frozenset[_Part]) -> "Counter[Hashable]":
    """Return the most of each movement on any way through the parts of a day from balance to
    balance, which takes each of them once."""
    found: Counter[Hashable] = Counter()
    ways = [
        _Way(part, parts - {part}, frozenset(), part.counted) for part in sorted(parts, key=repr)
    ]
    for number, way in enumerate(ways):  # longer ones are added as it goes
        if number > _MOST_WAYS:
            raise Refused([_TOO_MANY])
        found |= way.counted
        ways += way.onwards()
    return found


def _together(
    first: "Counter[Hashable]", second: "Counter[Hashable]", *, again: bool
) -> "Counter[Hashable]":
    """Return what two parts tell, the second from the balance that the first ends with, `again`
    where it has begun there before; nothing where the second may be a piece of the first.

    Where the account goes up and down, it may have had that balance before: both may tell the same
    movements. Of two readings, the one of fewer: what it lacks, a file of the whole day adds.
    """
    if again and first & second:
        return Counter()
    if len({_value(name) > 0 for name in first | second}) < 2:
        return first + second
    by_sum = _subsets(first & second)
    others = [by_sum.get(_sum(first + second), Counter())]
    others += [first] * _is_piece(first, second) + [second] * _is_piece(second, first)
    if max(map(Counter.total, others)) > by_sum[0].total():
        return Counter()
    return first + second - by_sum[0]


def _is_piece(part: "Counter[Hashable]", whole: "Counter[Hashable]") -> bool:
    """Tell whether one part may be a piece of the other, though the one begins where the other
    ends: the rest of the other then leads from the piece back to there."""
    return part <= whole and -_sum(part) in _subsets(whole - part)


def _subsets(counts: "Counter[Hashable]") -> "dict[int, Counter[Hashable]]":
    """Return, of the ways to take some of these movements, the longest of each sum."""
    found: dict[int, Counter[Hashable]] = {0: Counter()}
    for name in sorted(counts.elements(), key=repr):
        for cents, some in list(found.items()):
            more, total = some + Counter([name]), cents + _value(name)
            if total not in found or found[total].total() < more.total():
                found[total] = more
        if len(found) > _MOST_WAYS:
            raise Refused([_TOO_MANY])
    return found


def _sum(counts: "Counter[Hashable]") -> int:
    return sum(map(_value, counts.elements()))


def _value(name: Any) -> int:
    """Return the cents of a movement, by how it is named here."""
    return int(name if isinstance(name, int) else name[0])


def _cents(movement: Movement | KnownLine) -> Hashable:
    return movement.cents


def _words(movement: Movement | KnownLine) -> Hashable:
    return movement.cents, movement.label, movement.reference


def _movement(line: KnownLine) -> Movement:
    return Movement(line.booked_on, line.value_on, line.cents, line.label, line.reference)
