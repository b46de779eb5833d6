"""Do a step that was advised, for the button of a page. A command does the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from gateways.base import Gateway
from kiosque.db.models import Attempt, Family, Invoice, Repayment, Settlement
from kiosque.db.states import RepaymentKind, RepaymentState
from kiosque.language.formats import format_euros
from kiosque.payments.by_hand import BankPayment, enter
from kiosque.payments.counter import at_bank
from kiosque.payments.overpayments import apply_overpayment
from kiosque.payments.payment_names import bank_name, find_departed, find_settlement
from kiosque.payments.receipts import Issuers, receipt_of
from kiosque.payments.refund_requests import drop_refund, send_refund
from kiosque.payments.refunds import ask_refund, record_repayment
from kiosque.payments.refusals import Refused
from kiosque.payments.restorations import restore
from kiosque.payments.staff_decisions import cancel_invoice, close_attempt
from kiosque.payments.steps import Act, Blank, Step, Whose
from kiosque.payments.transmissions import take_back


@dataclass(frozen=True)
class Doer:
    """Who does a step, for which *régie* by its key, and with what. `public_url` is the site's."""

    author: str
    regie: str
    issuers: Issuers
    gateways: Mapping[str, Gateway]
    public_url: str


@dataclass(frozen=True)
class Filled:
    """The words filled in for a step, and the reason."""

    reason: str
    cents: int | None = None
    invoice: str = ""
    family: str = ""
    day: date | None = None
    transaction_id: str = ""
    payment: str = ""


def do(step: Step, filled: Filled, by: Doer) -> str:
    """Do a step; say in French what was done. Raises Refused, changing nothing."""
    return _DOES[step.act](step, filled, by)


def _close(step: Step, filled: Filled, by: Doer) -> str:
    close_attempt(step.about, by.author, filled.reason)
    return f"Paiement {step.about}\u00a0: sans suite. Ses factures peuvent être payées."


def _cancel(step: Step, filled: Filled, by: Doer) -> str:
    if words := at_bank([step.about]).get(step.about):
        raise Refused([f"Facture {step.about}\u00a0: {words}."])
    cancel_invoice(step.about, by.author, filled.reason)
    return f"Facture {step.about}\u00a0: annulée."


def _untransmit(step: Step, filled: Filled, by: Doer) -> str:
    left = take_back(step.about, by.author, filled.reason).remaining_cents
    said = f"reste {format_euros(left)} à régler" if left else "payée"
    return f"Facture {step.about} : reprise, {said}."


def _chargeback(step: Step, filled: Filled, by: Doer) -> str:
    settlement = _own(find_settlement(step.about), by)
    done = record_repayment(settlement, RepaymentKind.CHARGEBACK, None, by.author, filled.reason)
    return f"{step.about}\u00a0: impayé de {format_euros(done.amount_cents)} enregistré."


def _drop_refund(step: Step, filled: Filled, by: Doer) -> str:
    dropped = drop_refund(_own(find_settlement(step.about), by), by.author, filled.reason)
    return f"{step.about}\u00a0: remboursement de {format_euros(dropped.amount_cents)} abandonné."


def _refund(step: Step, filled: Filled, by: Doer) -> str:
    name = filled.payment if step.about == Blank.PAYMENT else step.about
    settlement, cents = _own(find_settlement(name), by), _cents(step, filled)
    if step.elsewhere:
        told = step.transaction_id
        if told is not None:
            told = bank_name(filled.transaction_id if told == Blank.TRANSACTION else told)
        kind, who = RepaymentKind.REFUND, (by.author, filled.reason)
        done = record_repayment(settlement, kind, cents, *who, transaction_id=told)
    else:
        done = refund_by_bank(settlement, cents, filled.reason, by)
    return f"{name}\u00a0: {said_of_refund(done)}"


def refund_by_bank(settlement: Settlement, cents: int | None, reason: str, by: Doer) -> Repayment:
    """Ask the bank to give back `cents`, or all that remains, and apply its answer. Raises
    Refused, changing nothing."""
    gateway = by.gateways.get(settlement.gateway or "")
    asked = ask_refund(settlement, cents, by.author, reason, gateway)
    return send_refund(asked, gateway, by.public_url, by.issuers) if gateway else asked


def said_of_refund(repayment: Repayment) -> str:
    """Say in French what became of a refund."""
    given = format_euros(repayment.amount_cents)
    if repayment.state == RepaymentState.DECLINED:
        return f"rien n’a été remboursé. {repayment.reason}"
    if repayment.state == RepaymentState.ASKED:
        return (
            f"la banque n’a pas répondu, on ne sait pas si {given} ont été rendus. Elle sera "
            "interrogée de nouveau, sans risque de rendre deux fois."
        )
    return f"{given} remboursés."


def _apply(step: Step, filled: Filled, by: Doer) -> str:
    settlement = _own(find_settlement(step.about), by)
    paid = apply_overpayment(
        settlement, filled.invoice, by.author, filled.reason, by.issuers, filled.cents
    )
    left = paid.remaining_cents
    more = f", en partie\u00a0: reste {format_euros(left)}" if left else ""
    return f"Facture {paid.number}\u00a0: payée par {step.about}{more}."


def _restore(step: Step, filled: Filled, by: Doer) -> str:
    cents = _cents(step, filled)
    settlement = _own(find_departed(step.about, cents), by)
    restored = restore(settlement, cents, by.author, filled.reason)
    return f"{step.about}\u00a0: {format_euros(restored.amount_cents)} rétablis."


def _enter(step: Step, filled: Filled, by: Doer) -> str:
    name = filled.transaction_id if step.about == Blank.TRANSACTION else step.about
    if filled.day is None:
        raise Refused(["Donnez le jour du débit."])
    payment = BankPayment(
        gateway=step.gateway,
        transaction_id=bank_name(name),
        amount_cents=_cents(step, filled) or 0,
        paid_on=filled.day,
        author=by.author,
        reason=filled.reason,
    )
    settlement = enter(payment, _whose(step, filled, by), by.issuers)
    receipt = receipt_of(settlement)
    made = f"reçu {receipt.title}" if receipt else "sans emploi pour le moment"
    return f"Débit {name}\u00a0: {format_euros(settlement.amount_cents)} enregistrés, {made}."


def _whose(step: Step, filled: Filled, by: Doer) -> Attempt | Invoice | Family | None:
    """Return the attempt, invoice or family that the debit is entered for; None if nobody is
    known. Raises Refused."""
    found: Attempt | Invoice | Family | None
    if step.whose == Whose.ATTEMPT:
        found = Attempt.get_or_none(Attempt.reference == step.reference)
    elif step.whose == Whose.INVOICE:
        of_regie = Invoice.regie == by.regie
        found = Invoice.get_or_none(Invoice.number == filled.invoice.strip(), of_regie)
    elif step.whose == Whose.FAMILY:
        found = Family.get_or_none(Family.code == filled.family.strip())
    else:
        return None
    if found is None:
        raise Refused(
            ["Rien ne s’appelle ainsi dans cette régie\u00a0: vérifiez le numéro ou le code."]
        )
    return found


def _own(settlement: Settlement, by: Doer) -> Settlement:
    """Return a payment of the *régie* by its name. Raises Refused if it is another *régie*'s."""
    if settlement.regie != by.regie:
        raise Refused(["Ce paiement est d’une autre régie."])
    return settlement


def _cents(step: Step, filled: Filled) -> int | None:
    return filled.cents if isinstance(step.cents, Blank) else step.cents


_DOES: Mapping[Act, Callable[[Step, Filled, Doer], str]] = {
    Act.CLOSE: _close,
    Act.CANCEL: _cancel,
    Act.UNTRANSMIT: _untransmit,
    Act.CHARGEBACK: _chargeback,
    Act.DROP_REFUND: _drop_refund,
    Act.REFUND: _refund,
    Act.APPLY: _apply,
    Act.RESTORE: _restore,
    Act.ENTER: _enter,
}
