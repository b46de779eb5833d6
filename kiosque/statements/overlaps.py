"""Tell which movements of a file are new: the others were in a file loaded before.

A movement has no id, and two identical ones on one day are really two. So movements are counted, by
day. Files that overlap tell the same movements: the larger of the two counts is right. But if one
file ends within a day and another continues from there, with the first one's closing balance, they
tell different movements: the sum of the counts is right. Of all such chains from balance to
balance, take the one that counts most; but where the account had that balance before, both files
may tell the same movements, and they are not added up. If both files cover a whole day, they must
tell the same movements, else one of the two is wrong.

So the result depends on what the files say, not on the order in which they come.
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

#: Limits of the search. People who download during a day cut it in two or three: there are few
#: chains, and few shared movements.
_MOST_WAYS = 2000
_TOO_MANY = "Trop de relevés coupent un même jour : chargez-en un qui le donne entier."


class KnownLine(NamedTuple):
    """A movement of a file loaded before: the statement that brought it, and the kind of file."""

    id: int
    booked_on: date
    value_on: date | None
    cents: int
    label: str
    reference: str
    statement_id: int
    kind: str


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


@dataclass
class NewMovements:
    """The movements to add; the days on which files contradict each other; and the days with known
    lines that the file covers only in part."""

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
) -> NewMovements:
    """Compare a file's statement, whose days and balances are `span`, with what was loaded for the
    same account: the `lines` of the same days, the `spans` that touch them, and `told`, the lines
    that these spans repeated for days that they cover only in part."""
    by_day: Mapping[date, list[Movement]] = defaultdict(list)
    known: Mapping[date, list[KnownLine]] = defaultdict(list)
    for movement in movements:
        by_day[movement.booked_on].append(movement)
    for line in lines:
        known[line.booked_on].append(line)
    found = NewMovements()
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
    """Yield the known lines of a day that these movements are: those of the same words, else of the
    same cents."""
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
    """How many of each movement a statement tells of a day. `before` is its opening balance if it
    begins within the day, `after` its closing balance if it ends within it."""

    before: int | None
    after: int | None
    counts: frozenset[tuple[Hashable, int]]

    @property
    def counted(self) -> "Counter[Hashable]":
        return Counter(dict(self.counts))


class _Day:
    """A day in a file, and in those loaded before. Files of different kinds describe a movement in
    different words: compare these by amount."""

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
        """Yield the movements of the file that are new: as many as the count has grown; and
        movements that other files told and that now prove to be distinct from the known ones."""
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
        """Count the movements told by statements that follow each other from balance to balance;
        none if one statement covers the whole day."""
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
    """A chain of parts from balance to balance: its counts, its last part, the parts `left`, and
    the balances with which its parts begin."""

    last: _Part
    left: frozenset[_Part]
    began: frozenset[int | None]
    counted: "Counter[Hashable]"

    def onwards(self) -> "Iterator[_Way]":
        """Yield the chains longer by one part."""
        began = self.began | {self.last.before}
        for each in self.left:
            if each.before is not None and each.before == self.last.after:
                together = _together(self.counted, each.counted, again=each.before in began)
                if together:
                    yield _Way(each, self.left - {each}, began, together)


def _most(parts: frozenset[_Part]) -> "Counter[Hashable]":
    """Return the largest count of each movement in any chain of the parts of a day, each used
    once."""
    found: Counter[Hashable] = Counter()
    ways = [
        _Way(part, parts - {part}, frozenset(), part.counted) for part in sorted(parts, key=repr)
    ]
    for number, way in enumerate(ways):  # the loop appends longer chains
        if number > _MOST_WAYS:
            raise Refused([_TOO_MANY])
        found |= way.counted
        ways += way.onwards()
    return found


def _together(
    first: "Counter[Hashable]", second: "Counter[Hashable]", *, again: bool
) -> "Counter[Hashable]":
    """Return the counts of two parts of which the second begins with the closing balance of the
    first; `again` if the chain has had that balance before. Return no counts if both may tell the
    same movement.

    An account may have had the same balance earlier that day: then the second part may begin or end
    within the first, or one may be a piece of the other. Do not guess: a file of the whole day will
    add what is lacking.
    """
    shared = first & second
    if not shared:
        return first + second
    if again:
        return Counter()
    if len({_value(name) > 0 for name in first | second}) < 2:
        return first + second
    by_sum = _subsets(shared)
    overlap = by_sum[0] or by_sum.get(_sum(first + second))
    if overlap or _is_piece(first, second) or _is_piece(second, first):
        return Counter()
    return first + second


def _is_piece(part: "Counter[Hashable]", whole: "Counter[Hashable]") -> bool:
    """Tell whether one part may be a piece of another that ends with the balance where it begins:
    the rest of the other must then lead from the end of the piece back to that balance."""
    return part <= whole and -_sum(part) in _subsets(whole - part)


def _subsets(counts: "Counter[Hashable]") -> "dict[int, Counter[Hashable]]":
    """Return, for each sum that some of these movements can make, the largest set that makes it."""
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
    """Return the cents of a movement, given the key by which it is counted."""
    return int(name if isinstance(name, int) else name[0])


def _cents(movement: Movement | KnownLine) -> Hashable:
    return movement.cents


def _words(movement: Movement | KnownLine) -> Hashable:
    return movement.cents, movement.label, movement.reference


def _movement(line: KnownLine) -> Movement:
    return Movement(line.booked_on, line.value_on, line.cents, line.label, line.reference)
