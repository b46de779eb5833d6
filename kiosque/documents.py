"""What families receive and keep: receipts and mails, made from the base each time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from gateways.base import Mode
from kiosque import accounts, clock, emails, i18n, issuer, money, notices, tokens
from kiosque.config import Settings
from kiosque.models import (
    Allocation,
    Anomaly,
    Family,
    FamilyNotice,
    Invoice,
    InvoiceLine,
    OutboxMail,
    Receipt,
    Service,
    Settlement,
    Token,
    receipt_title,
)
from kiosque.states import AllocationKind, NoticeKind, SettlementState

TEMPLATES = Path(__file__).parent.parent / "templates"

#: How templates, of pages and of mails, write amounts and dates.
FILTERS = {
    "address": emails.shown,
    "capital": lambda text: text[:1].upper() + text[1:],
    "receipt_title": receipt_title,
    "translated": i18n.gettext,
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
    if i18n.is_source() or not text:
        return text
    return Markup('<span lang="fr">{}</span>').format(text)


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

    @property
    def refunded_cents(self) -> int:
        """What was given back of it since, when it was not the whole."""
        return 0 if self.is_void else self.settlement.returned_cents

    @property
    def is_direct_debit(self) -> bool:
        """Whether it was paid by direct debit, which is no card."""
        return self.settlement.mode == Mode.DIRECT_DEBIT

    def as_issued(self, settings: Settings) -> Settings:
        """The settings with the town's, the *régie*'s and the *régisseur*'s names of the day it
        was issued."""
        kept = self.receipt
        settings = issuer.of_regie(settings, self.settlement.regie)
        return issuer.as_issued(settings, kept.town_name, kept.regie_name, kept.regisseur)


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


@dataclass(frozen=True)
class Letter:
    """A mail as it leaves. `html` says the same as `text`, or is empty; `stop_url` stops mails
    of its kind, empty for those that somebody asked for."""

    subject: str
    text: str
    html: str = ""
    stop_url: str = ""


def render_mail(settings: Settings, row: OutboxMail) -> Letter | None:
    """A queued mail in its reader's language, or None when it has nothing to say any more.

    The first line of its text template is the subject.
    """
    if row.template in _NOTICES:
        context = _notice_context(settings, row)
    elif row.template == "reset" and not _still_written_to(row):
        return None
    else:
        context = _MAKERS[row.template](row.object_id)
    if context is None:
        return None
    family = context.get("family")
    with i18n.using(family.language if isinstance(family, Family) else i18n.SOURCE):
        text = _render(f"{row.template}.txt", settings, context)
        subject, _, body = text.partition("\n")
        subject = subject.strip()
        html = ""
        if (TEMPLATES / "mail" / f"{row.template}.html").exists():
            html = _render(f"{row.template}.html", settings, {"subject": subject, **context})
    return Letter(subject, body.strip("\n") + "\n", html, str(context.get("stop_url", "")))


def mail_family(row: OutboxMail) -> Family | None:
    """The family that a queued mail is about, None when it is about none."""
    if row.template in _NOTICES:
        return FamilyNotice.get_by_id(row.object_id).family
    if row.template == "receipt":
        return Receipt.get_by_id(row.object_id).settlement.family
    if row.template in LINKS:
        token = Token.get_or_none(Token.id == row.object_id)
        return token.family if token else None
    return Family.get_by_id(row.object_id) if row.template in _CHANGES else None


def _render(name: str, settings: Settings, context: Mapping[str, object]) -> str:
    template = _environment.get_template(f"mail/{name}")
    return template.render(settings=settings, language=i18n.language(), **context)


def render_text(name: str, **values: object) -> str:
    """A text that is no page: Markdown."""
    return _environment.get_template(f"texts/{name}.txt").render(**values)


def _receipt_context(number: int) -> dict[str, object]:
    document = receipt_document(Receipt.get_by_id(number))
    return {"document": document, "family": document.settlement.family}


def _anomaly_context(anomaly_id: int) -> dict[str, object]:
    return {"anomaly": Anomaly.get_by_id(anomaly_id)}


def _link_context(token_id: int) -> dict[str, object] | None:
    secret = tokens.draw_link(token_id)
    if secret is None:
        return None
    token = Token.select(Token, Family).join(Family).where(Token.id == token_id).get()
    return {"family": token.family, "secret": secret}


def _still_written_to(row: OutboxMail) -> bool:
    """Whether the address a link goes to is still one of its family's."""
    family = mail_family(row)
    return family is not None and accounts.is_written_to_at(family, row.recipient)


def _family_context(family_id: int) -> dict[str, object]:
    return {"family": Family.get_by_id(family_id)}


def _notice_context(settings: Settings, row: OutboxMail) -> dict[str, object] | None:
    found = notices.content(row.object_id, row.recipient)
    if found is None:
        return None
    token = notices.stop_token(settings.secret_key, found.family)
    stop_url = f"{settings.public_url}/courriels/arret/{token}"
    return {"notice": found, "family": found.family, "stop_url": stop_url}


_NOTICES = frozenset(NoticeKind)
#: Mails that carry a link, drawn anew each time one leaves.
LINKS = ("reset", "email_confirm")
_CHANGES = ("password_changed", "email_asked", "email_changed")
#: What every other mail says, from the number of what it is about; None when that is over.
_MAKERS: dict[str, Callable[[int], dict[str, object] | None]] = {
    "receipt": _receipt_context,
    "anomaly": _anomaly_context,
    **dict.fromkeys(LINKS, _link_context),
    **dict.fromkeys(_CHANGES, _family_context),
}
