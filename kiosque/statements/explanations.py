"""A line to explain, and a candidate for it."""

from dataclasses import dataclass
from datetime import date

from kiosque.db.statement_words import MatchRule
from kiosque.statements.unexplained_money import UnexplainedMoney


@dataclass(slots=True, eq=False)
class Open:
    """A line of a statement, with the `cents` that are still to be explained."""

    id: int
    booked_on: date
    cents: int
    label: str
    reference: str


@dataclass(slots=True, eq=False)
class Explanation:
    """A candidate for a line: money, in the order of `key`, whose sum, less the `fee_cents` that
    the bank kept, is the line's amount."""

    rule: MatchRule
    money: tuple[UnexplainedMoney, ...]
    fee_cents: int = 0

    @property
    def cents(self) -> int:
        return sum(each.cents for each in self.money) - self.fee_cents


#: What may explain a line: one item of money, or an explanation made of several.
Candidate = UnexplainedMoney | Explanation


def money_of(candidate: Candidate) -> tuple[UnexplainedMoney, ...]:
    return (candidate,) if isinstance(candidate, UnexplainedMoney) else candidate.money


def explained(rule: MatchRule, candidate: Candidate) -> Explanation:
    """Return a candidate as an explanation; if it is one item of money, attribute it to this
    rule."""
    return Explanation(rule, (candidate,)) if isinstance(candidate, UnexplainedMoney) else candidate
