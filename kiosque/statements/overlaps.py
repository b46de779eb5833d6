"""Tell which movements of a file are new: the others were in a file loaded before.

Nothing names a movement: two that are the same, of one day, are two. So they are counted, by day.
Files that overlap say the same ones, and the more of the two counts is right. But where one file
ends within a day and another begins there, with the balance that the first ends with, they say
different ones, and the sum is right. A day that both files hold whole has the same movements in
both, else one of the two is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from kiosque.statements.records import Movement


class Line(NamedTuple):
    """A movement that was in a file loaded before: which statement brought it, of which kind."""

    booked_on: date
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
    """The movements to add, each with its rank among those that are the same; and the days that
    the files contradict each other about."""

    added: list[tuple[Movement, int]] = field(default_factory=list)
    known: int = 0
    contradicted: list[date] = field(default_factory=list)


def new_of(
    span: Span,
    movements: Sequence[Movement],
    kind: str,
    lines: Iterable[Line],
    spans: Sequence[Span],
) -> Found:
    """Compare a file's statement, whose days and balances are `span`, with what was loaded of the
    same account: `lines` of the same days, `spans` that touch them."""
    by_day: Mapping[date, list[Movement]] = defaultdict(list)
    known: Mapping[date, list[Line]] = defaultdict(list)
    for movement in movements:
        by_day[movement.booked_on].append(movement)
    for line in lines:
        known[line.booked_on].append(line)
    found = Found()
    for day in sorted({*by_day, *(day for day in known if span.holds(day))}):
        told = _Day(day, by_day.get(day, []), known.get(day, []), kind)
        if told.is_contradicted(span, spans):
            found.contradicted.append(day)
        added = list(told.added(_consecutive(day, span, spans)))
        found.added += added
        found.known += len(told.movements) - len(added)
    return found


class _Day:
    """A day in a file, and in those loaded before. Another kind of file says the same movements in
    other words: they are compared by their amounts."""

    def __init__(self, day: date, movements: list[Movement], lines: list[Line], kind: str) -> None:
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

    def added(self, consecutive: set[int]) -> Iterator[tuple[Movement, int]]:
        """Yield the last of those that are the same, so many as there are more of now."""
        apart = Counter(self._name(line) for line in self.lines if line.statement_id in consecutive)
        old = {name: self._held[name] - apart[name] for name in self._told}
        ranks = Counter(map(_words, self.lines))
        for movement in self.movements:
            name = self._name(movement)
            if old[name] > 0:
                old[name] -= 1
            else:
                words = _words(movement)
                ranks[words] += 1
                yield movement, ranks[words]


def _cents(movement: Movement | Line) -> Hashable:
    return movement.cents


def _words(movement: Movement | Line) -> Hashable:
    return movement.cents, movement.label, movement.reference


def _consecutive(day: date, span: Span, spans: Sequence[Span]) -> set[int]:
    """Return the statements that a chain joins to the span within this day: each ends with the
    balance that the next begins with, before the span or after it."""
    return _chain(day, span, spans, forwards=False) | _chain(day, span, spans, forwards=True)


def _chain(day: date, span: Span, spans: Sequence[Span], *, forwards: bool) -> set[int]:
    found: set[int] = set()
    ends = [span]
    while ends:
        end = ends.pop()
        for each in spans:
            before, after = (end, each) if forwards else (each, end)
            if each.id not in found and _meet(day, before, after):
                found.add(each.id)
                ends.append(each)
    return found


def _meet(day: date, before: Span, after: Span) -> bool:
    return (
        before.closed_on == after.opened_on == day
        and before.closing_cents is not None
        and before.closing_cents == after.opening_cents
    )
