"""Tell what became of a payment, in the order it was learnt, for whoever answers its family."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from peewee import Expression

from kiosque.db.models import (
    Allocation,
    Attempt,
    AttemptItem,
    BankMessage,
    Fact,
    Invoice,
    JournalEntry,
    Receipt,
    Settlement,
)
from kiosque.db.states import AttemptState, FactSource, Verdict
from kiosque.language.formats import format_euros
from kiosque.payments.queries import numbers_of
from kiosque.payments.receipts import receipts_named
from kiosque.payments.words import ATTEMPT_STATES, FACT_SOURCES, VERDICTS


class Event(NamedTuple):
    """Something that happened to a payment, and who made it known, in French. `at` is UTC."""

    at: datetime
    who: str
    text: str


def events_of(name: str) -> list[Event]:
    """Return what happened to the payments that a name stands for, the earliest first: an
    invoice's number, a receipt's (`R000123`) or an attempt's reference. Nothing when it has none.
    """
    attempts = _attempts(name)
    events = [event for attempt in attempts for event in _of_attempt(attempt)]
    paid = Allocation.select(Allocation.settlement).join(Invoice).where(Invoice.number == name)
    events += _of_money(Settlement.attempt.in_(attempts) | Settlement.id.in_(paid))
    return sorted(events, key=lambda event: event.at)


def _attempts(name: str) -> list[Attempt]:
    held = AttemptItem.select(AttemptItem.attempt).join(Invoice).where(Invoice.number == name)
    which = (Attempt.reference == name) | Attempt.id.in_(held)
    if receipt := receipts_named(name).first():
        which |= Attempt.id == receipt.settlement.attempt_id
    return list(Attempt.select().where(which))


def _of_attempt(attempt: Attempt) -> Iterator[Event]:
    numbers = ", ".join(numbers_of(attempt))
    cents = format_euros(attempt.amount_cents)
    yield Event(
        attempt.started_at,
        FACT_SOURCES[FactSource.PORTAL],
        f"paiement {attempt.reference} de {cents} ouvert ({attempt.gateway}), pour {numbers}",
    )
    for fact in Fact.select().where(Fact.attempt == attempt).order_by(Fact.id):
        yield Event(fact.at, FACT_SOURCES[FactSource(fact.source)], _fact(fact))
    of_it = (BankMessage.gateway == attempt.gateway) & (BankMessage.reference == attempt.reference)
    for message in BankMessage.select().where(of_it).order_by(BankMessage.id):
        words = VERDICTS[Verdict(message.verdict)]
        detail = f" ({message.detail})" if message.detail else ""
        yield Event(message.received_at, f"message de {attempt.gateway}", f"{words}{detail}")


def _fact(fact: Fact) -> str:
    said = ATTEMPT_STATES[AttemptState(fact.state)]
    cents = f" de {format_euros(fact.amount_cents)}" if fact.amount_cents else ""
    return " ".join(filter(None, (f"{said}{cents}", fact.status, fact.transaction_id)))


def _of_money(which: Expression) -> Iterator[Event]:
    """Yield the journal's entries about these settlements, and the receipts issued for them."""
    entries = JournalEntry.select(JournalEntry, Settlement).join(Settlement).where(which)
    for entry in entries.order_by(JournalEntry.number):
        moved = f"{format_euros(entry.amount_cents)}, {entry.credit} → {entry.debit}"
        who = entry.settlement.author or "journal"
        yield Event(entry.at, who, f"écriture {entry.number} : {entry.label}, {moved}")
    for receipt in Receipt.select().join(Settlement).where(which).order_by(Receipt.id):
        yield Event(receipt.issued_at, FACT_SOURCES[FactSource.PORTAL], f"reçu {receipt.title}")
