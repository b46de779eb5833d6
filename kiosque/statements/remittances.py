"""Money that the bank pays in one sum: by remittance, or by day."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, timedelta
from typing import TypeVar

from kiosque.db.statement_words import MatchRule
from kiosque.statements.explanations import Explanation, Open
from kiosque.statements.unexplained_money import Key, Remitted, UnexplainedMoney, in_order

#: Days within which the bank pays a remittance.
LONGEST = timedelta(days=7)

Item = TypeVar("Item", UnexplainedMoney, Remitted)


class Groups:
    """Money that the bank pays in one sum: a remittance as the journal tells it, or a day of a
    gateway if no journal tells."""

    def __init__(
        self,
        money: Sequence[UnexplainedMoney],
        remitted: Iterable[Remitted],
        used: Set[UnexplainedMoney],
    ) -> None:
        self._used = used
        self._by_cents: Mapping[int, list[tuple[date, Explanation]]] = defaultdict(list)
        self.all: list[tuple[date, Explanation]] = []
        told = {each.key: each for each in money}
        known: set[Key | None] = set()
        for day, operations in _remittances(remitted):
            known.update(each.key for each in operations)
            for some in _sides(operations):
                self._add(day, _explained(some, told))
        for day, of_day in _days(money, known):
            self._add(day, [Explanation(MatchRule.DAY, in_order(of_day))])

    def around(self, line: Open) -> list[Explanation]:
        """Return those of the amount of a line, remitted some days before it."""
        return [
            each
            for day, each in self._by_cents.get(line.cents, ())
            if is_near(day, line.booked_on) and self._used.isdisjoint(each.money)
        ]

    def _add(self, day: date, explanations: Iterable[Explanation]) -> None:
        for each in explanations:
            self._by_cents[each.cents].append((day, each))
            self.all.append((day, each))


def is_near(remitted_on: date, booked_on: date) -> bool:
    return remitted_on <= booked_on <= remitted_on + LONGEST


def _remittances(remitted: Iterable[Remitted]) -> Iterator[tuple[date, list[Remitted]]]:
    """Give the operations of each remittance, and those of each day that had several."""
    by_number: Mapping[Hashable, list[Remitted]] = defaultdict(list)
    by_day: Mapping[tuple[str, date], list[Remitted]] = defaultdict(list)
    for each in remitted:
        by_day[each.gateway, each.remitted_on].append(each)
        if each.remittance:
            by_number[each.gateway, each.remitted_on, each.remittance].append(each)
    for operations in by_number.values():
        yield operations[0].remitted_on, operations
    for (_gateway, day), operations in by_day.items():
        if len({each.remittance for each in operations}) > 1 or not operations[0].remittance:
            yield day, operations


def _explained(
    operations: Sequence[Remitted], told: Mapping[Key, UnexplainedMoney]
) -> Iterator[Explanation]:
    """Yield what explains a remittance before fees, and after fees if the journal tells them;
    nothing if one of its operations is not known here."""
    money = [told.get(each.key) if each.key else None for each in operations]
    whole = in_order(each for each in money if each is not None)
    if len(whole) < len(money):
        return
    yield Explanation(MatchRule.REMITTANCE, whole)
    fees = [each.fee_cents for each in operations if each.fee_cents is not None]
    kept = sum(fees)
    if len(fees) == len(operations) and kept:
        yield Explanation(MatchRule.REMITTANCE, whole, kept)


def _days(
    money: Iterable[UnexplainedMoney], known: Collection[Key | None]
) -> Iterator[tuple[date, list[UnexplainedMoney]]]:
    """Yield the money of each day of a gateway that no journal tells of."""
    by_day: Mapping[Hashable, list[UnexplainedMoney]] = defaultdict(list)
    for each in money:
        if each.gateway:
            by_day[each.gateway, each.on].append(each)
    for of_day in by_day.values():
        if not any(each.key in known for each in of_day):
            for some in _sides(of_day):
                yield of_day[0].on, list(some)


def _sides(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield all the items together, then what enters the account and what leaves it separately,
    since some banks pay so."""
    yield items
    entering = [each for each in items if each.cents > 0]
    if 0 < len(entering) < len(items):
        yield entering
        yield [each for each in items if each.cents < 0]
