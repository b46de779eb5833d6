"""Where statements end and others begin: nothing is missing if the balances meet,
and if they tell whole the day that they cut."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import NamedTuple

from kiosque.db.models import StatementLine, ToldLine
from kiosque.db.prepared import PreparedQuery
from kiosque.statements import loading, workdays
from kiosque.statements.cut_days import DayPart, Span, is_whole
from kiosque.statements.overlaps import KnownLine, known_parts, naming


class Jump(NamedTuple):
    """The time between a statement and the next, which begin or end within `since` if it `is_cut`;
    `is_proved` if nothing is missing."""

    since: date
    until: date
    is_cut: bool
    is_proved: bool


def jumps(regie: str, spans: Sequence[Span]) -> Iterator[Jump]:
    """Yield the time between each statement of a *régie* and the next. They are in the order of
    their days; some may overlap."""
    joints = _Joints(regie, spans)
    reached: date | None = None
    for each in spans:
        if reached is not None and each.opened_on >= reached:
            yield joints.between(reached, each)
        reached = max(reached or each.closed_on, each.closed_on)


class _Joints:
    def __init__(self, regie: str, spans: Sequence[Span]) -> None:
        self._regie = regie
        self._opened: Mapping[date, list[Span]] = defaultdict(list)
        self._closed: Mapping[date, list[Span]] = defaultdict(list)
        for each in spans:
            self._opened[each.opened_on].append(each)
            self._closed[each.closed_on].append(each)
        #: The balances with which the last day that no statement leads to is entered.
        self._entered: tuple[date, set[int]] | None = None

    def between(self, since: date, following: Span) -> Jump:
        until, ends = following.opened_on, self._endings(since)
        is_cut = following.opening_cents is not None and None not in ends and since in self._cut
        if following.opening_cents is None or None in ends:
            met, is_proved = self._openings(until), not workdays.between(since, until)
        else:
            met = self._led_to(since, until) if is_cut else self._openings(until) & ends
            is_proved = bool(met)
        if since < until:
            self._entered = until, met if is_proved else set()
        return Jump(since, until, is_cut or since == until, is_proved)

    def _openings(self, day: date) -> set[int]:
        openings = (each.opening_cents for each in self._opened[day])
        return {each for each in openings if each is not None}

    def _endings(self, day: date) -> set[int | None]:
        return {each.closing_cents for each in self._closed[day]}

    @cached_property
    def _cut(self) -> set[date]:
        """The days that statements cut in several ways, or of which several tell lines."""
        repeated = {on for (on,) in _REPEATED.rows(regie=self._regie)}
        closed = {on for on in self._closed if len(self._endings(on)) > 1}
        return repeated | closed | {on for on in self._opened if len(self._openings(on)) > 1}

    @cached_property
    def _lines(self) -> Mapping[date, list[KnownLine]]:
        """The lines of the days that are cut, read at once."""
        days = StatementLine.booked_on.in_(sorted(self._cut))
        found: Mapping[date, list[KnownLine]] = defaultdict(list)
        for line in loading.known_lines(self._regie, days):
            found[line.booked_on].append(line)
        return found

    @cached_property
    def _told(self) -> Mapping[int, Collection[int]]:
        """The lines that statements repeat, by statement, read at once."""
        return loading.told_by([each.id for day in sorted(self._cut) for each in self._within(day)])

    def _within(self, day: date) -> list[Span]:
        """Return the statements that end or begin within a day."""
        later = [each for each in self._opened[day] if each.closed_on > day]
        return [*self._closed[day], *later]

    def _led_to(self, since: date, until: date) -> set[int]:
        """Return the balances with which statements begin on the day `until`, of those to which the
        day `since`, which is cut, leads if statements tell it whole."""
        openings = self._openings(until)
        if since == until:
            return openings if self._is_whole(since) else set()
        ends = {each: DayPart(False, True, (each, each), Counter()) for each in openings}
        return {each for each, end in ends.items() if self._is_whole(since, end)}

    def _is_whole(self, day: date, *ends: DayPart) -> bool:
        """Tell whether statements tell a day whole, as it was entered and up to these `ends`."""
        lines = self._lines[day]
        name = naming([line.kind for line in lines])
        entered = self._entered[1] if self._entered and self._entered[0] == day else ()
        starts = (DayPart(True, False, (each, each), Counter()) for each in entered)
        parts = known_parts(day, lines, self._within(day), self._told, name)
        return is_whole([*parts, *starts, *ends], Counter(map(name, lines)))


_REPEATED = PreparedQuery(
    lambda regie: (
        StatementLine.select(StatementLine.booked_on)
        .join(ToldLine)
        .where(StatementLine.regie == regie)
        .distinct()
    )
)
