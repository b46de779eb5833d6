"""The steps every change of money is made of. They belong inside `write()`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from peewee import Expression, fn

from kiosque import clock, i18n, issuer, journal, outbox
from kiosque.database import require_write
from kiosque.models import (
    Allocation,
    Anomaly,
    Attempt,
    AttemptItem,
    Fact,
    Invoice,
    Receipt,
    Settlement,
)
from kiosque.money import format_euros
from kiosque.states import (
    UNDECIDED,
    AllocationKind,
    AttemptState,
    InvoiceState,
    SettlementState,
    attempt_state,
)

#: How long an attempt that the bank calls pending keeps its invoices from another attempt.
PENDING_DAYS = 7


class Refused(Exception):
    """What was asked cannot be done; `reasons` are French sentences. Nothing was changed."""

    def __init__(self, reasons: Sequence[str], numbers: Sequence[str] = ()):
        """`numbers`, when given, are the invoices that the reasons are about, one each."""
        super().__init__("\n".join(reasons))
        self.reasons = list(reasons)
        self.numbers = list(numbers)


def learn(
    attempt: Attempt,
    transaction_id: str,
    state: AttemptState,
    status: str = "",
    *,
    source: str,
    cents: int = 0,
) -> bool:
    """Add a fact and recompute the attempt's state. False when the fact was known."""
    require_write()
    added = (
        Fact.insert(
            attempt=attempt,
            at=clock.now(),
            transaction_id=transaction_id,
            state=state,
            status=status,
            amount_cents=cents,
            source=source,
        )
        .on_conflict_ignore()
        .as_rowcount()
        .execute()
    )
    if not added:
        return False
    facts = Fact.select().where(Fact.attempt == attempt)
    new = attempt_state((fact.transaction_id, AttemptState(fact.state)) for fact in facts)
    changed = (
        Attempt.update(state=new)
        .where(Attempt.id == attempt.id, Attempt.state == attempt.state)
        .execute()
    )
    if not changed:
        raise RuntimeError("attempt changed outside its transaction")
    attempt.state = new
    _keep_or_release(attempt)
    return True


def _keep_or_release(attempt: Attempt) -> None:
    """A decided attempt frees its invoices; a pending one holds them for days, taking back
    those that a refusal before it had freed and nobody else holds."""
    if attempt.state not in UNDECIDED:
        release(attempt)
    elif attempt.state == AttemptState.PENDING:
        attempt.live_until = clock.now() + timedelta(days=PENDING_DAYS)
        Attempt.update(live_until=attempt.live_until).where(Attempt.id == attempt.id).execute()
        held = AttemptItem.alias()
        held_invoices = held.select(held.invoice).where(held.live == True)  # noqa: E712
        AttemptItem.update(live=True).where(
            AttemptItem.attempt == attempt, AttemptItem.invoice.not_in(held_invoices)
        ).execute()


def release(attempt: Attempt) -> None:
    """Let another attempt take this one's invoices."""
    AttemptItem.update(live=False).where(AttemptItem.attempt == attempt).execute()


def allocate(settlement: Settlement, invoice: Invoice, cents: int) -> AllocationKind:
    """Pay the invoice if it is still open at this amount, else keep the money for a human."""
    paid = (
        Invoice.update(state=InvoiceState.PAID)
        .where(
            Invoice.id == invoice.id,
            Invoice.state == InvoiceState.OPEN,
            Invoice.total_cents == cents,
        )
        .execute()
    )
    kind = AllocationKind.INVOICE if paid else AllocationKind.OVERPAYMENT
    Allocation.create(settlement=settlement, invoice=invoice, kind=kind, amount_cents=cents)
    if not paid:
        note(
            _overpayment_key(settlement.id, invoice.id),
            "overpayment",
            cents,
            _why_overpaid(invoice, cents),
            attempt=settlement.attempt,
            settlement=settlement,
            invoice=invoice,
        )
    return kind


def _overpayment_key(settlement_id: int, invoice_id: int) -> str:
    return f"overpayment:{settlement_id}:{invoice_id}"


def _why_overpaid(invoice: Invoice, cents: int) -> str:
    if invoice.state == InvoiceState.CANCELLED:
        return "facture annulée entre-temps"
    if invoice.state == InvoiceState.PAID:
        return "facture déjà payée"
    # For the régisseur, whose language is French, whatever the family's.
    with i18n.using(i18n.SOURCE):
        paid, due = format_euros(cents), format_euros(invoice.total_cents)
    return f"facture changée : {paid} payés, {due} dus"


def take_back(settlement: Settlement, state: SettlementState, label: str) -> None:
    """The money of a settlement left again: its invoices are open again, a human is told."""
    changed = (
        Settlement.update(state=state)
        .where(Settlement.id == settlement.id, Settlement.state == SettlementState.COUNTED)
        .execute()
    )
    if not changed:
        return
    enter(settlement, label, backwards=True)
    Allocation.update(counts=False).where(Allocation.settlement == settlement).execute()
    _resolve_overpayments(Anomaly.settlement == settlement, label)
    paid = Allocation.select().where(
        Allocation.settlement == settlement, Allocation.kind == AllocationKind.INVOICE
    )
    for allocation in list(paid):
        reopened = (
            Invoice.update(state=InvoiceState.OPEN)
            .where(Invoice.id == allocation.invoice_id, Invoice.state == InvoiceState.PAID)
            .execute()
        )
        if reopened and allocation.invoice:
            _pay_with_overpayment(allocation.invoice)
    note(
        f"{state.value}:{settlement.id}",
        state.value,
        settlement.amount_cents,
        label,
        attempt=settlement.attempt,
        settlement=settlement,
    )


def _pay_with_overpayment(invoice: Invoice) -> None:
    """Pay an invoice open again with money that came twice for it, unless a human has already
    dealt with that money."""
    candidates = (
        Allocation.select(Allocation, Settlement)
        .join(Settlement)
        .where(
            Allocation.invoice == invoice,
            Allocation.kind == AllocationKind.OVERPAYMENT,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
            Allocation.amount_cents == invoice.total_cents,
        )
        .order_by(Allocation.id)
    )
    for spare in list(candidates):
        key = _overpayment_key(spare.settlement.id, invoice.id)
        if _resolve_overpayments(Anomaly.key == key, "affecté à la facture"):
            Allocation.update(kind=AllocationKind.INVOICE).where(
                Allocation.id == spare.id
            ).execute()
            Invoice.update(state=InvoiceState.PAID).where(Invoice.id == invoice.id).execute()
            journal.append(
                spare.settlement,
                "trop-perçu affecté à la facture",
                debit=journal.ACCOUNTS[AllocationKind.OVERPAYMENT],
                credit=journal.ACCOUNTS[AllocationKind.INVOICE],
                cents=spare.amount_cents,
            )
            return


def _resolve_overpayments(which: Expression, resolution: str) -> int:
    """Take off the list the *trop-perçus* that are none any more. Returns how many."""
    taken_off: int = (
        Anomaly.update(
            resolved_at=clock.now(), resolved_by="Kiosque Famille", resolution=resolution
        )
        .where(which, Anomaly.kind == "overpayment", Anomaly.resolved_at.is_null())
        .execute()
    )
    return taken_off


def enter(settlement: Settlement, label: str, *, backwards: bool = False) -> None:
    """One journal entry for each kind of thing the settlement was for."""
    source = f"bank:{settlement.gateway}" if settlement.gateway else f"counter:{settlement.mode}"
    sums: Any = (
        Allocation.select(Allocation.kind, fn.SUM(Allocation.amount_cents).alias("cents"))
        .where(Allocation.settlement == settlement)
        .group_by(Allocation.kind)
        .order_by(Allocation.kind)
        .dicts()
    )
    for row in list(sums):
        purpose = journal.ACCOUNTS[AllocationKind(row["kind"])]
        debit, credit = (purpose, source) if backwards else (source, purpose)
        journal.append(settlement, label, debit=debit, credit=credit, cents=row["cents"])


def issue_receipt(settlement: Settlement) -> Receipt:
    last = Receipt.select(fn.MAX(Receipt.number)).scalar() or 0
    return Receipt.create(
        number=last + 1, settlement=settlement, issued_at=clock.now(), **issuer.names()
    )


def note(key: str, kind: str, cents: int, detail: str, **about: object) -> None:
    """Put something in the régisseur's list, once, and tell him by mail, once."""
    require_write()
    if Anomaly.select().where(Anomaly.key == key).exists():
        return
    anomaly = Anomaly.create(
        key=key, kind=kind, noted_at=clock.now(), amount_cents=cents, detail=detail, **about
    )
    outbox.queue(f"anomaly:{anomaly.id}", "anomaly", anomaly.id, outbox.REGIE)
