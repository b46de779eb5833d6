"""Why a payment is not taken at the counter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from kiosque.db.models import Invoice
from kiosque.db.states import CREDIT, CounterMode, InvoiceState
from kiosque.language import clock, formats
from kiosque.payments.allocations import payable_by
from kiosque.payments.cited_commands import Way
from kiosque.payments.closed_months import is_closed
from kiosque.payments.credit_notes import find_credit_note, why_not_pay
from kiosque.payments.refusals import why_not_answered_for
from kiosque.payments.words import COUNTER_MODES, INVOICE_STATES
from kiosque.settings import Regie


@dataclass(frozen=True)
class CounterPayment:
    """Money taken at the counter for an invoice, or a part of it. `mode` is a `CounterMode`.
    `amount_cents` is None for all that is still to pay. `is_extra` accepts money for an invoice
    that is paid already, as a *trop-perçu*. With the mode `CREDIT` no money comes: the credit note
    (*avoir*) `credit_number` pays, as far as it can."""

    invoice_number: str
    amount_cents: int | None
    mode: str
    settled_on: date
    author: str
    reason: str
    is_extra: bool = False
    credit_number: str = ""


def why_not_at_counter(
    invoice: Invoice | None, payment: CounterPayment, regies: Mapping[str, Regie]
) -> Iterator[str]:
    """Say in French why a payment cannot be taken for this invoice. `regies`, by key, say which
    modes each may take."""
    yield from _why_not_in_itself(payment)
    if invoice is None:
        yield "elle n’existe pas."
        return
    if fault := _why_nothing_to_pay(invoice, payment):
        yield fault
        return
    yield from _why_not_credit(invoice, payment)
    regie = regies.get(invoice.regie)
    theirs = payable_by(payment.mode) == invoice.state == InvoiceState.TRANSMITTED
    if not theirs and (fault := _why_not_that_mode(payment.mode, regie)):
        yield fault
    if is_closed(invoice.regie, payment.settled_on):
        yield (
            f"le {formats.short_date(payment.settled_on)} est dans un mois arrêté : datez "
            "l’encaissement d’aujourd’hui, et dites son vrai jour dans le motif."
        )
    if payment.settled_on < invoice.issued_on:
        settled = formats.short_date(payment.settled_on)
        issued = formats.short_date(invoice.issued_on)
        yield f"elle date du {issued}, l’encaissement du {settled} ne peut pas la précéder."


def _why_not_in_itself(payment: CounterPayment) -> Iterator[str]:
    if fault := why_not_answered_for(payment.author, payment.reason):
        yield fault
    if payment.mode not in (*COUNTER_MODES, CREDIT):
        yield f"mode inconnu, attendu l’un de {', '.join(CounterMode)}."
    if (payment.mode == CREDIT) != bool(payment.credit_number):
        yield "le mode avoir, et lui seul, nomme un avoir."
    if payment.amount_cents is not None and payment.amount_cents <= 0:
        yield "un encaissement est au-dessus de zéro."
    if payment.settled_on > clock.today():
        yield f"le {formats.short_date(payment.settled_on)} n’est pas encore passé."


def _why_not_credit(invoice: Invoice, payment: CounterPayment) -> Iterator[str]:
    if payment.mode != CREDIT:
        return
    note = find_credit_note(payment.credit_number)
    if note is None:
        yield f"aucun avoir ne porte le numéro {payment.credit_number[:30]}."
        return
    yield from why_not_pay(note, invoice, payment.amount_cents or 1)
    if payment.settled_on < note.issued_on:
        yield f"l’avoir {note.number} date du {formats.short_date(note.issued_on)}, après ce jour."


def _why_nothing_to_pay(invoice: Invoice, payment: CounterPayment) -> str:
    state = InvoiceState(invoice.state)
    may_be_extra = state == InvoiceState.PAID and payment.amount_cents and payment.mode != CREDIT
    is_due = state in (InvoiceState.OPEN, payable_by(payment.mode))
    if is_due or (may_be_extra and payment.is_extra):
        return ""
    if state == InvoiceState.TRANSMITTED:
        return (
            "elle est transmise au Trésor public, qui l’encaisse. Notez ce qu’il en reçoit, par le "
            f"mode Trésor public ({Way.TREASURY}), ou reprenez-la d’abord ({Way.UNTRANSMIT})."
        )
    more = f" Si cet argent est venu en plus, confirmez-le ({Way.EXTRA})." if may_be_extra else ""
    return f"elle n’est pas à régler ({INVOICE_STATES[state]}).{more}"


def _why_not_that_mode(mode: str, regie: Regie | None) -> str:
    if regie is None or not regie.modes or mode in regie.modes or mode not in COUNTER_MODES:
        return ""
    allowed = ", ".join(COUNTER_MODES[CounterMode(each)] for each in regie.modes)
    words = COUNTER_MODES[CounterMode(mode)]
    return f"la régie {regie.name} n’encaisse pas par {words}, seulement par {allowed}."
