"""Credit notes (*avoirs*): what they are worth pays invoices of the same family and *régie*, as a
person or a file says; what is left stays owed.

A credit note brings no money. What it pays of an invoice is a settlement, of a mode of its own, so
that the rules of payments apply to it; in the journal it comes from the account `credits`. Such a
settlement pays that invoice only, and is taken off as a whole.
"""

from collections.abc import Iterator

from kiosque.db import require_write, write
from kiosque.db.models import Allocation, Invoice, Repayment, Settlement
from kiosque.db.states import (
    InvoiceState,
    RepaymentKind,
    RepaymentState,
)
from kiosque.language import clock
from kiosque.language.formats import format_euros
from kiosque.payments.refusals import CHANGED, Refused, require_author_and_reason
from kiosque.payments.reversals import book_repayment


def find_credit_note(number: str) -> Invoice | None:
    """Return the credit note of this number."""
    found: Invoice | None = Invoice.get_or_none(
        Invoice.number == number.strip(),
        Invoice.state == InvoiceState.NOTHING_DUE,
        Invoice.total_cents < 0,
    )
    return found


def credit_uses(note: Invoice) -> list[Allocation]:
    """Return what a credit note pays, in the order in which it was decided."""
    return list(
        Allocation.select(Allocation, Settlement, Invoice)
        .join(Settlement)
        .switch(Allocation)
        .join(Invoice)
        .where(
            Settlement.credit_note == note,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
        .order_by(Allocation.id)
    )


def why_not_pay(note: Invoice, invoice: Invoice, cents: int) -> Iterator[str]:
    """Say in French why a credit note cannot pay these cents of an invoice that is open."""
    if note.family_id != invoice.family_id:
        yield f"l’avoir {note.number} est d’une autre famille."
    elif note.regie != invoice.regie:
        yield f"l’avoir {note.number} est d’une autre régie, qui a ses propres comptes."
    elif not note.credit_cents:
        yield f"l’avoir {note.number} est employé en entier."
    elif cents > note.credit_cents:
        yield f"il reste {format_euros(note.credit_cents)} sur l’avoir {note.number}."
    elif cents > invoice.remaining_cents:
        yield f"il en reste {format_euros(invoice.remaining_cents)} à payer, pas plus."


def use(note: Invoice, cents: int) -> None:
    """Reduce what a credit note is still worth. Belongs inside `write()`."""
    require_write()
    _add(note.id, -cents)


def unapply_credit(
    note_number: str, invoice_number: str, author: str, reason: str, *, agreed: int | None = None
) -> int:
    """Undo all that a credit note paid of an invoice: that is due again, and the note is worth that
    much more. Return the cents. Raises Refused if it paid nothing of the invoice, or not exactly
    the cents `agreed`."""
    require_author_and_reason(author, reason)
    with write():
        paying = [each.settlement for each in uses_for(note_number, invoice_number)]
        cents = sum(settlement.amount_cents for settlement in paying)
        if agreed not in (None, cents):
            raise Refused([CHANGED])
        for settlement in paying:
            take_off_credit(settlement, author, reason)
    return cents


def uses_for(note_number: str, invoice_number: str) -> list[Allocation]:
    """Return what a credit note pays of an invoice. Raises Refused if that is nothing."""
    note = find_credit_note(note_number)
    paying = [
        each
        for each in (credit_uses(note) if note else ())
        if each.invoice and each.invoice.number == invoice_number.strip()
    ]
    if not paying:
        raise Refused(
            [f"L’avoir {note_number[:30]} ne paie rien de la facture {invoice_number[:30]}."]
        )
    return paying


def take_off_credit(settlement: Settlement, author: str, reason: str) -> None:
    """Undo what a credit note paid of its invoice. Belongs inside `write()`."""
    require_write()
    now, who, why = clock.now(), author.strip(), reason.strip()
    repayment = Repayment.create(
        settlement=settlement,
        kind=RepaymentKind.REVERSAL,
        state=RepaymentState.DONE,
        amount_cents=settlement.amount_cents,
        key=f"credit:{settlement.id}",
        asked_at=now,
        done_at=now,
        author=who,
        reason=why,
    )
    _add(settlement.credit_id, settlement.amount_cents)
    book_repayment(repayment, f"avoir repris ({who} : {why})")


def _add(note_id: int | None, cents: int) -> None:
    """Add to a credit note's `paid_cents`, which are below zero. The database refuses more than the
    note is worth."""
    Invoice.update(paid_cents=Invoice.paid_cents + cents).where(Invoice.id == note_id).execute()
