"""The account of a régie at the bank, as the proof keeps it: what moved on it, in order, the files
that tell of it, and what each line must be of. It shares no rule with `kiosque`.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tests.proof.bank import EURO, STANDING
from tests.proof.stage import GATEWAYS

if TYPE_CHECKING:
    from tests.proof.machine import Town

OPENING = 10_000
FEE, STRANGER = -103, 1_000_003
#: What the bank keeps of each payment that it remits net.
KEPT = 10
#: Lines that no money of ours explains: only a person does.
NOBODYS = ("COMMISSION CB", "VIR TIERS")
#: The portal looks no further back for what a line may be of; half of it is far from the limit.
RECENT = timedelta(days=60)
#: What explains a line, or a part of it: its kind, which payment or deposit, the cents.
Key = tuple[str, str, int]


class Moved(NamedTuple):
    """A movement of the account, as the bank writes it."""

    on: date
    cents: int
    label: str
    reference: str


class Owed(NamedTuple):
    """A debit or a credit of the bank's that has not moved yet: its order's reference and, of a
    credit too, the name of the debit."""

    uuid: str
    cents: int
    order: str
    debit: str


class Money(NamedTuple):
    """Money of the books, and the names that a line may call it by."""

    key: Key
    names: frozenset[str]


@dataclass
class Line:
    """A movement that the portal knows of, and what explains it; `row`, as it was loaded. `touched`
    once a match of it was undone: it is a person's from then on."""

    moved: Moved
    row: tuple[object, ...]
    parts: list[Key] = field(default_factory=list)
    touched: bool = False

    @property
    def left(self) -> int:
        return self.moved.cents - sum(cents for _kind, _name, cents in self.parts)


@dataclass
class Account:
    """`told` is how many of its movements files have told, and `since` the first of them; `done`
    names what has moved."""

    regie: str
    movements: list[Moved] = field(default_factory=list)
    told: int = 0
    since: int = sys.maxsize
    done: set[str] = field(default_factory=set)
    lines: dict[int, Line] = field(default_factory=dict)
    files: int = 0

    # --- What moves ---

    def grow(self, town: "Town", what: Sequence[int]) -> list[Owed]:
        """Add a movement for each number, which says of what. Return the payments of which the
        bank's journal tells what it kept, remitted net."""
        remitted: list[Owed] = []
        for number in what:
            kind, which = KINDS[number % len(KINDS)], number // len(KINDS)
            owed = list(self._owed(town))
            if kind == "remittance" and not remitted:
                remitted = [each for each in owed if each.cents > 0]
                net = sum(each.cents - KEPT for each in remitted)
                self._move(town, net, "REMISE CB NETTE", remitted)
            elif kind == "day":
                self._move(town, sum(each.cents for each in owed), "REMISE CB", owed)
            elif kind in ("ours", "bank's", "cent off") and owed:
                self._move_one(town, kind, owed[which % len(owed)])
            elif kind == "paid over":
                self._pay_over(town, which)
            elif kind == "again" and self.movements:
                last = self.movements[-1]
                self._move(town, last.cents, last.label, (), last.reference)
            elif kind == "stranger":
                self._move(town, STRANGER, NOBODYS[1])
            elif kind == "fee":
                self._move(town, FEE, NOBODYS[0])
        return remitted

    def _move_one(self, town: "Town", kind: str, owed: Owed) -> None:
        if kind == "bank's":
            self._move(town, owed.cents, "CARTE", (owed,), owed.debit)
        else:
            self._move(town, owed.cents - (kind == "cent off"), f"VIR {owed.order}", (owed,))

    def _pay_over(self, town: "Town", which: int) -> None:
        due = [each for each in town.deposits[self.regie] if each[1] not in self.done and each[2]]
        if due:
            _kind, name, cents = due[which % len(due)]
            self.done.add(name)
            self._move(town, cents, "VIREMENT TRESOR")

    def _move(
        self,
        town: "Town",
        cents: int,
        label: str,
        owed: Sequence[Owed] = (),
        reference: str = "",
    ) -> None:
        if cents:  # a day that comes to nothing is no movement
            on = max([town.clock.at.date(), *(each.on for each in self.movements[-1:])])
            self.movements.append(Moved(on, cents, label, reference))
            self.done.update(each.uuid for each in owed)

    def _owed(self, town: "Town") -> Iterator[Owed]:
        """Give what the bank has to move, of orders that are not old."""
        for reference, account in town.bank.accounts.items():
            order = town.books.orders[reference]
            old = order.started_at < town.clock.at - RECENT
            for each in () if old or order.regie != self.regie else account.transactions.values():
                if each.status in STANDING and each.currency == EURO and each.uuid not in self.done:
                    debit = (each.parent or each.uuid).removeprefix(f"{GATEWAYS[self.regie]}:")
                    cents = each.cents if each.operation == "DEBIT" else -each.cents
                    yield Owed(each.uuid, cents, reference, debit)

    # --- What files tell ---

    def spans(self, how: str, which: int) -> list[tuple[int, int]]:
        """Return the first movement of each file, and that after its last."""
        first, last = self.told, len(self.movements)
        cut = first + 1 + which % max(last - first - 1, 1)
        within = bool(first) and self.movements[first - 1].on == self.movements[first].on
        if how == "overlap" and not within:
            ends = [
                at for at in range(1, first) if self.movements[at - 1].on < self.movements[at].on
            ]
            return [(([0, *ends])[which % (len(ends) + 1)], last)]
        if how in ("split", "backwards") and cut < last:
            parts = [(first, cut), (cut, last)]
            return parts if how == "split" or within else parts[::-1]
        return [(first, last)] * (2 if how == "twice" else 1)

    def balance(self, place: int) -> int:
        return OPENING + sum(each.cents for each in self.movements[:place])

    # --- What each line must be of ---

    def money(self, town: "Town") -> list[Money]:
        """Return the money of the books that no line is of."""
        used = Counter(part for line in self.lines.values() for part in line.parts)
        found = []
        for each in _money(town, self.regie):
            if used[each.key] > 0:
                used[each.key] -= 1
            else:
                found.append(each)
        return found

    def named(self, town: "Town") -> list[tuple[list[int], list[Key], bool]]:
        """Return the lines that name money, together where they name the same, with it; and whether
        that is certain: as many lines as there is money, which no other line names."""
        free = self.money(town)
        claims: dict[tuple[int, ...], list[int]] = {}
        for number, line in self.lines.items():
            if line.left and not line.parts and not line.touched:
                words = {*f"{line.moved.label} {line.moved.reference}".split()}
                claim = tuple(
                    place
                    for place, each in enumerate(free)
                    if each.key[2] == line.moved.cents and words & each.names
                )
                claims.setdefault(claim, []).append(number)
        claims.pop((), None)
        claimed = Counter(place for claim in claims for place in claim)
        return [
            (
                lines,
                sorted(free[place].key for place in claim),
                len(claim) == len(lines) and all(claimed[place] == 1 for place in claim),
            )
            for claim, lines in claims.items()
        ]


#: What a movement may be, by the number that is drawn for it.
KINDS = ("ours", "ours", "bank's", "day", "fee", "stranger", "cent off", "paid over", "again",
          "remittance")  # fmt: skip


def _money(town: "Town", regie: str) -> Iterator[Money]:
    yield from (Money(each, frozenset()) for each in town.deposits[regie])
    for together in town.books.payments():
        for debit in together:
            if debit.note or town.books.regie_of(debit) != regie:
                continue
            own = {debit.owner.reference, debit.name.partition(":")[2]} if debit.owner else ()
            names = frozenset(own)
            # What the bank undid never came.
            if all(each.way != "reversal" for each in debit.leavings):
                yield Money(("settlement", debit.name, debit.cents), names)
            for leaving in debit.leavings:
                if leaving.way != "reversal":
                    yield Money(("repayment", debit.name, -leaving.cents), names)
