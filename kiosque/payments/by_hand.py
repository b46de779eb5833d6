"""Enter by hand a payment that only the bank knows: made at its back office, or lost when an older
copy of the database was restored. A human saw it there, and answers for it."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from gateways.base import Mode
from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Attempt, Fact, Family, Invoice, Settlement
from kiosque.db.states import (
    DENIED,
    AllocationKind,
    AnomalyKind,
    AttemptState,
    FactSource,
    InvoiceState,
    SettlementState,
)
from kiosque.language import clock, formats
from kiosque.language.formats import format_euros
from kiosque.payments import anomalies
from kiosque.payments.accounting_rules import book
from kiosque.payments.allocations import allocate
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.bank_refunds import match_refunds
from kiosque.payments.cancellations import is_taken_back
from kiosque.payments.cited_commands import Way
from kiosque.payments.queries import (
    ALLOCATIONS,
    SETTLEMENTS,
    items_of,
    repayment_of,
    settlement_of,
)
from kiosque.payments.receipts import Issuers, issue_receipt
from kiosque.payments.refusals import Refused, require_author_and_reason
from kiosque.payments.reversals import transaction_name
from kiosque.payments.selection import live_attempts

#: No older debit may be entered: it belongs to the accounts of another year.
OLDEST = timedelta(days=731)
_TRANSACTION = re.compile("[!-~]{1,64}")


@dataclass(frozen=True)
class BankPayment:
    """A debit as the bank shows it. `transaction_id` is the bank's name of it."""

    gateway: str
    transaction_id: str
    amount_cents: int
    paid_on: date
    author: str
    reason: str
    mode: Mode = Mode.CARD


About = Attempt | Invoice | Family | None


def enter(payment: BankPayment, about: About, issuers: Issuers) -> Settlement:
    """Enter the payment. `about` says for what: the debit of an attempt opened here; an invoice, to
    pay all or part of it; a family, or None for an unknown one, whose money has no use yet.

    It pays what is still to pay, and the rest is a *trop-perçu*. If an attempt awaited another
    amount, it pays nothing and waits for a use. Raises Refused, changing nothing.
    """
    require_author_and_reason(payment.author, payment.reason)
    with write():
        if isinstance(about, Attempt | Invoice):
            about = type(about).get_by_id(about.id)  # it may have changed since it was shown
        if fault := _why_not(payment, about, issuers):
            raise Refused([fault])
        if isinstance(about, Attempt):
            settlement = _enter_for_attempt(payment, about)
        elif isinstance(about, Invoice):
            settlement = _settle(payment, about.family_id, about.regie)
            allocate(settlement, about.id, payment.amount_cents)
        else:
            family_id = about.id if about else None
            settlement = _settle(payment, family_id, issuers.regie_of_gateway(payment.gateway))
            _keep(settlement)
        return _finish(settlement, payment, issuers)


def was_said_undone(payment: BankPayment) -> bool:
    """Return whether the bank has said that a debit was undone, or never made."""
    said = (
        Fact.select()
        .join(Attempt)
        .where(
            Attempt.gateway == payment.gateway,
            Fact.transaction_id == payment.transaction_id,
            Fact.state.in_(DENIED),
            Fact.source == FactSource.BANK,
        )
    )
    odd = Anomaly.select().where(
        Anomaly.gateway == payment.gateway,
        Anomaly.transaction_id == payment.transaction_id,
        Anomaly.outcome.in_(DENIED),
    )
    return bool(said.exists() or odd.exists())


def _enter_for_attempt(payment: BankPayment, attempt: Attempt) -> Settlement:
    settlement = _settle(payment, attempt.family_id, attempt.regie, attempt)
    awaited = payment.amount_cents == attempt.amount_cents
    for item in items_of(attempt) if awaited else ():
        allocate(settlement, item.invoice_id, item.amount_cents)
    if not awaited:
        _keep(settlement)
    state = AttemptState.PAID if awaited else AttemptState.PENDING
    facts = _say(attempt, payment.transaction_id, state, payment)
    if is_taken_back(facts, payment.transaction_id):  # that fact remains, under the former name
        facts = _say(attempt, transaction_name(settlement, restored=True), state, payment)
    match_refunds(attempt, facts)
    return settlement


def _say(attempt: Attempt, name: str, state: AttemptState, payment: BankPayment) -> list[Fact]:
    return add_fact(
        attempt,
        name,
        state,
        f"{payment.author} : {payment.reason}"[:200],
        source=FactSource.REGISSEUR,
        cents=payment.amount_cents,
    )


def _settle(
    payment: BankPayment, family_id: int | None, regie: str, attempt: Attempt | None = None
) -> Settlement:
    settlement = Settlement(
        attempt=attempt,
        family=family_id,
        regie=regie,
        gateway=payment.gateway,
        transaction_id=payment.transaction_id,
        mode=payment.mode,
        amount_cents=payment.amount_cents,
        settled_at=clock.noon_in_paris(payment.paid_on),
        state=SettlementState.COUNTED,
        author=payment.author.strip(),
        reason=payment.reason.strip(),
        final_at=clock.now(),
    )
    SETTLEMENTS.add(settlement)
    return settlement


def _why_not(payment: BankPayment, about: About, issuers: Issuers) -> str:
    if not _TRANSACTION.fullmatch(payment.transaction_id):
        return (
            "Donnez l’identifiant de l’opération à la banque : de 1 à 64 caractères, sans espace "
            "ni accent."
        )
    if payment.amount_cents <= 0:
        return "Le montant d’un débit est au-dessus de zéro."
    if fault := _why_not_that_day(payment.paid_on, about):
        return fault
    if isinstance(about, Attempt) and about.gateway != payment.gateway:
        return f"Le paiement {about.reference} est allé à la passerelle {about.gateway}."
    if isinstance(about, Invoice) and (fault := _why_not_invoice(payment, about, issuers)):
        return f"Facture {about.number} : {fault}"
    return _why_not_that_name(payment.gateway, payment.transaction_id)


def _why_not_that_name(gateway: str, transaction_id: str) -> str:
    if given := repayment_of(gateway, transaction_id):
        cents = format_euros(given.amount_cents)
        return f"C’est l’identifiant d’un remboursement de {cents} : donnez celui du débit."
    known = settlement_of(gateway, transaction_id)
    if known is None:
        return ""
    if known.state == SettlementState.COUNTED:
        return f"Ce débit est déjà enregistré, pour {format_euros(known.amount_cents)}."
    return f"Ce débit est enregistré, et son argent est reparti : rétablissez-le ({Way.RESTORE})."


def _why_not_that_day(on: date, about: About) -> str:
    if on > clock.today():
        return f"Le {formats.short_date(on)} n’est pas encore passé."
    if on < clock.today() - OLDEST:
        return f"Le {formats.short_date(on)} est passé depuis plus de deux ans."
    if isinstance(about, Attempt) and on < clock.paris_date(about.started_at):
        return f"Le paiement {about.reference} a été ouvert après ce débit."
    return ""


def _why_not_invoice(payment: BankPayment, invoice: Invoice, issuers: Issuers) -> str:
    is_open = invoice.state == InvoiceState.OPEN
    most = invoice.remaining_cents if is_open else invoice.total_cents
    if payment.amount_cents > most:
        what = "il en reste à payer" if is_open else "son montant est de"
        return (
            f"{what} {format_euros(most)}. Gardez l’argent pour la famille ({Way.FAMILY}), puis "
            f"donnez-lui un emploi ({Way.APPLY_OVERPAYMENT})."
        )
    if payment.paid_on < invoice.issued_on:
        return f"elle date du {formats.short_date(invoice.issued_on)}, après ce débit."
    if invoice.regie != issuers.regie_of_gateway(payment.gateway):
        return f"la passerelle {payment.gateway} est d’une autre régie."
    if live := live_attempts([invoice]).get(invoice.id):
        until = formats.long_instant(live.live_until)
        return (
            f"la famille est à la banque pour elle, jusqu’au {until}. Si ce débit est celui "
            f"du paiement {live.reference}, entrez-le autrement ({Way.ATTEMPT})."
        )
    return ""


def _keep(settlement: Settlement) -> None:
    part = Allocation(
        settlement=settlement,
        kind=AllocationKind.UNMATCHED,
        amount_cents=settlement.amount_cents,
    )
    ALLOCATIONS.add(part)


def _finish(settlement: Settlement, payment: BankPayment, issuers: Issuers) -> Settlement:
    label = f"débit vu à la banque ({settlement.author} : {settlement.reason})"
    named = (Anomaly.gateway == payment.gateway) & (
        Anomaly.transaction_id == payment.transaction_id
    )
    told = Anomaly.kind.in_([AnomalyKind.MISMATCH, AnomalyKind.UNKNOWN_ORDER])
    anomalies.resolve(named & told, settlement.author, label)
    parts = list(Allocation.select().where(Allocation.settlement == settlement))
    if all(part.kind == AllocationKind.UNMATCHED for part in parts):
        whose = "" if settlement.family else ", d’une famille inconnue"
        anomalies.flag_kept(settlement, f"débit vu à la banque, sans emploi{whose}")
    else:
        issue_receipt(settlement, issuers)
    book(settlement, label)
    return Settlement.get_by_id(settlement.id)
