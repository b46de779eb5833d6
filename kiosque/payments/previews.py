"""Tell the effect of a staff decision before it is taken. Nothing is changed here."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kiosque.db.models import Allocation, Invoice, Settlement
from kiosque.db.states import AllocationKind, CounterMode, InvoiceState, RepaymentKind
from kiosque.language import clock
from kiosque.language.formats import format_euros, short_date
from kiosque.payments.counter import Taken, at_bank, settle_at_counter
from kiosque.payments.counter_rules import CounterPayment
from kiosque.payments.credit_notes import uses_for
from kiosque.payments.overpayments import applied_to, foresee_use
from kiosque.payments.queries import parts_of
from kiosque.payments.refunds import foresee_repayment
from kiosque.payments.refusals import Refused
from kiosque.payments.restorations import foresee_restoration
from kiosque.payments.reversals import asked_of
from kiosque.payments.staff_decisions import why_not_cancelled
from kiosque.payments.words import COUNTER_MODES, REPAYMENT_KINDS
from kiosque.settings import Regie


class PaperLine(NamedTuple):
    """A line as a paper would write it, in French; `becomes` says what then becomes of the thing
    that it names."""

    what: str
    cents: int
    becomes: str = ""


@dataclass(frozen=True)
class Foreseen:
    """The effect of a decision. `total` is the label of the `cents` that it moves; `after` says how
    things will stand. `warnings` tell what is unusual: the agent must accept them explicitly.
    `taken` are the payments taken at the counter."""

    lines: tuple[PaperLine, ...]
    total: str
    cents: int
    after: str = ""
    warnings: tuple[str, ...] = ()
    taken: tuple[Taken, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Return a digest of all that is told, to detect that the effect has changed meanwhile."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def cancellation(invoice: Invoice) -> Foreseen:
    """Tell what `cancel_invoice` would do. Raise Refused where it would."""
    is_used = invoice.state == InvoiceState.NOTHING_DUE and invoice.paid_cents
    if is_used or invoice.state not in (InvoiceState.OPEN, InvoiceState.NOTHING_DUE):
        number = invoice.number
        raise Refused([f"Facture {number}\u00a0: {why_not_cancelled(number)}."])
    warnings = _at_bank(invoice)
    if invoice.paid_cents:
        paid = format_euros(invoice.paid_cents)
        warnings.append(f"{paid} déjà payés deviendront un trop-perçu, dû à la famille.")
    return Foreseen(
        (PaperLine(_named(invoice), invoice.total_cents, "annulée"),),
        "Montant annulé",
        invoice.total_cents,
        "La famille n’aura rien à payer.",
        tuple(warnings),
    )


def taking(
    invoice: Invoice, payments: Sequence[CounterPayment], regies: Mapping[str, Regie]
) -> Foreseen:
    """Tell what `settle_at_counter` would do with these payments, all of one invoice. Raise Refused
    where it would."""
    added = settle_at_counter(payments, regies, preview=True)
    if not added:
        raise Refused(
            [
                "Cet encaissement est déjà enregistré. Pour un nouvel encaissement, donnez un "
                "autre motif, par exemple le numéro du nouveau chèque."
            ]
        )
    cents, extra = sum(each.cents for each in added), sum(each.extra_cents for each in added)
    left = (invoice.remaining_cents or invoice.treasury_cents) - cents + extra
    warnings = _at_bank(invoice)
    if extra:
        warnings.append(f"{format_euros(extra)} dépassent ce qui reste à régler\u00a0: trop-perçu.")
    return Foreseen(
        tuple(PaperLine(_means(payments[each.position]), each.cents) for each in added),
        "Total",
        cents,
        f"Il restera {format_euros(left)} à régler." if left else "La facture sera payée.",
        tuple(warnings),
        tuple(added),
    )


def _means(payment: CounterPayment) -> str:
    if payment.credit_number:
        return f"avoir {payment.credit_number}, pour la facture {payment.invoice_number}"
    return COUNTER_MODES[CounterMode(payment.mode)]


def transmission(invoices: Sequence[Invoice]) -> Foreseen:
    """Tell what `transmit` would do of these invoices. Raise Refused where it would."""
    paying = at_bank(invoice.number for invoice in invoices)
    faults = [f"Facture {number}\u00a0: {words}." for number, words in paying.items()]
    faults += [
        f"Facture {each.number}\u00a0: elle n’est pas à régler."
        for each in invoices
        if each.state != InvoiceState.OPEN
    ]
    if faults:
        raise Refused(faults)
    theirs = "transmise au Trésor public"
    return Foreseen(
        tuple(PaperLine(_named(each), each.remaining_cents, theirs) for each in invoices),
        "À encaisser par le Trésor public",
        sum(each.remaining_cents for each in invoices),
        "Leurs familles ne pourront plus les payer ici."
        if len(invoices) > 1
        else "La famille ne pourra plus la payer ici.",
    )


def return_from_treasury(invoice: Invoice) -> Foreseen:
    """Tell what `take_back` would do. Raise Refused where it would."""
    if invoice.state != InvoiceState.TRANSMITTED:
        raise Refused([f"Facture {invoice.number}\u00a0: le Trésor public ne l’a pas."])
    return Foreseen(
        (PaperLine(_named(invoice), invoice.treasury_cents, "de nouveau à régler ici"),),
        "Repris du Trésor public",
        invoice.treasury_cents,
        "Dites-le au Trésor public\u00a0: la famille pourra de nouveau payer ici.",
    )


def departure(
    settlement: Settlement, kind: RepaymentKind, cents: int | None, author: str, reason: str
) -> Foreseen:
    """Tell what would happen if these cents of a payment, or all for None, were given back or lost.
    Raise Refused where that is impossible."""
    amount = foresee_repayment(settlement, kind, cents, author, reason)
    parts = parts_of(settlement)
    whole = amount == settlement.remaining_cents
    reopens = whole and any(part.kind == AllocationKind.INVOICE for part in parts)
    return Foreseen(
        tuple(
            PaperLine(_used(part), part.amount_cents, _follows(part, whole=whole)) for part in parts
        ),
        "Impayé" if kind == RepaymentKind.CHARGEBACK else "Rendu à la famille",
        amount,
        "La famille verra de nouveau ces factures à régler." if reopens else "",
    )


def restoration(settlement: Settlement, cents: int | None, author: str, reason: str) -> Foreseen:
    """Tell what `restore` would do. Raise Refused where it would."""
    repayment = foresee_restoration(settlement, cents, author, reason)
    left_on = clock.paris_date(repayment.done_at or repayment.asked_at)
    what = f"{REPAYMENT_KINDS[RepaymentKind(repayment.kind)]} du {short_date(left_on)}"
    return Foreseen(
        (PaperLine(what, repayment.amount_cents, "n’a pas eu lieu"),),
        "Rétabli",
        repayment.amount_cents,
        "Ce que cet argent payait est payé de nouveau, ou devient un trop-perçu si c’est payé "
        "autrement depuis.",
    )


def application(settlement: Settlement, number: str, cents: int | None) -> Foreseen:
    """Tell what `apply_overpayment` would do. Raise Refused where it would."""
    invoice, taken = foresee_use(settlement, number, cents)
    left = invoice.remaining_cents - taken
    return Foreseen(
        (PaperLine(_named(invoice), taken, "payée" if not left else "payée en partie"),),
        "Trop-perçu affecté",
        taken,
        f"Il restera {format_euros(left)} à régler." if left else "La facture sera payée.",
    )


def withdrawal(settlement: Settlement, number: str) -> Foreseen:
    """Tell what `withdraw_overpayment` would do. Raise Refused where it would."""
    parts = applied_to(settlement, number)
    invoice, cents = Invoice.get(Invoice.number == number), sum(each.amount_cents for each in parts)
    return Foreseen(
        (PaperLine(_named(invoice), cents, _due_again(invoice)),),
        "Repris de la facture",
        cents,
        "Cet argent est de nouveau dû à la famille, et revient dans «\u00a0À traiter\u00a0».",
    )


def _due_again(invoice: Invoice) -> str:
    theirs = invoice.state == InvoiceState.TRANSMITTED
    return "à encaisser par le Trésor public" if theirs else "de nouveau à régler"


def credit_return(note: Invoice, invoice: Invoice) -> Foreseen:
    """Tell what `unapply_credit` would do. Raise Refused where it would."""
    cents = sum(each.amount_cents for each in uses_for(note.number, invoice.number))
    worth = format_euros(note.credit_cents + cents)
    return Foreseen(
        (PaperLine(_named(invoice), cents, _due_again(invoice)),),
        "Repris de la facture",
        cents,
        f"L’avoir {note.number} vaudra de nouveau {worth}.",
    )


def end_of_request(settlement: Settlement) -> Foreseen:
    """Tell what `drop_refund` would do. Raise Refused where it would."""
    asked = asked_of(settlement)
    if asked is None:
        raise Refused(["Aucun remboursement de ce paiement n’attend de réponse."])
    return Foreseen(
        (PaperLine("Remboursement demandé à la banque", asked.amount_cents, "abandonné"),),
        "Ne sera plus demandé",
        asked.amount_cents,
        "Voyez d’abord à la banque que rien n’a été rendu. Si elle l’annonce quand même, ce sera "
        "pris en compte.",
    )


def _at_bank(invoice: Invoice) -> list[str]:
    words = at_bank([invoice.number]).get(invoice.number)
    return [f"{words[:1].upper()}{words[1:]}."] if words else []


def _named(invoice: Invoice) -> str:
    return f"Facture {invoice.number}, {invoice.period}"


def _used(part: Allocation) -> str:
    return _named(part.invoice) if part.invoice else "Sans emploi"


def _follows(part: Allocation, *, whole: bool) -> str:
    if part.kind != AllocationKind.INVOICE:
        return "trop-perçu" if part.kind == AllocationKind.OVERPAYMENT else ""
    return "de nouveau à régler" if whole else "reste payée"
