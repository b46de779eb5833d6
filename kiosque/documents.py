"""What families receive and keep: receipts and mails, made from the base each time."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from kiosque import clock, i18n, money
from kiosque.config import Settings
from kiosque.models import Allocation, Anomaly, Invoice, Receipt, Settlement
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


def render_text(name: str, **values: object) -> str:
    """A text that is no page: Markdown."""
    return _environment.get_template(f"texts/{name}.txt").render(**values)


def render_mail(settings: Settings, template: str, object_id: int) -> tuple[str, str]:
    """The subject and text of a queued mail. The first line of its template is the subject."""
    makers = {"receipt": _receipt_context, "anomaly": _anomaly_context}
    context = makers[template](object_id)
    text = _environment.get_template(f"mail/{template}.txt").render(settings=settings, **context)
    subject, _, body = text.partition("\n")
    return subject.strip(), body.lstrip("\n")


def _receipt_context(number: int) -> dict[str, object]:
    return {"document": receipt_document(Receipt.get_by_id(number))}


def _anomaly_context(anomaly_id: int) -> dict[str, object]:
    return {"anomaly": Anomaly.get_by_id(anomaly_id)}
