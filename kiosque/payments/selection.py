"""Which invoices may be paid online now, together or apart, and why not the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import Expression

from gateways.base import Limits
from kiosque.db.models import Attempt, AttemptItem, Family, Invoice
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import AttemptState, InvoiceState
from kiosque.language import clock, formats
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.language.formats import format_euros

#: No bank takes longer to open a payment, including our own wait to record it.
OPENING = timedelta(seconds=30)
#: More at once would overflow an address and help nobody.
MAX_INVOICES = 50


@dataclass(frozen=True)
class Selection:
    """Invoices that a family may pay, and why the others it asked for are refused."""

    invoices: list[Invoice]
    reasons: list[str]

    @property
    def total_cents(self) -> int:
        """Return what is still to pay of them all."""
        return sum(invoice.remaining_cents for invoice in self.invoices)

    @property
    def parts(self) -> dict[str, "Selection"]:
        """Split into one selection for each *régie*, since each is paid separately; that of the
        oldest invoice first."""
        oldest_first = sorted(self.invoices, key=lambda invoice: (invoice.due_on, invoice.number))
        keys = dict.fromkeys(invoice.regie for invoice in oldest_first)
        return {
            key: Selection([each for each in self.invoices if each.regie == key], [])
            for key in keys
        }


def select_for_one_payment(family: Family, numbers: Iterable[str], limits: Limits) -> Selection:
    """Select the invoices of these numbers that one payment may pay now, at a bank of these
    limits, with the reasons why not."""
    chosen = select_invoices(family, numbers)
    reasons = list(chosen.reasons)
    if len(chosen.parts) > 1:
        reasons.append(
            _("Ces factures sont de régies différentes\u00a0: elles se paient séparément.")
        )
    total = chosen.total_cents
    if chosen.invoices and not limits.minimum_cents <= total <= limits.maximum_cents:
        bounds = {
            "least": format_euros(limits.minimum_cents),
            "most": format_euros(limits.maximum_cents),
        }
        reasons.append(_("La banque accepte de %(least)s à %(most)s par paiement.") % bounds)
    return Selection(chosen.invoices, reasons)


def select_invoices(family: Family, numbers: Iterable[str]) -> Selection:
    """Select the invoices of these numbers that may be paid now, in one payment or several, with
    the reasons why not the others."""
    asked = list(dict.fromkeys(numbers))
    if not asked:
        return Selection([], [_("Cochez au moins une facture.")])
    if len(asked) > MAX_INVOICES:
        return Selection(
            [], [_("Payez au plus %(count)d factures à la fois.") % {"count": MAX_INVOICES}]
        )
    found = {
        invoice.number: invoice
        for invoice in Invoice.select().where(Invoice.family == family, Invoice.number.in_(asked))
    }
    live = live_attempts(list(found.values()))
    reasons, invoices = [], []
    for number in asked:
        invoice = found.get(number)
        reason = _why_not(invoice, live.get(invoice.id) if invoice else None)
        if invoice and not reason:
            invoices.append(invoice)
        else:
            words = {"number": number[:30], "reason": reason}
            reasons.append(_("Facture %(number)s\u00a0: %(reason)s") % words)
    return Selection(invoices, reasons)


def regie_of(family: Family, numbers: Iterable[str]) -> str:
    """Return the key of the *régie* of these invoices; the oldest one's where they differ."""
    first = (
        Invoice.select(Invoice.regie)
        .where(Invoice.family == family, Invoice.number.in_(list(numbers)[:MAX_INVOICES]))
        .order_by(Invoice.due_on, Invoice.number)
        .first()
    )
    return first.regie if first else ""


def live_attempts(invoices: Sequence[Invoice]) -> dict[int, Attempt]:
    """Return the attempt that holds each of these invoices now, by invoice id."""
    items = (
        AttemptItem.select(AttemptItem, Attempt)
        .join(Attempt)
        .where(AttemptItem.invoice.in_([invoice.id for invoice in invoices]), _holds())
    )
    return {item.invoice_id: item.attempt for item in items}


def payable_now() -> Expression:
    """Return the condition that an invoice can be paid online at this moment: open, not yet the
    Treasury's, held by no payment under way. For a query over many families."""
    held = AttemptItem.select(AttemptItem.invoice).join(Attempt).where(_holds())
    return (
        (Invoice.state == InvoiceState.OPEN)
        & (Invoice.closes_on.is_null() | (Invoice.closes_on >= clock.today()))
        & Invoice.id.not_in(held)
    )


def holds(now: Any, opened_since: Any) -> Expression:
    """Return the condition that an attempt keeps its invoice from another, for a query over both.

    One begun before `opened_since` (`opening_since()`) and never handed over keeps nothing: nobody
    saw its way to the bank, and the next one closes it.
    """
    expression: Expression = (
        (AttemptItem.live == True)  # noqa: E712  # an SQL expression
        & (Attempt.live_until > now)
        & ((Attempt.state != AttemptState.CREATED) | (Attempt.started_at > opened_since))
    )
    return expression


def holders_of(ids: Sequence[int]) -> dict[int, str]:
    """Return the state of the attempt that holds each of these invoices now, by invoice id, as
    `live_attempts` does, for a page of a list. Invoices whose id lies between theirs are there
    too."""
    if not ids:
        return {}
    now, since = clock.now(), opening_since()
    rows = _HOLDERS.rows(first=min(ids), last=max(ids), now=now, opened_since=since)
    return {row[0]: row[1] for row in rows}


_HOLDERS = PreparedQuery(
    lambda first, last, now, opened_since: (
        AttemptItem.select(AttemptItem.invoice, Attempt.state)
        .join(Attempt)
        .where(AttemptItem.invoice.between(first, last), holds(now, opened_since))
    )
)


def opening_since() -> datetime:
    """Return the instant since which an attempt must have begun to be still opening at its bank."""
    return clock.now() - OPENING


def _holds() -> Expression:
    return holds(clock.now(), opening_since())


_NOT_OPEN = {
    InvoiceState.PAID: N_("elle est déjà payée."),
    InvoiceState.TRANSMITTED: N_("elle est transmise au Trésor public, et ne se paie plus ici."),
    InvoiceState.NOTHING_DUE: N_("elle ne demande aucun paiement."),
    InvoiceState.CANCELLED: N_("elle a été annulée, vous n’avez rien à payer."),
}


def _why_not(invoice: Invoice | None, live: Attempt | None) -> str:
    """Return the sentence that tells the family why an invoice cannot be paid now; "" if it can."""
    if invoice is None:
        return _("elle ne figure pas dans votre dossier.")
    if invoice.state in _NOT_OPEN:
        return _(_NOT_OPEN[InvoiceState(invoice.state)])
    if live and live.state == AttemptState.PENDING:
        return _("la banque examine encore votre paiement. Vous n’avez rien à faire.")
    if live:
        since = {"hour": formats.paris_hour(live.started_at)}
        return _("un paiement est ouvert à la banque depuis %(hour)s.") % since
    if invoice.is_closed and invoice.closes_on:
        return _(
            "le paiement en ligne est clos depuis le %(date)s. Elle est transmise au Trésor public."
        ) % {"date": formats.long_date(invoice.closes_on)}
    return ""
