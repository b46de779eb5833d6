"""Export payments to another software of the town, in the order of the journal. A payment is sent
again whenever anything in it changes; journal numbers say how far the software has read."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from peewee import JOIN

from kiosque.db import write
from kiosque.db.models import (
    Allocation,
    Family,
    Invoice,
    JournalEntry,
    PaymentExport,
    Receipt,
    Settlement,
)
from kiosque.db.states import AllocationKind, SettlementState
from kiosque.language import clock
from kiosque.payments import journal
from kiosque.payments.refusals import Refused

#: Entries of the journal read at a time.
ENTRIES = 1000
#: In characters: the name of a software.
LONGEST_CONSUMER = 60
STATES = {
    SettlementState.COUNTED: "encaissé",
    SettlementState.REFUNDED: "remboursé",
    SettlementState.REVERSED: "annulé",
}
_USES = {
    AllocationKind.INVOICE: "facture",
    AllocationKind.OVERPAYMENT: "trop-perçu",
    AllocationKind.UNMATCHED: "sans emploi",
}


class Use(NamedTuple):
    """The use of a part of a payment. `invoice` is a number, or "" for none; `cents` are 0 once the
    money has left."""

    invoice: str
    use: str
    cents: int


class Told(NamedTuple):
    """A payment as it is now, and its uses."""

    settlement: Settlement
    receipt: str
    family: str
    uses: list[Use]


@dataclass(frozen=True)
class Batch:
    """Some payments, and the `cursor` after which to ask for the next ones; `more` if there may be
    some."""

    payments: list[Told]
    cursor: int
    more: bool


def since(cursor: int, last: int | None = None, regie: str | None = None) -> Batch:
    """Return the payments that have entries in the journal after number `cursor`, up to `last`;
    only those of one *régie* if its key is given."""
    entries = JournalEntry.select(JournalEntry.number, JournalEntry.settlement).where(
        JournalEntry.number > cursor
    )
    if last is not None:
        entries = entries.where(JournalEntry.number <= last)
    found = list(entries.order_by(JournalEntry.number).limit(ENTRIES))
    reached = found[-1].number if found else cursor
    ids = list(dict.fromkeys(it.settlement_id for it in found if it.settlement_id))
    return Batch(_told(ids, regie), reached, len(found) == ENTRIES)


def every(cursor: int, last: int, regie: str) -> Iterator[Told]:
    """Yield all these payments, reading one batch at a time."""
    more = True
    while more:
        batch = since(cursor, last, regie)
        yield from batch.payments
        cursor, more = batch.cursor, batch.more


def _told(ids: Collection[int], regie: str | None) -> list[Told]:
    rows = (
        Settlement.select(Settlement, Family, Receipt)
        .join(Family, JOIN.LEFT_OUTER)
        .switch(Settlement)
        .join(Receipt, JOIN.LEFT_OUTER)
        .where(Settlement.id.in_(list(ids)))
    )
    if regie is not None:
        rows = rows.where(Settlement.regie == regie)
    uses = _uses(ids)
    return [
        Told(
            each,
            _title(each),
            each.family.code if each.family else "",
            uses[each.id],
        )
        for each in rows.order_by(Settlement.id)
    ]


def _title(settlement: Settlement) -> str:
    receipt = getattr(settlement, "receipt", None)
    return receipt.title if receipt else ""


def _uses(ids: Collection[int]) -> dict[int, list[Use]]:
    parts = (
        Allocation.select(Allocation, Settlement, Invoice)
        .join(Settlement)
        .switch(Allocation)
        .join(Invoice, JOIN.LEFT_OUTER)
        .where(Allocation.settlement.in_(list(ids)))
        .order_by(Allocation.id)
    )
    found: dict[int, list[Use]] = {}
    for part in parts:
        number = part.invoice.number if part.invoice else ""
        cents = part.amount_cents if part.counts else 0
        use = Use(number, _USES[AllocationKind(part.kind)], cents)
        found.setdefault(part.settlement.id, []).append(use)
    return found


def exports(regies: Collection[str] | None = None) -> list[PaymentExport]:
    """Return how far each software has received the payments of these *régies*, or of all."""
    found = PaymentExport.select().order_by(PaymentExport.consumer, PaymentExport.regie)
    return list(found if regies is None else found.where(PaymentExport.regie.in_([*regies])))


def advance(consumer: str, regie: str, author: str, *, again: bool = False) -> PaymentExport:
    """Note that a software receives what is new of a *régie*, or with `again` the same as last
    time. Return its row: the entries to send are those after `former`, up to `reached`. Raises
    Refused."""
    name = consumer.strip()
    if not name or len(name) > LONGEST_CONSUMER or not name.isprintable():
        raise Refused([f"Le logiciel a un nom, de {LONGEST_CONSUMER} lettres visibles au plus."])
    with write():
        known = PaymentExport.get_or_none(
            PaymentExport.consumer == name, PaymentExport.regie == regie
        )
        if again:
            if known is None:
                raise Refused(["Ce logiciel n’a encore rien reçu."])
            return known
        row = known or PaymentExport(consumer=name, regie=regie, reached=0)
        last = journal.last()[0]
        if next(every(row.reached, last, regie), None) is None:  # the last one may be asked again
            raise Refused(["Rien de nouveau pour ce logiciel depuis le dernier export."])
        row.former, row.reached = row.reached, max(last, row.reached)
        row.exported_at, row.author = clock.now(), author
        row.save()
    return PaymentExport.get_by_id(row.id)
