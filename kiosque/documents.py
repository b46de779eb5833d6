"""What families receive and keep: receipts and mails, made from the base each time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from kiosque import clock, i18n, money, tokens
from kiosque.config import Settings
from kiosque.models import (
    Allocation,
    Anomaly,
    Family,
    Invoice,
    InvoiceLine,
    Receipt,
    Service,
    Settlement,
    Token,
)
from kiosque.states import AllocationKind, SettlementState

TEMPLATES = Path(__file__).parent.parent / "templates"

#: How templates, of pages and of mails, write amounts and dates.
FILTERS = {
    "euros": money.format_euros,
    "hundredths": money.format_hundredths,
    "short_date": clock.short_date,
    "long_date": clock.long_date,
    "long_instant": clock.long_instant,
    "paris_hour": clock.paris_hour,
    "paris_date": clock.paris_date,
}


def translate(environment: Environment) -> None:
    """Give templates `_()`, `ngettext()` and `{% trans %}`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension


_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(FILTERS)
translate(_environment)


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
        """Whether the bank took the money back, or it was refunded."""
        return self.settlement.state != SettlementState.COUNTED


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
    """An invoice with its lines, and the Paris date it was paid on if it is."""

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


def render_mail(settings: Settings, template: str, object_id: int) -> tuple[str, str] | None:
    """The subject and text of a queued mail, whose template's first line is the subject; None
    when what it was for is over. A link it carries is drawn here, and only known to it."""
    context = _MAKERS[template](object_id)
    if context is None:
        return None
    family = context.get("family")
    with i18n.using(family.language if isinstance(family, Family) else i18n.SOURCE):
        source = _environment.get_template(f"mail/{template}.txt")
        text = source.render(settings=settings, **context)
    subject, _, body = text.partition("\n")
    return subject.strip(), body.lstrip("\n")


def _receipt_context(number: int) -> dict[str, object]:
    return {"document": receipt_document(Receipt.get_by_id(number))}


def _anomaly_context(anomaly_id: int) -> dict[str, object]:
    return {"anomaly": Anomaly.get_by_id(anomaly_id)}


def _link_context(token_id: int) -> dict[str, object] | None:
    secret = tokens.draw_link(token_id)
    if secret is None:
        return None
    token = Token.select(Token, Family).join(Family).where(Token.id == token_id).get()
    return {"family": token.family, "secret": secret}


def _family_context(family_id: int) -> dict[str, object]:
    return {"family": Family.get_by_id(family_id)}


#: What each mail says, from the number of what it is about; None when there is nothing to say.
_MAKERS: dict[str, Callable[[int], dict[str, object] | None]] = {
    "receipt": _receipt_context,
    "anomaly": _anomaly_context,
    "reset": _link_context,
    "email_confirm": _link_context,
    "password_changed": _family_context,
    "email_asked": _family_context,
    "email_changed": _family_context,
}
