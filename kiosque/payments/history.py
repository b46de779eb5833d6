"""List what happened to a payment, in the order it was learnt, for whoever answers its family."""

from collections.abc import Collection, Iterator
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
    Repayment,
    Settlement,
    Transmission,
)
from kiosque.db.states import (
    AttemptState,
    CounterMode,
    FactSource,
    RepaymentKind,
    RepaymentState,
    Verdict,
)
from kiosque.language.formats import format_euros, short_date
from kiosque.payments import account_words
from kiosque.payments.payment_names import bank_name
from kiosque.payments.queries import numbers_of
from kiosque.payments.receipts import receipts_named
from kiosque.payments.words import (
    ATTEMPT_STATES,
    COUNTER_MODES,
    FACT_SOURCES,
    REPAYMENT_KINDS,
    REPAYMENT_STATES,
    VERDICTS,
)


class PaymentEvent(NamedTuple):
    """Something that happened to a payment, and who reported it, in French. `at` is UTC."""

    at: datetime
    who: str
    text: str


def events_of(name: str) -> list[PaymentEvent]:
    """Return what happened to the payments that a name stands for, the earliest first. The name is
    an invoice's number (its transmission to the Treasury is told too), a receipt's (`R000123`,
    `R000123-creche`), an attempt's reference, or the bank's name of a debit. Return nothing for an
    unknown name.
    """
    ids = [settlement.id for settlement in _settlements(name)]
    held = AttemptItem.select(AttemptItem.attempt).join(Invoice).where(Invoice.number == name)
    events = _events((Attempt.reference == name) | Attempt.id.in_(held), ids)
    return sorted((*events, *_of_treasury(name)), key=lambda event: event.at)


def events_of_settlement(settlement: Settlement) -> list[PaymentEvent]:
    """Return what happened to a payment, the earliest first."""
    return _events(Attempt.id == settlement.attempt_id, [settlement.id])


def _events(which: Expression, ids: Collection[int]) -> list[PaymentEvent]:
    """Return what happened to the attempts that `which` selects, and to the settlements of these
    ids and their attempts."""
    paid = Settlement.select(Settlement.attempt).where(Settlement.id.in_(list(ids)))
    attempts = list(Attempt.select().where(which | Attempt.id.in_(paid)))
    events = [event for attempt in attempts for event in _of_attempt(attempt)]
    events += _of_money(Settlement.attempt.in_(attempts) | Settlement.id.in_(list(ids)))
    return sorted(events, key=lambda event: event.at)


def _of_treasury(number: str) -> Iterator[PaymentEvent]:
    """Yield how an invoice went to the Treasury, and came back."""
    found = Transmission.select().join(Invoice).where(Invoice.number == number)
    for each in found.order_by(Transmission.id):
        on = short_date(each.transmitted_on)
        said = f"transmise au Trésor public le {on}, liste {each.list_name} : {each.reason}"
        yield PaymentEvent(each.noted_at, each.author, said)
        if each.ended_at:
            yield PaymentEvent(
                each.ended_at, each.ended_by, f"reprise du Trésor public : {each.end_reason}"
            )


def _settlements(name: str) -> list[Settlement]:
    issued = receipts_named(name).select(Receipt.settlement)
    paid = Allocation.select(Allocation.settlement).join(Invoice).where(Invoice.number == name)
    of_note = Invoice.select(Invoice.id).where(Invoice.number == name)
    named = (Settlement.transaction_id == bank_name(name)) & (Settlement.transaction_id != "")
    return list(
        Settlement.select().where(
            Settlement.id.in_(issued)
            | Settlement.id.in_(paid)
            | named
            | Settlement.credit_note.in_(of_note)
        )
    )


def _of_attempt(attempt: Attempt) -> Iterator[PaymentEvent]:
    numbers = ", ".join(numbers_of(attempt))
    cents = format_euros(attempt.amount_cents)
    yield PaymentEvent(
        attempt.started_at,
        FACT_SOURCES[FactSource.PORTAL],
        f"paiement {attempt.reference} de {cents} ouvert ({attempt.gateway}), pour {numbers}",
    )
    for fact in Fact.select().where(Fact.attempt == attempt).order_by(Fact.id):
        yield PaymentEvent(fact.at, FACT_SOURCES[FactSource(fact.source)], _fact(fact))
    of_it = (BankMessage.gateway == attempt.gateway) & (BankMessage.reference == attempt.reference)
    for message in BankMessage.select().where(of_it).order_by(BankMessage.id):
        words = VERDICTS[Verdict(message.verdict)]
        detail = f" ({message.detail})" if message.detail else ""
        yield PaymentEvent(message.received_at, f"message de {attempt.gateway}", f"{words}{detail}")


def _fact(fact: Fact) -> str:
    said = ATTEMPT_STATES[AttemptState(fact.state)]
    cents = f" de {format_euros(fact.amount_cents)}" if fact.amount_cents else ""
    return " ".join(filter(None, (f"{said}{cents}", fact.status, fact.transaction_id)))


def _of_money(which: Expression) -> Iterator[PaymentEvent]:
    """Yield what staff entered about these settlements, what left of them again, the entries of
    the journal, and the receipts."""
    for settlement in Settlement.select().where(which, Settlement.author != ""):
        cents = format_euros(settlement.amount_cents)
        mode = settlement.mode
        if mode in COUNTER_MODES:
            mode = COUNTER_MODES[CounterMode(mode)]
        said = f"encaissement de {cents} ({mode}) : {settlement.reason}"
        if note := settlement.credit_note:
            said = f"avoir {note.number} affecté, {cents} : {settlement.reason}"
        yield PaymentEvent(settlement.settled_at, settlement.author, said)
    for repayment in Repayment.select(Repayment, Settlement).join(Settlement).where(which):
        yield from _of_repayment(repayment)
    entries = JournalEntry.select(JournalEntry, Settlement).join(Settlement).where(which)
    for entry in entries.order_by(JournalEntry.number):
        way = f"{account_words.named(entry.credit)} → {account_words.named(entry.debit)}"
        moved = f"{format_euros(entry.amount_cents)}, {way}"
        yield PaymentEvent(
            entry.at,
            "journal",
            f"écriture {entry.number} : {account_words.labelled(entry)}, {moved}",
        )
    for receipt in Receipt.select().join(Settlement).where(which).order_by(Receipt.number):
        yield PaymentEvent(
            receipt.issued_at, FACT_SOURCES[FactSource.PORTAL], f"reçu {receipt.title}"
        )


def _of_repayment(repayment: Repayment) -> Iterator[PaymentEvent]:
    who = repayment.author or f"banque ({repayment.gateway})"
    kind = REPAYMENT_KINDS[RepaymentKind(repayment.kind)]
    if repayment.settlement.credit_id:
        kind = "reprise de l’avoir"
    said = f"{kind} de {format_euros(repayment.amount_cents)}"
    because = f" : {repayment.reason}" if repayment.reason else ""
    yield PaymentEvent(repayment.asked_at, who, f"{said}{because}")
    state = RepaymentState(repayment.state)
    if state != RepaymentState.DONE:
        yield PaymentEvent(
            repayment.sent_at or repayment.asked_at, who, f"{said}, {REPAYMENT_STATES[state]}"
        )
