"""A line to explain, and a candidate for it."""

from datetime import date
from typing import NamedTuple

from kiosque.db.statement_words import MatchRule
from kiosque.statements.money import Key, Money


class Open(NamedTuple):
    """A line of a statement, of which `cents` are to be explained."""

    id: int
    booked_on: date
    cents: int
    label: str
    reference: str


class Explanation(NamedTuple):
    """A candidate for a line: money whose sum, less the `fee_cents` that the bank kept, is the
    line's amount."""

    rule: MatchRule
    money: tuple[Money, ...]
    fee_cents: int = 0

    @property
    def cents(self) -> int:
        return sum(each.cents for each in self.money) - self.fee_cents

    @property
    def keys(self) -> tuple[Key, ...]:
        """Name its money, in a fixed order."""
        if len(self.money) == 1:
            return (self.money[0].key,)
        return tuple(sorted(each.key for each in self.money))
