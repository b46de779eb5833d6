"""Give another use to money that pays nothing, a *trop-perçu* or what matched nothing: it pays
another invoice of the same family, as agreed with it."""

from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Invoice, Revenue, Settlement
from kiosque.db.states import AllocationKind, AnomalyKind, InvoiceState
from kiosque.language import formats
from kiosque.language.formats import format_euros
from kiosque.payments import anomalies
from kiosque.payments.accounting_rules import book, owed_cents
from kiosque.payments.allocations import (
    list_overpayment,
    overpayment_key,
    pay_with_overpayments,
    shorten_list,
    unpay,
    use_part,
)
from kiosque.payments.queries import parts_of
from kiosque.payments.receipts import Issuers, issue_receipt, receipt_of
from kiosque.payments.refusals import CHANGED, Refused, require_author_and_reason
from kiosque.payments.selection import live_attempts
from kiosque.payments.taken_back import formers
from kiosque.payments.words import INVOICE_STATES


def apply_overpayment(
    settlement: Settlement,
    invoice_number: str,
    author: str,
    reason: str,
    issuers: Issuers,
    cents: int | None = None,
) -> Invoice:
    """Pay an invoice, or `cents` of it, with the money of a payment that pays nothing; the rest
    stays owed to the family. Issue a receipt if it is an online payment that had paid nothing yet.
    Return the invoice as it is now. Raises Refused, changing nothing."""
    require_author_and_reason(author, reason)
    with write():
        settlement = Settlement.get_by_id(settlement.id)
        invoice = _payable_invoice(settlement, invoice_number.strip())
        part, cents = _spare_part(settlement, invoice, cents)
        # If the family of the money was unknown, this decision says which one it is.
        Settlement.update(family=invoice.family).where(Settlement.id == settlement.id).execute()
        author, reason, came_for = author.strip(), reason.strip(), part.invoice_id
        label = _applied(author, reason)
        use_part(part, invoice, author, reason, came_for=came_for, most=cents)
        _shorten_list(part, invoice, author, label)
        if settlement.gateway and receipt_of(settlement) is None:
            issue_receipt(settlement, issuers)
        book(settlement, label)
    return Invoice.get_by_id(invoice.id)


def withdraw_overpayment(
    settlement: Settlement,
    invoice_number: str,
    author: str,
    reason: str,
    *,
    agreed: int | None = None,
) -> int:
    """Undo what `apply_overpayment` paid of an invoice with this payment: the money is owed to the
    family as before, and the invoice is due again, unless other money came for it. Return the
    cents. Raise Refused, changing nothing, if that is none, or not the cents `agreed`."""
    require_author_and_reason(author, reason)
    with write():
        parts = applied_to(settlement, invoice_number)
        cents = sum(part.amount_cents for part in parts)
        if agreed not in (None, cents):
            raise Refused([CHANGED])
        label = f"trop-perçu repris ({author.strip()} : {reason.strip()})"
        former = formers(settlement, _entries_for(settlement, parts[0].invoice_id))
        for part in parts:
            unpay(part)
            _return(part)
        settlement = Settlement.get_by_id(settlement.id)
        book(settlement, label, former)
        pay_with_overpayments(Invoice.get_by_id(parts[0].invoice_id))
        if owed_cents(settlement):  # list it last, or it would pay that same invoice again
            _list_again(settlement, {part.came_for for part in parts}, label)
    return cents


def applied_to(settlement: Settlement, invoice_number: str) -> list[Allocation]:
    """Return the parts of a payment that pay an invoice because a human said so. Raise Refused if
    there is none."""
    paid = Invoice.get_or_none(Invoice.number == invoice_number.strip())
    applied = applied_by_hand(settlement)
    if paid and (found := [part for part in applied if part.invoice_id == paid.id]):
        return found
    number = invoice_number[:30]
    raise Refused([f"Rien de ce paiement n’a été affecté à la facture {number} par une personne."])


def applied_by_hand(settlement: Settlement) -> list[Allocation]:
    """Return the parts of a payment that have another use than the one that they came for."""
    return [
        part for part in parts_of(settlement) if part.kind == AllocationKind.INVOICE and part.author
    ]


def _return(part: Allocation) -> None:
    """Turn a part back into what it was before a human had it pay an invoice."""
    former = Invoice.get_or_none(Invoice.id == part.came_for)
    kind = AllocationKind.OVERPAYMENT if former else AllocationKind.UNMATCHED
    before = {"kind": kind, "invoice": former, "author": "", "reason": "", "came_for": None}
    Allocation.update(before).where(Allocation.id == part.id).execute()


def _list_again(settlement: Settlement, came_for: set[int | None], label: str) -> None:
    """Put back on the list the *trop-perçus* that came for these invoices, and the money that
    matched nothing."""
    for former in Invoice.select().where(Invoice.id.in_([*came_for])):
        anomalies.reopen(Anomaly.key == overpayment_key(settlement.id, former.id))
        list_overpayment(settlement, former.id)
    unmatched = [each for each in parts_of(settlement) if each.kind == AllocationKind.UNMATCHED]
    if unmatched:
        kept = Anomaly.key == anomalies.kept_key(settlement)
        anomalies.reopen(kept)
        anomalies.flag_kept(settlement, label)
        over = sum(each.amount_cents for each in unmatched)
        Anomaly.update(amount_cents=over).where(kept).execute()


def _applied(author: str, reason: str) -> str:
    """Return the label of the journal entry for money that a human had pay an invoice."""
    return f"trop-perçu affecté à une autre facture ({author} : {reason})"


def _entries_for(settlement: Settlement, invoice_id: int | None) -> set[int]:
    """Return the numbers of the entries by which a payment paid an invoice."""
    told = Revenue.select(Revenue.entry).where(
        Revenue.settlement == settlement.id, Revenue.invoice == invoice_id
    )
    return {each.journal_number for each in told}


def foresee_use(
    settlement: Settlement, invoice_number: str, cents: int | None
) -> tuple[Invoice, int]:
    """Return the invoice that `apply_overpayment` would pay, and with how many cents. Raises
    Refused."""
    settlement = Settlement.get_by_id(settlement.id)
    invoice = _payable_invoice(settlement, invoice_number.strip())
    _part, taken = _spare_part(settlement, invoice, cents)
    return invoice, taken


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
    # The attempt that holds the invoice may be that of this very money, which is of another amount
    # than awaited and waits for a use.
    elif (live := live_attempts([invoice]).get(invoice.id)) and live != settlement.attempt:
        until = formats.long_instant(live.live_until)
        fault = f"la famille est à la banque pour elle, jusqu’au {until}."
    else:
        return invoice
    raise Refused([f"Facture {number[:30]}\u00a0: {fault}"])


def _spare_part(
    settlement: Settlement, invoice: Invoice, cents: int | None
) -> tuple[Allocation, int]:
    """Return the smallest part of a payment that pays nothing and covers what the invoice is to
    take, and that amount: `cents`, or without it as much as possible. Raises Refused."""
    left, owed = invoice.remaining_cents, owed_cents(settlement)
    if cents is not None and not 0 < cents <= left:
        raise Refused(
            [f"Facture {invoice.number}\u00a0: il en reste {format_euros(left)} à payer."]
        )
    spare = [each for each in parts_of(settlement) if each.kind != AllocationKind.INVOICE]
    wanted = cents or min(left, owed, max((each.amount_cents for each in spare), default=0))
    enough = [each for each in spare if each.amount_cents >= wanted]
    if not enough or not 0 < wanted <= owed:
        raise Refused(
            [f"Il reste au plus {format_euros(owed)} sans emploi sur ce paiement, en une fois."]
        )
    return min(enough, key=lambda part: (part.amount_cents, part.id)), wanted


def _shorten_list(part: Allocation, invoice: Invoice, author: str, label: str) -> None:
    """Take off the list what is no longer owed, or write there what is left."""
    settlement, said = part.settlement, f"facture {invoice.number}, {label}"
    if part.invoice:
        shorten_list(settlement, part.invoice, author, said)
        return
    named = (Anomaly.gateway == settlement.gateway) & (
        Anomaly.transaction_id == settlement.transaction_id
    )
    which = named & (Anomaly.kind == AnomalyKind.MISMATCH)
    kept = [each for each in parts_of(settlement) if each.kind == AllocationKind.UNMATCHED]
    if kept:
        over = sum(each.amount_cents for each in kept)
        Anomaly.update(amount_cents=over).where(which, Anomaly.resolved_at.is_null()).execute()
    else:
        anomalies.resolve(which, author, said)
