"""The facts that an invoice and a receipt state, gathered from the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from peewee import JOIN

from gateways.base import Mode
from kiosque import payments
from kiosque.db.models import Allocation, Invoice, InvoiceLine, Receipt, Service, Settlement
from kiosque.db.states import AllocationKind, CounterMode, InvoiceState, SettlementState
from kiosque.language import clock
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.settings import Settings


class Overpaid(StrEnum):
    """The outcome of money that came for an invoice already paid."""

    OWED = "owed"
    PARTLY = "partly"
    RETURNED = "returned"
    UNDONE = "undone"


_REMARKS = {
    Overpaid.OWED: N_("déjà réglée\u00a0: cette somme vous est due"),
    Overpaid.PARTLY: N_("déjà réglée\u00a0: une partie de cette somme vous a été rendue"),
    Overpaid.RETURNED: N_("déjà réglée\u00a0: cette somme vous a été rendue"),
    Overpaid.UNDONE: N_("déjà réglée"),
}


@dataclass(frozen=True)
class ReceiptLine:
    """An invoice of a payment; `overpaid` for one that was paid otherwise."""

    number: str
    period: str
    children: str
    services: str
    amount_cents: int
    overpaid: Overpaid | None = None

    @property
    def remark(self) -> str:
        """The state of money that came twice, in the language in force; empty for other money."""
        return _(_REMARKS[self.overpaid]) if self.overpaid else ""


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
    kind = AllocationKind.OVERPAYMENT
    twice = sum(part.amount_cents for part in allocations if part.kind == kind)
    overpaid = _overpaid(receipt.settlement, twice)
    lines = [
        ReceiptLine(
            part.invoice.number,
            part.invoice.period,
            part.invoice.children,
            part.invoice.services,
            part.amount_cents,
            overpaid if part.kind == kind else None,
        )
        for part in allocations
        if part.invoice
    ]
    return ReceiptDocument(receipt, receipt.settlement, lines)


def _overpaid(settlement: Settlement, cents: int) -> Overpaid:
    """Return what became of the cents of a settlement that came twice."""
    if settlement.state == SettlementState.REVERSED:
        return Overpaid.UNDONE
    if settlement.state == SettlementState.REFUNDED:
        return Overpaid.RETURNED
    owed = payments.overpaid_cents(settlement) if cents else 0
    if not owed:
        return Overpaid.RETURNED
    return Overpaid.OWED if owed >= cents else Overpaid.PARTLY


@dataclass(frozen=True)
class InvoicePart:
    """The cents of a payment that go to an invoice, with the payment's receipt if it has one."""

    settlement: Settlement
    receipt: Receipt | None
    cents: int

    @property
    def paid_on(self) -> date:
        return clock.paris_date(self.settlement.settled_at)

    @property
    def how(self) -> str:
        """The way it was paid, in the language in force."""
        return how_paid(self.settlement)


_ONLINE = {
    Mode.CARD: N_("par carte, en ligne"),
    Mode.DIRECT_DEBIT: N_("par prélèvement, en ligne"),
}
_ELSEWHERE = {
    CounterMode.CASH: N_("en espèces, au guichet"),
    CounterMode.CHEQUE: N_("par chèque, au guichet"),
    CounterMode.CESU: N_("par CESU, au guichet"),
    CounterMode.CARD: N_("par carte, au guichet"),
    CounterMode.TRANSFER: N_("par virement"),
    CounterMode.DIRECT_DEBIT: N_("par prélèvement"),
    CounterMode.TREASURY: N_("au Trésor public"),
}


def how_paid(settlement: Settlement) -> str:
    """Return the way a payment was made, in the language in force."""
    if settlement.credit_note:
        return _("par l’avoir %(number)s") % {"number": settlement.credit_note.number}
    return way_paid(settlement.mode, online=bool(settlement.gateway))


def way_paid(mode: str, *, online: bool) -> str:
    """Return the means of payment, in the language in force: `par carte, en ligne`."""
    return _(_ONLINE[Mode(mode)] if online else _ELSEWHERE[CounterMode(mode)])


@dataclass(frozen=True)
class CreditUse:
    """The cents of a credit note, by its number, that go to an invoice."""

    number: str
    cents: int
    used_on: date


@dataclass(frozen=True)
class InvoiceDocument:
    """An invoice with its lines and the payments that pay it, in the order they were recorded; a
    credit note with what it pays."""

    invoice: Invoice
    lines: list[InvoiceLine]
    parts: list[InvoicePart]
    uses: Sequence[CreditUse] = ()

    @property
    def paid_on(self) -> date | None:
        """The Paris date on which it was wholly paid, or None."""
        is_paid = self.invoice.state == InvoiceState.PAID
        return max((part.paid_on for part in self.parts), default=None) if is_paid else None


def invoice_document(invoice: Invoice) -> InvoiceDocument:
    lines = (
        InvoiceLine.select(InvoiceLine, Service)
        .join(Service)
        .where(InvoiceLine.invoice == invoice)
        .order_by(InvoiceLine.id)
    )
    return InvoiceDocument(invoice, list(lines), parts_of(invoice), _uses_of(invoice))


def _uses_of(invoice: Invoice) -> list[CreditUse]:
    return [
        CreditUse(
            each.invoice.number, each.amount_cents, clock.paris_date(each.settlement.settled_at)
        )
        for each in (payments.credit_uses(invoice) if invoice.total_cents < 0 else ())
        if each.invoice
    ]


def parts_of(invoice: Invoice) -> list[InvoicePart]:
    """Return what each payment that counts pays of an invoice, in the order they were recorded."""
    paying = (
        Allocation.select(Allocation, Settlement, Receipt)
        .join(Settlement)
        .join(Receipt, JOIN.LEFT_OUTER)
        .where(
            Allocation.invoice == invoice,
            Allocation.kind == AllocationKind.INVOICE,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
        .order_by(Allocation.id)
    )
    found: dict[int, InvoicePart] = {}
    for each in paying:
        settlement = each.settlement
        known = found.get(settlement.id)
        cents = each.amount_cents + (known.cents if known else 0)
        receipt = getattr(settlement, "receipt", None)
        found[settlement.id] = InvoicePart(settlement, receipt, cents)
    return list(found.values())
