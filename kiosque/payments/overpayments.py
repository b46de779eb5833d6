"""Give another use to money that pays nothing, a *trop-perçu* or what matched nothing: it pays
another invoice of the same family, as agreed with it."""

from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Invoice, Settlement
from kiosque.db.states import AllocationKind, AnomalyKind, InvoiceState
from kiosque.language import formats
from kiosque.language.formats import format_euros
from kiosque.payments import anomalies
from kiosque.payments.allocations import overpayment_key, pay_if_open
from kiosque.payments.ledger import book, owed_cents
from kiosque.payments.queries import ALLOCATIONS, parts_of
from kiosque.payments.receipts import Issuers, issue_receipt, receipt_of
from kiosque.payments.refusals import Refused, require_author_and_reason
from kiosque.payments.selection import live_attempts
from kiosque.payments.words import INVOICE_STATES


def apply_overpayment(
    settlement: Settlement, invoice_number: str, author: str, reason: str, issuers: Issuers
) -> Invoice:
    """Pay an open invoice, whole, with money of a payment that pays nothing; what is over stays
    owed. An online payment that paid nothing yet gets its receipt. Raises Refused, changing
    nothing."""
    require_author_and_reason(author, reason)
    with write():
        settlement = Settlement.get_by_id(settlement.id)
        invoice = _payable_invoice(settlement, invoice_number.strip())
        part = _spare_part(settlement, invoice)
        if settlement.family is None:  # whose money it is, somebody says by this
            Settlement.update(family=invoice.family).where(Settlement.id == settlement.id).execute()
        label = f"trop-perçu affecté à une autre facture ({author.strip()} : {reason.strip()})"
        _pay_with(part, invoice, author.strip(), reason.strip())
        _shorten_list(part, invoice, author, label)
        if settlement.gateway and receipt_of(settlement) is None:
            issue_receipt(settlement, issuers)
        book(settlement, label)
    return Invoice.get_by_id(invoice.id)


def _payable_invoice(settlement: Settlement, number: str) -> Invoice:
    """Return the invoice of this number if money of this payment may pay it. Raises Refused."""
    invoice: Invoice | None = Invoice.get_or_none(Invoice.number == number)
    if invoice and settlement.family not in (None, invoice.family):
        invoice = None
    if invoice is None:
        fault = "la famille qui a payé n’a pas de facture de ce numéro."
    elif invoice.regie != settlement.regie:
        fault = "elle est d’une autre régie, qui a son propre compte."
    elif invoice.state != InvoiceState.OPEN:
        fault = f"elle n’est pas à régler ({INVOICE_STATES[InvoiceState(invoice.state)]})."
    # This very money may hold the invoice: of another amount than awaited, it waits for a use.
    elif (live := live_attempts([invoice]).get(invoice.id)) and live != settlement.attempt:
        until = formats.long_instant(live.live_until)
        fault = f"la famille est à la banque pour elle, jusqu’au {until}."
    else:
        return invoice
    raise Refused([f"Facture {number[:30]}\u00a0: {fault}"])


def _spare_part(settlement: Settlement, invoice: Invoice) -> Allocation:
    """Return the smallest part of a payment that pays nothing and is enough for an invoice. Raises
    Refused."""
    owed = owed_cents(settlement)
    enough = [
        part
        for part in parts_of(settlement)
        if part.kind != AllocationKind.INVOICE and part.amount_cents >= invoice.total_cents
    ]
    if not enough or owed < invoice.total_cents:
        raise Refused(
            [
                f"Il reste au plus {format_euros(owed)} sans emploi sur ce paiement, en une fois : "
                f"pas de quoi payer {format_euros(invoice.total_cents)}."
            ]
        )
    return min(enough, key=lambda part: (part.amount_cents, part.id))


def _pay_with(part: Allocation, invoice: Invoice, author: str, reason: str) -> None:
    if not pay_if_open(invoice.id, invoice.total_cents):
        raise RuntimeError("invoice changed outside its transaction")
    if over := part.amount_cents - invoice.total_cents:
        Allocation.update(amount_cents=over).where(Allocation.id == part.id).execute()
        paying = Allocation(
            settlement=part.settlement,
            invoice=invoice,
            kind=AllocationKind.INVOICE,
            amount_cents=invoice.total_cents,
            author=author,
            reason=reason,
        )
        ALLOCATIONS.add(paying)
        return
    Allocation.update(
        kind=AllocationKind.INVOICE, invoice=invoice, author=author, reason=reason
    ).where(Allocation.id == part.id).execute()


def _shorten_list(part: Allocation, invoice: Invoice, author: str, label: str) -> None:
    """Take off the list what is owed no more; write there what is left."""
    settlement = part.settlement
    if part.kind == AllocationKind.OVERPAYMENT and part.invoice_id:
        which = Anomaly.key == overpayment_key(settlement.id, part.invoice_id)
    else:
        named = (Anomaly.gateway == settlement.gateway) & (
            Anomaly.transaction_id == settlement.transaction_id
        )
        which = named & (Anomaly.kind == AnomalyKind.MISMATCH)
    if over := part.amount_cents - invoice.total_cents:
        Anomaly.update(amount_cents=over).where(which, Anomaly.resolved_at.is_null()).execute()
    else:
        anomalies.resolve(which, author, f"facture {invoice.number}, {label}")
