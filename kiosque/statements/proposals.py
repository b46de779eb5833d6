"""Proposals for a line that no rule explains without doubt: a person chooses one of them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from kiosque.db.statement_words import MatchKind, MatchRule
from kiosque.language.formats import counted, format_euros, short_date
from kiosque.statements import workdays
from kiosque.statements.explanations import Explanation, Open
from kiosque.statements.remittances import Groups, is_near
from kiosque.statements.rules import Numbered, Referenced
from kiosque.statements.unexplained_money import Remitted, UnexplainedMoney, invoices_of

#: Working days between a payment and a line of its amount.
_NEAR = 3
#: The bank's fees are less than this fraction of a remittance.
_MOST_FEES = 0.03
#: Most proposals shown for a line.
_SHOWN = 6


@dataclass(frozen=True)
class Proposal:
    """Something that may explain a line; `key` identifies it, `words` say it in French."""

    key: str
    words: str
    explanation: Explanation


class Proposals:
    """Propose money that may explain lines of a *régie*."""

    def __init__(self, money: Sequence[UnexplainedMoney], remitted: Sequence[Remitted]) -> None:
        self._money = money
        self._referenced = Referenced(money)
        self._groups = Groups(money, remitted, set())
        self._numbered = Numbered(money, invoices_of(money), set())

    def of(self, line: Open) -> list[Proposal]:
        found: dict[str, Proposal] = {}
        for each in self._explanations(line):
            found.setdefault(_key(each), Proposal(_key(each), _words(each), each))
        return [*found.values()][:_SHOWN]

    def _explanations(self, line: Open) -> Iterator[Explanation]:
        for money in self._referenced.of(line):
            yield Explanation(MatchRule.REFERENCE, (money,))
        yield from self._groups.around(line)
        for money in self._numbered.of(line):
            yield Explanation(MatchRule.NUMBER, (money,))
        for money in self._numbered.of_deposit(line):
            yield Explanation(MatchRule.DEPOSIT, (money,))
        yield from self._near_amount(line)
        yield from self._less_fees(line)

    def _near_amount(self, line: Open) -> Iterator[Explanation]:
        for each in self._money:
            same = each.cents == line.cents and each.kind != MatchKind.DEPOSIT
            if same and workdays.between(each.on, line.booked_on) <= _NEAR:
                yield Explanation(MatchRule.AMOUNT, (each,))

    def _less_fees(self, line: Open) -> Iterator[Explanation]:
        """Yield the remittances from which the bank seems to have kept fees without saying so."""
        for day, each in self._groups.all:
            fees = each.cents - line.cents
            may_be = each.fee_cents == 0 and 0 < fees < each.cents * _MOST_FEES
            if may_be and is_near(day, line.booked_on):
                yield Explanation(each.rule, each.money, fees)


def _key(found: Explanation) -> str:
    """Return the key of what would be matched, whichever rule found it."""
    parts = [f"{each.kind}:{each.id}" for each in found.money]
    return hashlib.sha256(f"{parts} {found.fee_cents}".encode()).hexdigest()[:20]


def _words(found: Explanation) -> str:
    fees = f", moins {format_euros(found.fee_cents)} de frais" if found.fee_cents else ""
    if len(found.money) > 1:
        days = sorted({each.on for each in found.money})
        gross = format_euros(sum(each.cents for each in found.money))
        return f"{counted(len(found.money), 'paiement')} {_when(days)}, {gross}{fees}"
    return f"{name_of(found.money[0])}{fees}"


def name_of(money: UnexplainedMoney) -> str:
    """Say which money it is, in French."""
    names = (*money.numbers, *money.names[:1])
    which = f" {names[0]}" if names else ""
    what = {
        MatchKind.SETTLEMENT: "paiement", MatchKind.REPAYMENT: "remboursement",
        MatchKind.DEPOSIT: "versement",
    }[money.kind]  # fmt: skip
    return f"{what}{which} du {short_date(money.on)}, {format_euros(money.cents)}"


def _when(days: Sequence[date]) -> str:
    if len(days) == 1:
        return f"du {short_date(days[0])}"
    return f"du {short_date(days[0])} au {short_date(days[-1])}"
