"""Find the entry of the journal that a correction takes back: the new one cites its number."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kiosque.db.models import JournalEntry, Settlement

#: How the accounts begin that hold what came.
_SOURCES = ("bank:", "counter:", "credits")


@dataclass
class Former:
    """An entry about a payment, and the cents of it that no other has taken back."""

    number: int
    debit: str
    credit: str
    left_cents: int
    is_meant: bool


def formers(settlement: Settlement, meant: Collection[int] = ()) -> list[Former]:
    """Return what the entries about a payment still hold, the latest first. Those of the numbers
    `meant` are cited before others that are alike."""
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
    """Take back at most these cents of one entry: the contrary of what is to be written, the very
    amount if there is one; else one by which the same money came, or left. Return its number and
    the cents, all of them where no entry is known."""
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
