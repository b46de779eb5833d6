"""The rules that match a line of a statement without a person, where nothing leaves a doubt.

A rule gives the candidates of each line, exact to the cent. A line with one candidate, which no
other line has, is matched; so are several lines that have the same candidates, as many as they are.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain

from kiosque.db.statement_words import MatchKind, MatchRule
from kiosque.payments.orders import REFERENCE
from kiosque.statements.explanations import Explanation, Open
from kiosque.statements.money import Key, Money, Remitted
from kiosque.statements.remittances import Groups

#: A number of fewer signs may be anything: a label is full of them. A receipt's says what it is.
_FEWEST_SIGNS = 6
_WORD = re.compile(r"[0-9A-Z]+(?:-[0-9A-Z]+)*", re.ASCII)
_RECEIPT = re.compile(r"R[0-9]+(-[0-9A-Z]+)?", re.ASCII)
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])", re.ASCII)


def find(
    lines: Sequence[Open],
    money: Sequence[Money],
    remitted: Iterable[Remitted],
    invoices: Callable[[], Mapping[int, list[str]]],
) -> Iterator[tuple[Open, Explanation]]:
    """Give each line that is explained, rule after rule, with what explains it. `invoices` returns
    the numbers of the invoices of payments, for the lines that need them.

    What is explained leaves the rest of its day alone, which may explain another line: begin again
    until nothing is found, so that to ask twice finds no more than once."""
    told, known = list(remitted), cache(invoices)
    while lines:
        used: set[Hashable] = set()
        found = list(_find(lines, money, told, known, used))
        if not found:
            return
        yield from found
        done = {line.id for line, _ in found}
        lines = [line for line in lines if line.id not in done]
        money = [each for each in money if each.key not in used] if lines else []


def _find(
    lines: Sequence[Open],
    money: Sequence[Money],
    remitted: Iterable[Remitted],
    invoices: Callable[[], Mapping[int, list[str]]],
    used: set[Hashable],
) -> Iterator[tuple[Open, Explanation]]:
    referenced = Referenced(money, used)
    lines, found = _apply(referenced.of, lines, used)
    yield from found
    if not lines:
        return
    groups, numbered = Groups(money, remitted, used), Numbered(money, invoices(), used)
    lines, found = _apply(lambda line: groups.around(line) + numbered.of(line), lines, used)
    yield from found
    yield from _apply(numbered.of_deposit, lines, used)[1]


def _apply(
    rule: Callable[[Open], list[Explanation]], lines: Sequence[Open], used: set[Hashable]
) -> tuple[list[Open], list[tuple[Open, Explanation]]]:
    """Return the lines that a rule leaves, and what it explains, whose money is used from now."""
    found = list(_sure((line, rule(line)) for line in lines))
    done = {line.id for line, _ in found}
    used.update(key for _, each in found for key in each.keys)
    return [line for line in lines if line.id not in done], found


def _sure(
    claims: Iterable[tuple[Open, list[Explanation]]],
) -> Iterator[tuple[Open, Explanation]]:
    """Give the claims that leave no doubt: as many lines as explanations, all of the same money,
    which no other line claims."""
    #: Most lines claim one thing, by the thousands; None where several claim the same.
    alone: dict[tuple[Key, ...], tuple[Open, Explanation] | None] = {}
    several: dict[tuple[tuple[Key, ...], ...], list[tuple[Open, list[Explanation]]]] = {}
    for line, found in claims:
        by_money = distinct(found) if len(found) > 1 else found
        if len(by_money) == 1:
            keys = by_money[0].keys
            alone[keys] = None if keys in alone else (line, by_money[0])
        elif by_money:
            claim = tuple([each.keys for each in by_money])
            several.setdefault(claim, []).append((line, by_money))
    disputed = _repeated(chain(alone, *several))
    for keys, claimed in alone.items():
        if claimed and disputed.isdisjoint(keys):
            yield claimed
    for claim, same in several.items():
        if len(same) == len(claim) and all(map(disputed.isdisjoint, claim)):
            for place, (line, found) in enumerate(same):
                yield line, found[place]


def _repeated(claims: Iterable[tuple[Key, ...]]) -> set[Key]:
    """Return what more than one of these claims."""
    seen: set[Key] = set()
    found: set[Key] = set()
    for keys in claims:
        for key in keys:
            (found if key in seen else seen).add(key)
    return found


def distinct(found: Iterable[Explanation]) -> list[Explanation]:
    """Return explanations in a fixed order, one of those of the same money."""
    by_money: dict[tuple[Key, ...], Explanation] = {}
    for each in found:
        by_money.setdefault(each.keys, each)
    return [by_money[keys] for keys in sorted(by_money)]


class Referenced:
    """Money by our reference, and by the bank's name of it."""

    def __init__(self, money: Iterable[Money], used: Collection[Hashable]) -> None:
        self._used = used
        self._known: dict[str, Money] = {}
        #: The money of a name that other money has already.
        self._others: Mapping[str, list[Money]] = defaultdict(list)
        for each in money:
            for name in each.names:
                if len(name) >= _FEWEST_SIGNS:
                    word = name.upper()
                    if self._known.setdefault(word, each) is not each:
                        self._others[word].append(each)

    def of(self, line: Open) -> list[Explanation]:
        text = f"{line.label} {line.reference}".upper()
        # Our reference may be joined to what stands beside.
        words = {*_WORD.findall(text), *REFERENCE.findall(text)}
        named = [self._known[word] for word in words if word in self._known]
        if self._others:
            named += [each for word in words for each in self._others.get(word, ())]
        return [
            Explanation(MatchRule.REFERENCE, (each,))
            for each in named
            if each.cents == line.cents and each.key not in self._used
        ]


class Numbered:
    """Money by the numbers of its receipt and invoices; deposits, which have no other name."""

    def __init__(
        self,
        money: Iterable[Money],
        invoices: Mapping[int, list[str]],
        used: Collection[Hashable],
    ) -> None:
        self._used = used
        self._known: Mapping[Hashable, list[Money]] = defaultdict(list)
        self._deposits: Mapping[int, list[Money]] = defaultdict(list)
        for each in money:
            of_invoices = invoices.get(each.id, ()) if each.kind == MatchKind.SETTLEMENT else ()
            for name in {*map(_normal, (*each.numbers, *of_invoices))}:
                if len(name) >= _FEWEST_SIGNS or _RECEIPT.fullmatch(name):
                    self._known[name, each.cents].append(each)
            if each.kind == MatchKind.DEPOSIT:
                self._deposits[each.cents].append(each)

    def of(self, line: Open) -> list[Explanation]:
        words = {*map(_normal, _WORD.findall(f"{line.label} {line.reference}".upper()))}
        return [
            Explanation(MatchRule.NUMBER, (each,))
            for word in words
            for each in self._known.get((word, line.cents), ())
            if each.key not in self._used
        ]

    def of_deposit(self, line: Open) -> list[Explanation]:
        return [
            Explanation(MatchRule.DEPOSIT, (each,))
            for each in self._deposits.get(line.cents, ())
            if each.key not in self._used and each.on <= line.booked_on
        ]


def _normal(name: str) -> str:
    """Write a number as no bank would change it: in capitals, without the zeros it begins with."""
    return _ZEROS.sub("", name.upper())
