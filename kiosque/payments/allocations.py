"""Allocate the money of a payment to its invoices, or to nothing yet (a *trop-perçu*).

These steps belong inside `write()`.
"""

from peewee import Case, Expression

from kiosque.db.models import Allocation, Anomaly, Family, Invoice, Settlement, Transmission
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import AllocationKind, AnomalyKind, CounterMode, InvoiceState
from kiosque.payments.accounting_rules import book
from kiosque.payments.anomalies import (
    OURSELVES,
    flag_anomaly,
    list_again,
    resolve,
    resolve_by_itself,
)
from kiosque.payments.queries import ALLOCATIONS, parts_of


def allocate(
    settlement: Settlement, invoice_id: int, cents: int, *, spare: Allocation | None = None
) -> None:
    """Pay what is still to pay of the invoice; keep the rest of the money as *trop-perçu*. Use
    `spare`, a part of the settlement that had no use yet, for this if given."""
    paid = pay(settlement, invoice_id, cents)
    for kind, part_cents in (
        (AllocationKind.INVOICE, paid),
        (AllocationKind.OVERPAYMENT, cents - paid),
    ):
        if part_cents:
            _store(spare or Allocation(settlement=settlement), kind, invoice_id, part_cents)
            spare = None
    if paid < cents:
        list_overpayment(settlement, invoice_id)


def _store(part: Allocation, kind: AllocationKind, invoice_id: int, cents: int) -> None:
    part.kind, part.invoice_id, part.amount_cents = kind, invoice_id, cents
    if part.id:
        part.save()
    else:
        ALLOCATIONS.add(part)


def pay(settlement: Settlement, invoice_id: int, cents: int) -> int:
    """Pay at most `cents` of an invoice that is open, or that the Treasury collects if this money
    is the Treasury's. Return the cents that it took."""
    state = payable_by(settlement.mode)
    if _PAY.execute(invoice=invoice_id, cents=cents, also=state):
        return cents
    invoice = Invoice.get_by_id(invoice_id)
    left: int = invoice.remaining_cents
    if state == InvoiceState.TRANSMITTED:
        left = left or invoice.treasury_cents
    _PAY.execute(invoice=invoice_id, cents=left, also=state)
    return left


def payable_by(mode: str) -> InvoiceState:
    """Return the state of the invoices that this mode pays besides the open ones: transmitted for
    money that the Treasury received; open, that is no other, for the rest."""
    return InvoiceState.TRANSMITTED if mode == CounterMode.TREASURY else InvoiceState.OPEN


_PAY = PreparedQuery(
    lambda invoice, cents, also: Invoice.update(
        paid_cents=Invoice.paid_cents + cents,
        state=Case(
            None,
            [(Invoice.paid_cents + cents == Invoice.total_cents, InvoiceState.PAID.value)],
            Invoice.state,
        ),
    ).where(
        Invoice.id == invoice,
        (Invoice.state == InvoiceState.OPEN) | (Invoice.state == also),
        Invoice.paid_cents + cents <= Invoice.total_cents,
    )
)


def unpay(part: Allocation) -> None:
    """Make due again, here or to the Treasury, what a part of a payment paid of its invoice. Bring
    back an archived family, since it has something to pay."""
    theirs = Transmission.select().where(
        Transmission.invoice == part.invoice_id, Transmission.ended_at.is_null()
    )
    state = InvoiceState.TRANSMITTED if theirs.exists() else InvoiceState.OPEN
    Invoice.update(paid_cents=Invoice.paid_cents - part.amount_cents, state=state).where(
        Invoice.id == part.invoice_id
    ).execute()
    owing = Invoice.select(Invoice.family).where(Invoice.id == part.invoice_id)
    Family.update(archived_at=None).where(Family.id.in_(owing)).execute()


def use_part(
    part: Allocation,
    invoice: Invoice,
    author: str = "",
    reason: str = "",
    *,
    came_for: int | None = None,
    most: int | None = None,
) -> int:
    """Pay an invoice with at most `most` cents of a part of a payment that pays nothing; the rest
    of the part stays as it was. Return the cents that the invoice took. `author` and `reason` are
    those of the human who decided it; `came_for` is the invoice that the money came for."""
    cents = pay(part.settlement, invoice.id, part.amount_cents if most is None else most)
    over = part.amount_cents - cents
    if cents and over:
        Allocation.update(amount_cents=over).where(Allocation.id == part.id).execute()
        paying = Allocation(
            settlement=part.settlement,
            invoice=invoice,
            kind=AllocationKind.INVOICE,
            amount_cents=cents,
            author=author,
            reason=reason,
            came_for=came_for,
        )
        ALLOCATIONS.add(paying)
    elif cents:
        Allocation.update(
            kind=AllocationKind.INVOICE,
            invoice=invoice,
            author=author,
            reason=reason,
            came_for=came_for,
        ).where(Allocation.id == part.id).execute()
    return cents


def keep_as_overpayment(part: Allocation) -> None:
    """Make a *trop-perçu* of a part that paid an invoice."""
    unpay(part)
    Allocation.update(kind=AllocationKind.OVERPAYMENT).where(Allocation.id == part.id).execute()


def list_overpayment(settlement: Settlement, invoice_id: int) -> None:
    """Put a *trop-perçu* on the régisseur's list, or back on it if it had been taken off
    automatically."""
    invoice, key = Invoice.get_by_id(invoice_id), overpayment_key(settlement.id, invoice_id)
    cents = _cents_for(settlement, invoice, AllocationKind.OVERPAYMENT)
    # What a human has resolved is listed again only if the amount has grown.
    list_again(Anomaly.key == key, more_than=cents)
    Anomaly.update(amount_cents=cents).where(
        Anomaly.key == key, Anomaly.resolved_at.is_null()
    ).execute()
    flag_anomaly(
        key,
        AnomalyKind.OVERPAYMENT,
        cents,
        _why_overpaid(settlement, invoice),
        gateway=settlement.gateway or "",
        transaction_id=settlement.transaction_id or "",
        attempt=settlement.attempt,
        settlement=settlement,
        invoice=invoice,
    )


def pay_with_overpayments(invoice: Invoice) -> None:
    """Pay an invoice that is due again with its *trop-perçus* that no human has dealt with."""
    candidates = (
        Allocation.select(Allocation, Settlement)
        .join(Settlement)
        .where(
            Allocation.invoice == invoice,
            Allocation.kind == AllocationKind.OVERPAYMENT,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
        .order_by(Allocation.id)
    )
    for spare in list(candidates):
        key = Anomaly.key == overpayment_key(spare.settlement.id, invoice.id)
        listed = Anomaly.select().where(key, Anomaly.resolved_at.is_null()).exists()
        if listed and use_part(spare, invoice):
            shorten_list(spare.settlement, invoice, OURSELVES, "affecté à la facture")
            book(spare.settlement, "trop-perçu affecté à la facture")


def shorten_list(settlement: Settlement, invoice: Invoice, author: str, resolution: str) -> None:
    """Take a *trop-perçu* off the régisseur's list if nothing of it is left; else write there what
    is left."""
    key = Anomaly.key == overpayment_key(settlement.id, invoice.id)
    if cents := _cents_for(settlement, invoice, AllocationKind.OVERPAYMENT):
        Anomaly.update(amount_cents=cents).where(key, Anomaly.resolved_at.is_null()).execute()
    else:
        resolve(key, author, resolution)


def resolve_overpayments(which: Expression, resolution: str) -> int:
    """Take off the régisseur's list the *trop-perçus* of which nothing is left. Return how many."""
    return resolve_by_itself(which & (Anomaly.kind == AnomalyKind.OVERPAYMENT), resolution)


def overpayment_key(settlement_id: int, invoice_id: int) -> str:
    """Return the key of the anomaly about a *trop-perçu*."""
    return f"overpayment:{settlement_id}:{invoice_id}"


def _cents_for(settlement: Settlement, invoice: Invoice, kind: AllocationKind) -> int:
    """Return the cents of a payment that came for an invoice and have this use."""
    return sum(
        part.amount_cents
        for part in parts_of(settlement)
        if part.invoice_id == invoice.id and part.kind == kind
    )


def _why_overpaid(settlement: Settlement, invoice: Invoice) -> str:
    if invoice.state == InvoiceState.CANCELLED:
        return "facture annulée entre-temps"
    if invoice.state == InvoiceState.TRANSMITTED:
        return "facture transmise au Trésor public entre-temps"
    if _cents_for(settlement, invoice, AllocationKind.INVOICE):
        return "reçu en plus de ce qui restait à payer"
    return "facture déjà payée"
