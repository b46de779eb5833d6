"""Where statements end and others begin: nothing is missing if the balances meet,
and if they tell whole the day that they cut."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import NamedTuple

from kiosque.db.models import StatementLine, ToldLine
from kiosque.db.prepared import PreparedQuery
from kiosque.statements import loading, workdays
from kiosque.statements.cut_days import DayPart, Span, is_whole
from kiosque.statements.overlaps import known_parts, naming


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
        until = following.opened_on
        openings, ends = self._openings(until), {each.closing_cents for each in self._closed[since]}
        if following.opening_cents is None or None in ends:
            met, is_proved = openings, not workdays.between(since, until)
            is_cut = False
        else:
            is_cut = len(ends) > 1 or len(self._openings(since)) > 1 or since in self._repeated
            met = {
                each for each in openings
                if (self._leads(since, until, each) if is_cut else each in ends)
            }  # fmt: skip
            is_proved = bool(met)
        if since < until:
            self._entered = until, met if is_proved else set()
        return Jump(since, until, is_cut or since == until, is_proved)

    @cached_property
    def _repeated(self) -> set[date]:
        """The days of which several statements tell lines."""
        return {on for (on,) in _REPEATED.rows(regie=self._regie)}

    def _openings(self, day: date) -> set[int]:
        openings = (each.opening_cents for each in self._opened[day])
        return {each for each in openings if each is not None}

    def _leads(self, since: date, until: date, cents: int) -> bool:
        """Tell whether statements tell a day whole, up to this balance if it is that of a later
        day."""
        lines = loading.known_lines(self._regie, since, since)
        spans = [
            *self._closed[since],
            *(each for each in self._opened[since] if each.closed_on > since),
        ]
        name = naming([line.kind for line in lines])
        told = loading.told_by([each.id for each in spans])
        parts = [*known_parts(since, lines, spans, told, name), *self._edges(since, until, cents)]
        return is_whole(parts, Counter(map(name, lines)))

    def _edges(self, since: date, until: date, cents: int) -> Iterator[DayPart]:
        """Yield the balances known of the start of the day and of its end, as parts that move
        nothing."""
        if self._entered and self._entered[0] == since:
            for each in self._entered[1]:
                yield DayPart(True, False, (each, each), Counter())
        if since < until:
            yield DayPart(False, True, (cents, cents), Counter())


_REPEATED = PreparedQuery(
    lambda regie: (
        StatementLine.select(StatementLine.booked_on)
        .join(ToldLine)
        .where(StatementLine.regie == regie)
        .distinct()
    )
)
