"""The rules that match a line of a statement without a person, when there is no doubt.

A rule gives the candidates of each line, exact to the cent. A line is matched if it has one
candidate, which no other line has. So are several lines that share the same candidates, if there
are as many candidates as lines.
"""

import re
from collections import defaultdict
from collections.abc import (
    Callable,
    Generator,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set,
)
from functools import cache
from itertools import chain

from kiosque.db.statement_words import MatchKind, MatchRule
from kiosque.payments.orders import REFERENCE
from kiosque.statements.explanations import Candidate, Explanation, Open, explained, money_of
from kiosque.statements.remittances import Groups
from kiosque.statements.unexplained_money import Remitted, UnexplainedMoney

#: A number of fewer characters may be anything, since labels are full of numbers; but a receipt's
#: is recognisable.
_FEWEST_SIGNS = 6
_WORD = re.compile(r"[0-9A-Z]++(?:-[0-9A-Z]++)*+", re.ASCII)
#: Our reference in a text in capitals, maybe without a space before or after it.
_REFERENCE = re.compile(REFERENCE.pattern.upper(), re.ASCII)
_RECEIPT = re.compile(r"R[0-9]+(-[0-9A-Z]+)?", re.ASCII)
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])", re.ASCII)


def find(
    lines: Sequence[Open],
    money: Sequence[UnexplainedMoney],
    remitted: Iterable[Remitted],
    invoices: Callable[[], Mapping[int, list[str]]],
) -> Iterator[tuple[Open, Explanation]]:
    """Yield each line that is explained, rule after rule, with its explanation. `invoices` returns
    the numbers of the invoices of payments, for the lines that need them.

    Once some money of a day is used, what remains of that day may explain another line: so repeat
    until nothing is found. Calling this again then finds nothing more."""
    told, known = list(remitted), cache(invoices)
    while lines:
        used: set[UnexplainedMoney] = set()
        left = yield from _find(lines, money, told, known, used)
        if len(left) == len(lines):
            return
        lines = left
        money = [each for each in money if each not in used] if lines else []


def _find(
    lines: Sequence[Open],
    money: Sequence[UnexplainedMoney],
    remitted: Iterable[Remitted],
    invoices: Callable[[], Mapping[int, list[str]]],
    used: set[UnexplainedMoney],
) -> Generator[tuple[Open, Explanation], None, Sequence[Open]]:
    """Yield what each rule explains, and mark its money as used; return the lines left."""
    lines = yield from _apply(MatchRule.REFERENCE, Referenced(money).of, lines, used)
    if not lines:
        return lines
    groups, numbered = Groups(money, remitted, used), Numbered(money, invoices(), used)

    def by_sum_or_number(line: Open) -> list[Candidate]:
        return [*groups.around(line), *numbered.of(line)]

    lines = yield from _apply(MatchRule.NUMBER, by_sum_or_number, lines, used)
    return (yield from _apply(MatchRule.DEPOSIT, numbered.of_deposit, lines, used))


def _apply(
    name: MatchRule,
    rule: Callable[[Open], Sequence[Candidate]],
    lines: Sequence[Open],
    used: set[UnexplainedMoney],
) -> Generator[tuple[Open, Explanation], None, Sequence[Open]]:
    """Yield what one rule explains; return the lines that it leaves."""
    done: set[Open] = set()
    for line, found in _sure(rule, lines):
        explanation = explained(name, found)
        done.add(line)
        used.update(explanation.money)
        yield line, explanation
    return [line for line in lines if line not in done]


def _sure(
    rule: Callable[[Open], Sequence[Candidate]], lines: Iterable[Open]
) -> Iterator[tuple[Open, Candidate]]:
    """Yield what a rule explains without doubt: as many lines as candidates for the same money,
    which no other line claims."""
    #: Most lines claim one thing, by the thousands; None where several claim the same.
    alone: dict[Candidate, Open | None] = {}
    several: dict[
        tuple[tuple[UnexplainedMoney, ...], ...], list[tuple[Open, Sequence[Candidate]]]
    ] = {}
    for line in lines:
        found = rule(line)
        claimed = distinct(found) if len(found) > 1 else found
        if len(claimed) == 1:
            alone[claimed[0]] = None if claimed[0] in alone else line
        elif claimed:
            claim = tuple([money_of(each) for each in claimed])
            several.setdefault(claim, []).append((line, claimed))
    disputed = _repeated(chain(map(money_of, alone), *several))
    for candidate, of in alone.items():
        if of and disputed.isdisjoint(money_of(candidate)):
            yield of, candidate
    for claim, same in several.items():
        if len(same) == len(claim) and all(map(disputed.isdisjoint, claim)):
            for place, (line, claimed) in enumerate(same):
                yield line, claimed[place]


def _repeated(claims: Iterable[tuple[UnexplainedMoney, ...]]) -> set[UnexplainedMoney]:
    """Return what more than one of these claims."""
    seen: set[UnexplainedMoney] = set()
    found: set[UnexplainedMoney] = set()
    for money in claims:
        for each in money:
            (found if each in seen else seen).add(each)
    return found


def distinct(found: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates in a fixed order, only one for the same money."""
    by_money: dict[tuple[UnexplainedMoney, ...], Candidate] = {}
    for each in found:
        by_money.setdefault(money_of(each), each)
    return [by_money[it] for it in sorted(by_money, key=lambda it: [each.key for each in it])]


class Referenced:
    """Money by our reference, and by the bank's name of it."""

    def __init__(self, money: Iterable[UnexplainedMoney]) -> None:
        self._known: dict[str, UnexplainedMoney] = {}
        #: Money whose name other money has already.
        self._others: Mapping[str, list[UnexplainedMoney]] = defaultdict(list)
        for each in money:
            for name in each.names:
                if len(name) >= _FEWEST_SIGNS:
                    word = name.upper()
                    if self._known.setdefault(word, each) is not each:
                        self._others[word].append(each)

    def of(self, line: Open) -> list[UnexplainedMoney]:
        text, known = f"{line.label} {line.reference}".upper(), self._known
        words = {*_WORD.findall(text), *_REFERENCE.findall(text)}
        named = [known[word] for word in words if word in known]
        if self._others:
            named += [each for word in words for each in self._others.get(word, ())]
        return [each for each in named if each.cents == line.cents]


class Numbered:
    """Money by the numbers of its receipt and invoices; deposits, which have no other name."""

    def __init__(
        self,
        money: Iterable[UnexplainedMoney],
        invoices: Mapping[int, list[str]],
        used: Set[UnexplainedMoney],
    ) -> None:
        self._used = used
        self._known: Mapping[Hashable, list[UnexplainedMoney]] = defaultdict(list)
        self._deposits: Mapping[int, list[UnexplainedMoney]] = defaultdict(list)
        for each in money:
            of_invoices = invoices.get(each.id, ()) if each.kind == MatchKind.SETTLEMENT else ()
            for name in {*map(_normal, (*each.numbers, *of_invoices))}:
                if len(name) >= _FEWEST_SIGNS or _RECEIPT.fullmatch(name):
                    self._known[name, each.cents].append(each)
            if each.kind == MatchKind.DEPOSIT:
                self._deposits[each.cents].append(each)

    def of(self, line: Open) -> list[UnexplainedMoney]:
        words = {*map(_normal, _WORD.findall(f"{line.label} {line.reference}".upper()))}
        return [
            each
            for word in words
            for each in self._known.get((word, line.cents), ())
            if each not in self._used
        ]

    def of_deposit(self, line: Open) -> list[UnexplainedMoney]:
        return [
            each
            for each in self._deposits.get(line.cents, ())
            if each not in self._used and each.on <= line.booked_on
        ]


def _normal(name: str) -> str:
    """Normalise a number as banks may change it: in capitals, without leading zeros."""
    return _ZEROS.sub("", name.upper())
