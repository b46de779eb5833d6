"""Find the entry of the journal that a correction reverses, so that the new entry cites it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kiosque.db.models import JournalEntry, Settlement

#: Prefixes of the accounts that money comes from.
_SOURCES = ("bank:", "counter:", "credits")


@dataclass
class Former:
    """An entry about a payment, and how many of its cents no other entry has reversed."""

    number: int
    debit: str
    credit: str
    left_cents: int
    is_meant: bool


def formers(settlement: Settlement, meant: Collection[int] = ()) -> list[Former]:
    """Return the entries about a payment, with what is left of each to reverse, the latest first.
    Those whose number is in `meant` are preferred to similar ones."""
    own = list(
        JournalEntry.select()
        .where(JournalEntry.settlement == settlement.id)
        .order_by(JournalEntry.number.desc())
    )
    gone: Counter[int | None] = Counter()
    for each in own:
        gone[each.corrects] += each.amount_cents
    return [
        Former(
            each.number,
            each.debit,
            each.credit,
            each.amount_cents - gone[each.number],
            each.number in meant,
        )
        for each in own
    ]


def take_back(
    known: Sequence[Former], debit: str, credit: str, cents: int
) -> tuple[int | None, int]:
    """Choose one entry for a correction to reverse, at most for `cents`, and deduct them from it.
    Prefer the exact opposite of what is to be written, then an entry that is meant, then the same
    amount; an entry by which the same money came or left will do. Return its number and the cents;
    None and all the cents if there is no such entry."""
    found = [
        each
        for each in known
        if each.left_cents
        and (_is_contrary(each, debit, credit) or _moved_the_money(each, debit, credit))
    ]
    if not found:
        return None, cents
    best = max(
        found,
        key=lambda each: (
            _is_contrary(each, debit, credit),
            each.is_meant,
            each.left_cents == cents,
        ),
    )
    cents = min(cents, best.left_cents)
    best.left_cents -= cents
    return best.number, cents


def _is_contrary(former: Former, debit: str, credit: str) -> bool:
    return (former.debit, former.credit) == (credit, debit)


def _moved_the_money(former: Former, debit: str, credit: str) -> bool:
    return (former.debit == credit and credit.startswith(_SOURCES)) or (
        former.credit == debit and debit.startswith(_SOURCES)
    )
