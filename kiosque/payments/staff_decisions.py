"""Decisions of the staff about an invoice or an attempt: each bears a name and a reason."""

from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Attempt, Invoice, Settlement
from kiosque.db.states import (
    UNDECIDED,
    AllocationKind,
    AnomalyKind,
    AttemptState,
    FactSource,
    InvoiceState,
)
from kiosque.language import clock, formats
from kiosque.payments.accounting_rules import book
from kiosque.payments.allocations import keep_as_overpayment, list_overpayment
from kiosque.payments.anomalies import resolve
from kiosque.payments.attempt_facts import add_fact, release_invoices
from kiosque.payments.cited_commands import Way
from kiosque.payments.credit_notes import take_off_credit
from kiosque.payments.refusals import CHANGED, Refused, require_author_and_reason
from kiosque.payments.reversals import reopened_by


def cancel_invoice(number: str, author: str, reason: str, *, agreed: Invoice | None = None) -> None:
    """Cancel an invoice that is open, or that asks for nothing; what was paid of it becomes a
    *trop-perçu*, or goes back to the credit note that paid it. Raises Refused if it is neither, is
    a credit note in use, has no author or reason, or if the amount paid is no longer the one
    `agreed`."""
    require_author_and_reason(author, reason)
    with write():
        if agreed and Invoice.get_by_id(agreed.id).paid_cents != agreed.paid_cents:
            raise Refused([CHANGED])
        for part in _parts_of_open(number):
            if part.settlement.credit_id:
                take_off_credit(part.settlement, author, f"facture {number} annulée, {reason}")
        paid = _give_up_parts(number)
        changed = (
            Invoice.update(state=InvoiceState.CANCELLED, state_reason=f"{author} : {reason}")
            .where(
                Invoice.number == number,
                (Invoice.state == InvoiceState.OPEN)
                | ((Invoice.state == InvoiceState.NOTHING_DUE) & (Invoice.paid_cents == 0)),
            )
            .execute()
        )
        if not changed:
            raise Refused([f"Facture {number}\u00a0: {why_not_cancelled(number)}."])
        for settlement in paid:
            list_overpayment(settlement, Invoice.get(Invoice.number == number).id)
            book(settlement, f"facture {number} annulée ({author.strip()} : {reason.strip()})")
        _resolve_reopened(number, author, reason)


def why_not_cancelled(number: str) -> str:
    """Say in French why an invoice cannot be cancelled."""
    invoice = Invoice.get_or_none(Invoice.number == number)
    state = invoice.state if invoice else None
    if state == InvoiceState.NOTHING_DUE:
        return f"cet avoir paie une facture\u00a0: reprenez-le d’abord ({Way.UNAPPLY_CREDIT})"
    if state == InvoiceState.TRANSMITTED:
        return f"elle est transmise au Trésor public\u00a0: reprenez-la d’abord ({Way.UNTRANSMIT})"
    return "elle n’existe pas ou n’est pas à régler"


def _give_up_parts(number: str) -> list[Settlement]:
    """Make *trop-perçus* of what was paid of an open invoice. Return the payments."""
    found = _parts_of_open(number)
    for part in found:
        keep_as_overpayment(part)
    return list({part.settlement.id: part.settlement for part in found}.values())


def _parts_of_open(number: str) -> list[Allocation]:
    """Return what was paid of an open invoice."""
    parts = (
        Allocation.select(Allocation, Settlement)
        .join(Settlement)
        .switch(Allocation)
        .join(Invoice)
        .where(
            Invoice.number == number,
            Invoice.state == InvoiceState.OPEN,
            Allocation.kind == AllocationKind.INVOICE,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
        .order_by(Allocation.id)
    )
    return list(parts)


def _resolve_reopened(number: str, author: str, reason: str) -> None:
    """Resolve the entries about money that left, if it made this invoice due again and no other."""
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
    """Declare that nothing came of a payment that the bank does not report on, so that the family
    may pay again. What the bank reports later is still recorded.

    Raises Refused if it is decided, is still within its time, or has no author or reason.
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
