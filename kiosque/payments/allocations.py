"""Allocate the money of a payment to its invoices, or to nothing yet (a *trop-perçu*).

These steps belong inside `write()`.
"""

from peewee import Expression

from kiosque.db.models import Allocation, Anomaly, Invoice, Settlement
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import AllocationKind, AnomalyKind, InvoiceState
from kiosque.language import catalogue
from kiosque.language.formats import format_euros
from kiosque.payments.anomalies import flag_anomaly, list_again, resolve_by_itself
from kiosque.payments.ledger import book
from kiosque.payments.queries import ALLOCATIONS


def allocate(
    settlement: Settlement, invoice_id: int, cents: int, *, spare: Allocation | None = None
) -> None:
    """Pay the invoice if it is still open at this amount, else keep the money as *trop-perçu*.
    `spare` is a part of the settlement that had no use yet: it takes this one."""
    paid = pay_if_open(invoice_id, cents)
    part = spare or Allocation(settlement=settlement)
    part.invoice_id, part.amount_cents = invoice_id, cents
    part.kind = AllocationKind.INVOICE if paid else AllocationKind.OVERPAYMENT
    if spare:
        spare.save()
    else:
        ALLOCATIONS.add(part)
    if not paid:
        list_overpayment(settlement, invoice_id, cents)


def pay_if_open(invoice_id: int, cents: int) -> bool:
    """Make an invoice paid if it is open at this amount. Return False when it is not."""
    return bool(_PAY_INVOICE.execute(invoice=invoice_id, cents=cents))


def list_overpayment(settlement: Settlement, invoice_id: int, cents: int) -> None:
    """Tell the régisseur of a *trop-perçu*; again, when it had left the list by itself."""
    invoice, key = Invoice.get_by_id(invoice_id), overpayment_key(settlement.id, invoice_id)
    list_again(Anomaly.key == key)
    flag_anomaly(
        key,
        AnomalyKind.OVERPAYMENT,
        cents,
        _why_overpaid(invoice, cents),
        gateway=settlement.gateway or "",
        transaction_id=settlement.transaction_id or "",
        attempt=settlement.attempt,
        settlement=settlement,
        invoice=invoice,
    )


_PAY_INVOICE = PreparedQuery(
    lambda invoice, cents: Invoice.update(state=InvoiceState.PAID).where(
        Invoice.id == invoice,
        Invoice.state == InvoiceState.OPEN,
        Invoice.total_cents == cents,
    )
)


def pay_with_overpayment(invoice: Invoice) -> None:
    """Pay an invoice that is open again with a *trop-perçu* of its amount, if it has one that no
    human has dealt with."""
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
        key = overpayment_key(spare.settlement.id, invoice.id)
        if resolve_overpayments(Anomaly.key == key, "affecté à la facture"):
            Allocation.update(kind=AllocationKind.INVOICE).where(
                Allocation.id == spare.id
            ).execute()
            Invoice.update(state=InvoiceState.PAID).where(Invoice.id == invoice.id).execute()
            book(spare.settlement, "trop-perçu affecté à la facture")
            return


def resolve_overpayments(which: Expression, resolution: str) -> int:
    """Take off the régisseur's list the *trop-perçus* that are none any more. Return how many."""
    return resolve_by_itself(which & (Anomaly.kind == AnomalyKind.OVERPAYMENT), resolution)


def overpayment_key(settlement_id: int, invoice_id: int) -> str:
    """Return the key of the anomaly about a *trop-perçu*."""
    return f"overpayment:{settlement_id}:{invoice_id}"


def _why_overpaid(invoice: Invoice, cents: int) -> str:
    if invoice.state == InvoiceState.CANCELLED:
        return "facture annulée entre-temps"
    if invoice.state == InvoiceState.PAID:
        return "facture déjà payée"
    # For the régisseur, whose language is French, whatever the family's.
    with catalogue.using(catalogue.SOURCE):
        paid, due = format_euros(cents), format_euros(invoice.total_cents)
    return f"facture changée : {paid} payés, {due} dus"
