"""The facts that an invoice and a receipt state, gathered from the database."""

from dataclasses import dataclass, replace
from datetime import date

from gateways.base import Mode
from kiosque.db.models import Allocation, Invoice, InvoiceLine, Receipt, Service, Settlement
from kiosque.db.states import AllocationKind, SettlementState
from kiosque.language import clock
from kiosque.settings import Settings


@dataclass(frozen=True)
class ReceiptLine:
    number: str
    period: str
    amount_cents: int
    overpaid: bool


@dataclass(frozen=True)
class ReceiptDocument:
    """A *reçu de paiement* with all it must state."""

    receipt: Receipt
    settlement: Settlement
    lines: list[ReceiptLine]

    @property
    def is_void(self) -> bool:
        """True when the bank took the money back, or it was refunded whole."""
        return self.settlement.state != SettlementState.COUNTED

    @property
    def refunded_cents(self) -> int:
        """Cents given back since, when that was not the whole payment."""
        return 0 if self.is_void else self.settlement.returned_cents

    @property
    def is_direct_debit(self) -> bool:
        """True when it was paid by direct debit, not by card."""
        return self.settlement.mode == Mode.DIRECT_DEBIT

    def as_issued(self, settings: Settings) -> Settings:
        """Return the settings with the names that the town, the *régie* and the *régisseur* had on
        the day the receipt was issued."""
        town, regie = settings.town, settings.regie_named(self.settlement.regie)
        kept = self.receipt
        return replace(
            settings,
            town=replace(town, name=kept.town_name or town.name),
            regie=replace(
                regie,
                name=kept.regie_name or regie.name,
                regisseur=kept.regisseur or regie.regisseur,
            ),
        )


def receipt_document(receipt: Receipt) -> ReceiptDocument:
    allocations = (
        Allocation.select(Allocation, Invoice)
        .join(Invoice)
        .where(Allocation.settlement == receipt.settlement)
        .order_by(Allocation.id)
    )
    lines = [
        ReceiptLine(
            allocation.invoice.number,
            allocation.invoice.period,
            allocation.amount_cents,
            allocation.kind == AllocationKind.OVERPAYMENT,
        )
        for allocation in allocations
        if allocation.invoice
    ]
    return ReceiptDocument(receipt, receipt.settlement, lines)


@dataclass(frozen=True)
class InvoiceDocument:
    """An invoice with its lines, and the Paris date on which it was paid, or None."""

    invoice: Invoice
    lines: list[InvoiceLine]
    paid_on: date | None


def invoice_document(invoice: Invoice) -> InvoiceDocument:
    lines = (
        InvoiceLine.select(InvoiceLine, Service)
        .join(Service)
        .where(InvoiceLine.invoice == invoice)
        .order_by(InvoiceLine.id)
    )
    paid = (
        Allocation.select(Allocation, Settlement)
        .join(Settlement)
        .where(
            Allocation.invoice == invoice,
            Allocation.kind == AllocationKind.INVOICE,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
        .first()
    )
    paid_on = clock.paris_date(paid.settlement.settled_at) if paid else None
    return InvoiceDocument(invoice, list(lines), paid_on)
