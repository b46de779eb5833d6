"""Decisions of the staff about payments and invoices: each has a name and a reason."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from peewee import fn

from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Attempt, AttemptItem, Invoice, Settlement
from kiosque.db.states import (
    UNDECIDED,
    AllocationKind,
    AnomalyKind,
    AttemptState,
    CounterMode,
    FactSource,
    InvoiceState,
    SettlementState,
)
from kiosque.language import clock, formats
from kiosque.language.formats import format_euros
from kiosque.payments.allocations import allocate
from kiosque.payments.anomalies import resolve
from kiosque.payments.facts import add_fact, release_invoices
from kiosque.payments.ledger import book
from kiosque.payments.queries import SETTLEMENTS
from kiosque.payments.refusals import (
    Refused,
    require_author_and_reason,
    why_not_answered_for,
)
from kiosque.payments.reversals import reopened_by
from kiosque.payments.selection import opening_since
from kiosque.payments.words import COUNTER_MODES, INVOICE_STATES


@dataclass(frozen=True)
class CounterPayment:
    """Money taken at the counter for one whole invoice; `mode` is a `CounterMode`."""

    invoice_number: str
    amount_cents: int
    mode: str
    settled_on: date
    author: str
    reason: str


class _Previewed(Exception):  # never seen outside: it undoes what a preview did
    pass


def settle_at_counter(
    payments: Iterable[CounterPayment], *, preview: bool = False
) -> list[tuple[str, int]]:
    """Record money taken at the counter, all of it or nothing.

    Return the new payments, each as the key of its *régie* and cents. A payment recorded before
    (same invoice, amount, mode, day and reason) is passed over, even when its money has left since
    (`left_since` tells). With `preview`, keep nothing. Raises Refused, naming every payment that
    cannot be recorded: unknown invoice, not open, other amount, impossible day.
    """
    added: list[tuple[str, int]] = []
    with suppress(_Previewed), write():
        _settle_all(payments, added)
        if preview:
            raise _Previewed
    return added


def _settle_all(payments: Iterable[CounterPayment], added: list[tuple[str, int]]) -> None:
    reasons, positions = [], []
    for position, payment in enumerate(payments):
        invoice = Invoice.get_or_none(Invoice.number == payment.invoice_number)
        if invoice and _recorded(invoice, payment):
            continue
        if faults := list(_why_not_at_counter(invoice, payment)):
            reasons += [f"Facture {payment.invoice_number}\u00a0: {fault}" for fault in faults]
            positions += [position] * len(faults)
        elif invoice:
            _settle_counter(invoice, payment)
            added.append((invoice.regie, payment.amount_cents))
    if reasons:
        raise Refused(reasons, positions)


def _why_not_at_counter(invoice: Invoice | None, payment: CounterPayment) -> Iterator[str]:
    if fault := why_not_answered_for(payment.author, payment.reason):
        yield fault
    if payment.mode not in COUNTER_MODES:
        yield f"mode inconnu, attendu l’un de {', '.join(CounterMode)}."
    settled = formats.short_date(payment.settled_on)
    if payment.settled_on > clock.today():
        yield f"le {settled} n’est pas encore passé."
    if invoice is None:
        yield "elle n’existe pas."
        return
    if invoice.state != InvoiceState.OPEN:
        yield f"elle n’est pas à régler ({INVOICE_STATES[InvoiceState(invoice.state)]})."
        return
    if invoice.total_cents != payment.amount_cents:
        expected, found = format_euros(invoice.total_cents), format_euros(payment.amount_cents)
        yield f"son montant est {expected}, et non {found}."
    if payment.settled_on < invoice.issued_on:
        issued = formats.short_date(invoice.issued_on)
        yield f"elle date du {issued}, l’encaissement du {settled} ne peut pas la précéder."


def left_since(payments: Iterable[CounterPayment]) -> list[str]:
    """Return the numbers of the invoices whose very payment was recorded before, and which its
    money does not pay now: it was refunded, an *impayé*, or is a *trop-perçu* that pays another or
    nothing. Another payment of theirs needs another reason."""
    facts = (
        Invoice.number,
        Settlement.amount_cents,
        Settlement.mode,
        Settlement.settled_at,
        Settlement.reason,
    )
    paying = Allocation.alias()
    pays = paying.select().where(
        paying.settlement == Settlement.id,
        paying.invoice == Invoice.id,
        paying.kind == AllocationKind.INVOICE,
        paying.counts == True,  # noqa: E712  # an SQL expression
    )
    gone = {
        row
        for origin in (Allocation, Anomaly)  # a *trop-perçu* was on the list of what it came for
        for row in origin.select(*facts)
        .join(Invoice)
        .switch(origin)
        .join(Settlement)
        .where(Settlement.attempt.is_null(), ~fn.EXISTS(pays))
        .tuples()
    }
    return [each.invoice_number for each in payments if _key(each) in gone]


def _key(payment: CounterPayment) -> tuple[object, ...]:
    return (
        payment.invoice_number,
        payment.amount_cents,
        payment.mode,
        clock.noon_in_paris(payment.settled_on),
        payment.reason.strip(),
    )


def at_bank(numbers: Iterable[str]) -> dict[str, str]:
    """Say in French, of those of these invoices that a family may be paying online, since when: by
    number. What it pays besides would be a *trop-perçu*."""
    wanted = set(numbers)
    held = (
        AttemptItem.select(AttemptItem, Attempt, Invoice)
        .join(Attempt)
        .switch(AttemptItem)
        .join(Invoice)
        .where(
            AttemptItem.live == True,  # noqa: E712  # an SQL expression
            # Of one that was never opened, nobody saw the way to the bank.
            (Attempt.state != AttemptState.CREATED) | (Attempt.started_at > opening_since()),
            Invoice.state == InvoiceState.OPEN,
        )
    )
    return {
        item.invoice.number: (
            f"la famille est à la banque depuis le {formats.long_instant(item.attempt.started_at)} "
            f"(paiement {item.attempt.reference})\u00a0: si elle paie, ce sera un trop-perçu"
        )
        for item in held
        if item.invoice.number in wanted
    }


def _settle_counter(invoice: Invoice, payment: CounterPayment) -> None:
    settlement = Settlement(
        family=invoice.family_id,
        regie=invoice.regie,
        mode=payment.mode,
        amount_cents=payment.amount_cents,
        settled_at=clock.noon_in_paris(payment.settled_on),
        state=SettlementState.COUNTED,
        author=payment.author,
        reason=payment.reason.strip(),
    )
    SETTLEMENTS.add(settlement)
    allocate(settlement, invoice.id, payment.amount_cents)
    book(settlement, f"encaissement au guichet, {COUNTER_MODES[CounterMode(payment.mode)]}")


def _recorded(invoice: Invoice, payment: CounterPayment) -> bool:
    """Return whether this very payment was recorded for the invoice, whatever its money is for
    now: where another invoice took it, the list still says which one it came for."""
    came_for = [
        origin.select(origin.settlement).where(origin.invoice == invoice)
        for origin in (Allocation, Anomaly)
    ]
    found = Settlement.select().where(
        Settlement.id.in_(came_for[0]) | Settlement.id.in_(came_for[1]),
        Settlement.attempt.is_null(),
        Settlement.mode == payment.mode,
        Settlement.amount_cents == payment.amount_cents,
        Settlement.settled_at == clock.noon_in_paris(payment.settled_on),
        Settlement.reason == payment.reason.strip(),
    )
    return bool(found.exists())


def cancel_invoice(number: str, author: str, reason: str) -> None:
    """Cancel an invoice that is open, or that asks for nothing. Raises Refused when it is neither
    or nobody answers for it."""
    require_author_and_reason(author, reason)
    with write():
        changed = (
            Invoice.update(state=InvoiceState.CANCELLED, state_reason=f"{author} : {reason}")
            .where(
                Invoice.number == number,
                Invoice.state.in_([InvoiceState.OPEN, InvoiceState.NOTHING_DUE]),
            )
            .execute()
        )
        if not changed:
            raise Refused([f"Facture {number}\u00a0: elle n’existe pas ou n’est pas à régler."])
        _resolve_reopened(number, author, reason)


def _resolve_reopened(number: str, author: str, reason: str) -> None:
    """Take off the list the departures of money that left this invoice, and no other, to pay."""
    left = (
        Anomaly.select(Anomaly, Settlement)
        .join(Settlement)
        .join(Allocation)
        .join(Invoice)
        .where(
            Invoice.number == number,
            Anomaly.kind.in_([AnomalyKind.REFUNDED, AnomalyKind.REVERSED]),
            Anomaly.resolved_at.is_null(),
        )
    )
    done = [point.id for point in left if point.settlement and not reopened_by(point.settlement)]
    resolve(Anomaly.id.in_(done), author, f"facture {number} annulée : {reason}")


def close_attempt(reference: str, author: str, reason: str) -> None:
    """Declare that nothing came of a payment that the bank says nothing about, so that the family
    may pay again. What the bank says later counts as ever.

    Raises Refused when it is decided, is still within its time, or nobody answers for it.
    """
    require_author_and_reason(author, reason)
    with write():
        attempt = Attempt.get_or_none(Attempt.reference == reference)
        if attempt is None or AttemptState(attempt.state) not in UNDECIDED:
            raise Refused([f"Paiement {reference[:30]}\u00a0: il n’existe pas ou est décidé."])
        if attempt.state != AttemptState.PENDING and attempt.live_until > clock.now():
            until = formats.long_instant(attempt.live_until)
            raise Refused([f"La famille peut encore payer à la banque jusqu’au {until}."])
        add_fact(
            attempt,
            "",
            AttemptState.EXPIRED,
            f"{author.strip()} : {reason.strip()}"[:200],
            source=FactSource.REGISSEUR,
        )
        release_invoices(attempt)
        unanswered = Anomaly.kind.in_([AnomalyKind.SILENT, AnomalyKind.UNSETTLED])
        resolve((Anomaly.attempt == attempt) & unanswered, author, f"sans suite : {reason}")
