"""Tell which movements of a file are new: the others were in a file loaded before.

A movement has no id, and two identical ones on one day are really two. So movements are counted, by
day. Files that overlap tell the same movements: the larger of the two counts is right. But parts of
a day that can have no movement in common tell different ones: the sum of the counts is right
(`cut_days`). If both files cover a whole day, they must tell the same movements, else one of the
two is wrong.

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
from typing import NamedTuple

from kiosque.payments.refusals import Refused
from kiosque.statements.cut_days import DayPart, Span, TooManyParts, most, part_of
from kiosque.statements.records import Movement

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


def naming(kinds: Collection[str]) -> Callable[[Movement | KnownLine], Hashable]:
    """Return how movements are named to be counted. Files of different kinds describe a movement in
    different words: compare these by amount."""
    return _words if len({*kinds}) < 2 else _cents


def known_parts(
    day: date,
    lines: Sequence[KnownLine],
    spans: Iterable[Span],
    told: Mapping[int, Collection[int]],
    name: Callable[[KnownLine], Hashable],
) -> Iterator[DayPart]:
    """Yield what each of these statements tells of a day, given all its known lines."""
    for span in spans:
        yield part_of(day, span, Counter(map(name, lines_told(span.id, lines, told))))


def lines_told(
    statement: int, lines: Sequence[KnownLine], told: Mapping[int, Collection[int]]
) -> Sequence[KnownLine]:
    """Return the lines that a statement tells of a day, of which these are all the known ones."""
    known = told.get(statement, ())
    some = [line for line in lines if line.id in known]
    return some or [line for line in lines if line.statement_id == statement]


class _Day:
    """A day in a file, and in those loaded before."""

    def __init__(self, day: date, movements: list[Movement], lines: list[KnownLine], kind: str):
        self.day, self.movements, self.lines = day, movements, lines
        self._name = naming([kind, *(line.kind for line in lines)])
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
        """Count what all statements tell together; nothing if one covers the whole day."""
        if not self.lines or any(each.holds(self.day) for each in (span, *spans)):
            return Counter()
        before = known_parts(self.day, self.lines, spans, told, self._name)
        parts = [part_of(self.day, span, self._told), *before]
        try:
            return most([part for part in parts if part.counts])
        except TooManyParts:
            raise Refused([_TOO_MANY]) from None


def _cents(movement: Movement | KnownLine) -> Hashable:
    return movement.cents


def _words(movement: Movement | KnownLine) -> Hashable:
    return movement.cents, movement.label, movement.reference


def _movement(line: KnownLine) -> Movement:
    return Movement(line.booked_on, line.value_on, line.cents, line.label, line.reference)
