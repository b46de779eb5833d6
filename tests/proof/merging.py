"""Two codes of one household in the machine's town become one, and two again: on the portal, and in
the books."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kiosque.db.models import Family, FamilyMerge
from kiosque.payments import Refused
from kiosque.privacy import merging
from tests.proof.books import Bill, Books, Debit, Opened
from tests.proof.stage import dump
from tests.proof.steps.common import unasked

if TYPE_CHECKING:
    from tests.proof.machine import Town

WHO = ("Dominique", "chargée deux fois")
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Merge:
    """Hold what followed a family into another, which may be given back for a time."""

    kept: str
    gone: str
    moved: list[Bill | Opened | Debit]
    at: datetime


def merge(town: "Town", kept: str, gone: str) -> None:
    """Refused exactly while the bank has to do with either, or one is put away already."""
    books = town.books
    awaited = {each.reference for each in books.orders.values() if each.is_undecided()}
    asked = books.orders.keys() - unasked()
    possible = kept != gone and not town.merges and not awaited | asked
    before = dump()
    try:
        merging.merge(_family(kept), _family(gone), *WHO)
    except Refused:
        assert not possible
        assert dump() == before
        return
    assert possible, "merged while the bank has something to say"
    moved = [each for each in _owned(books) if each.family == gone]
    for each in moved:
        each.family = kept
    town.merges.append(Merge(kept, gone, moved, town.clock.at))


def undo(town: "Town") -> None:
    """Refused exactly once money of one is for an invoice of the other, or after thirty days."""
    done = town.merges[-1]
    for each in done.moved:
        each.family = done.gone
    possible = town.clock.at < done.at + KEPT and not _are_mixed(town.books)
    before = dump()
    try:
        merging.undo(FamilyMerge.select().order_by(FamilyMerge.id.desc()).get())
    except Refused:
        assert not possible
        assert dump() == before
        for each in done.moved:
            each.family = done.kept
        return
    assert possible, "made two again over money of both"
    town.merges.pop()


def _family(code: str) -> Family:
    found = Family.get(Family.code == code)
    assert isinstance(found, Family)
    return found


def _owned(books: Books) -> list[Bill | Opened | Debit]:
    debits = [debit for together in books.payments() for debit in together]
    return [*books.bills.values(), *books.orders.values(), *debits]


def _are_mixed(books: Books) -> bool:
    """Tell whether a payment is of one family, and for an invoice of another."""
    pairs = [(order, books.bills[n]) for order in books.orders.values() for n in order.items]
    pairs += [(part.debit, books.bills[part.number]) for part in books.parts if part.number]
    online = [debit for order in books.orders.values() for debit in order.debits.values()]
    pairs += [(debit, debit.owner) for debit in online]
    pairs += [(debit, books.bills[debit.note]) for debit in books.counter if debit.note]
    return any(one.family != other.family for one, other in pairs)
