"""What families receive and keep: receipts and mails, made from the base each time."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from kiosque import clock, i18n, money
from kiosque.config import Settings
from kiosque.models import Allocation, Anomaly, Family, Invoice, Receipt, Settlement
from kiosque.states import AllocationKind, SettlementState

TEMPLATES = Path(__file__).parent.parent / "templates"

#: How templates, of pages and of mails, write amounts and dates.
FILTERS = {
    "euros": money.format_euros,
    "hundredths": money.format_hundredths,
    "short_date": clock.short_date,
    "long_date": clock.long_date,
    "long_instant": clock.long_instant,
    "period": clock.period,
    "paris_hour": clock.paris_hour,
    "paris_date": clock.paris_date,
}


def translate(environment: Environment) -> None:
    """Give templates `_()`, `ngettext()` and `{% trans %}`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension


def french(text: str) -> str | Markup:
    """What the town's files say, in French: marked so for whoever hears the page in another
    language."""
    marked = Markup('<span lang="fr">{}</span>').format(text)
    return text if i18n.is_source() or not text else marked


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


def render_mail(settings: Settings, template: str, object_id: int) -> tuple[str, str]:
    """The subject and text of a queued mail, in the language of the family it goes to, else in
    French. The first line of its template is the subject."""
    makers = {"receipt": _receipt_context, "anomaly": _anomaly_context}
    context = makers[template](object_id)
    family = context.get("family")
    with i18n.using(family.language if isinstance(family, Family) else i18n.SOURCE):
        source = _environment.get_template(f"mail/{template}.txt")
        text = source.render(settings=settings, **context)
    subject, _, body = text.partition("\n")
    return subject.strip(), body.lstrip("\n")


def _receipt_context(number: int) -> dict[str, object]:
    document = receipt_document(Receipt.get_by_id(number))
    return {"document": document, "family": document.settlement.family}


def _anomaly_context(anomaly_id: int) -> dict[str, object]:
    return {"anomaly": Anomaly.get_by_id(anomaly_id)}
