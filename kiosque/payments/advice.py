"""Say what to do about an entry of the régisseur's list, as things are now: a sentence, then the
very commands."""

from collections.abc import Callable, Iterator, Mapping

from kiosque.db.models import Allocation, Anomaly, Invoice, Repayment, Settlement
from kiosque.db.states import (
    AllocationKind,
    AnomalyKind,
    InvoiceState,
    RepaymentState,
    SettlementState,
)
from kiosque.language.formats import format_euros
from kiosque.payments.ledger import owed_cents, settlements_of_payment
from kiosque.payments.names import name_of
from kiosque.payments.queries import settlement_of
from kiosque.payments.reversals import repayments_done
from kiosque.payments.words import ADVICE

#: The end of each command: somebody answers for it.
_WHO = '--author "…" --reason "…"'


def advice(point: Anomaly) -> list[str]:
    """Return what to do, in French: a sentence, then commands to choose from."""
    sentence, *commands = _ABOUT.get(AnomalyKind(point.kind), _plain)(point)
    return [sentence, *(f"python app.py {command} {_WHO}" for command in commands)]


def _plain(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind(point.kind)]


def _closable(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind(point.kind)]
    if point.attempt:
        yield f"close-attempt {point.attempt.reference}"


def _overpaid(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.OVERPAYMENT]
    if point.settlement:
        yield from _ways_to_empty(point.settlement, point.amount_cents)


def _unknown_order(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.UNKNOWN_ORDER]
    if not settlement_of(point.gateway, point.transaction_id):
        yield from _ways_to_enter(point)


def _mismatch(point: Anomaly) -> Iterator[str]:
    """Go by what the books hold under the bank's name, not by what was wrong with the message."""
    settlement = point.settlement or settlement_of(point.gateway, point.transaction_id)
    repayment = Repayment.get_or_none(
        Repayment.gateway == point.gateway,
        Repayment.transaction_id == point.transaction_id,
        Repayment.state == RepaymentState.DONE,
    )
    if repayment:
        given = format_euros(repayment.amount_cents)
        yield (
            f"Ce remboursement de {given} est enregistré. S’il n’a pas eu lieu, rétablissez le "
            "paiement."
        )
        yield from _ways_to_restore(repayment.settlement, repayment.amount_cents)
    elif settlement and settlement.state != SettlementState.COUNTED:
        yield "Ce débit est noté comme reparti. Si la banque l’a encaissé, rétablissez le paiement."
        yield from _ways_to_restore(settlement)
    elif settlement and owed_cents(settlement):
        yield ADVICE[AnomalyKind.OVERPAYMENT]
        yield from _ways_to_empty(settlement, owed_cents(settlement))
    elif settlement:
        yield (
            "Ce débit est enregistré. Comparez avec le back office de la banque : si son argent "
            "n’y est pas, notez-le."
        )
        yield f"chargeback {name_of(settlement)}"
    else:
        yield ADVICE[AnomalyKind.MISMATCH]
        yield from _ways_to_enter(point)


def _money_gone(point: Anomaly) -> Iterator[str]:
    """An invoice may have stayed paid: what came twice was given back, or another payment took
    over."""
    numbers = _reopened(point.settlement) if point.settlement else []
    if numbers:
        yield f"{ADVICE[AnomalyKind(point.kind)]} À régler : {', '.join(numbers)}."
    else:
        yield "Aucune facture n’est à régler pour autant."
    if point.kind == AnomalyKind.REFUNDED:
        yield from (f"cancel-invoice {number}" for number in numbers)
    if point.kind == AnomalyKind.REVERSED and point.settlement:
        yield from _ways_to_restore(point.settlement)


def _partial_refund(point: Anomaly) -> Iterator[str]:
    if point.settlement and point.settlement.state != SettlementState.COUNTED:
        yield "Ce paiement est reparti en entier depuis."
    else:
        yield ADVICE[AnomalyKind.PARTIAL_REFUND]


def _guessed(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.GUESSED_REFUND]
    if point.settlement:
        amount = _typed(point.amount_cents)
        yield from _ways_to_restore(point.settlement, point.amount_cents)
        yield from (
            f"refund {name_of(other)} --amount {amount} --elsewhere"
            for other in settlements_of_payment(point.settlement)
            if other.id != point.settlement.id and other.amount_cents >= point.amount_cents
        )


def _uncaptured(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.UNCAPTURED]
    for settlement in Settlement.select().where(
        Settlement.attempt == point.attempt, Settlement.state == SettlementState.COUNTED
    ):
        yield f"chargeback {name_of(settlement)}"


def _declined(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.DECLINED]
    settlement = point.settlement
    if settlement and (cents := min(point.amount_cents, settlement.remaining_cents)):
        yield f"refund {name_of(settlement)} --amount {_typed(cents)} --elsewhere"


def _unanswered(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.UNANSWERED_REFUND]
    if point.settlement:
        yield f"drop-refund {name_of(point.settlement)}"


_ABOUT: Mapping[AnomalyKind, Callable[[Anomaly], Iterator[str]]] = {
    AnomalyKind.OVERPAYMENT: _overpaid,
    AnomalyKind.MISMATCH: _mismatch,
    AnomalyKind.UNKNOWN_ORDER: _unknown_order,
    AnomalyKind.REVERSED: _money_gone,
    AnomalyKind.REFUNDED: _money_gone,
    AnomalyKind.PARTIAL_REFUND: _partial_refund,
    AnomalyKind.GUESSED_REFUND: _guessed,
    AnomalyKind.UNCAPTURED: _uncaptured,
    AnomalyKind.UNSETTLED: _closable,
    AnomalyKind.SILENT: _closable,
    AnomalyKind.DECLINED: _declined,
    AnomalyKind.UNANSWERED_REFUND: _unanswered,
}


def _ways_to_empty(settlement: Settlement, cents: int) -> Iterator[str]:
    name = name_of(settlement)
    elsewhere = "" if settlement.attempt_id else " --elsewhere"
    yield f"refund {name} --amount {_typed(cents)}{elsewhere}"
    yield f"apply-overpayment {name} FACTURE"


def _ways_to_restore(settlement: Settlement, cents: int | None = None) -> Iterator[str]:
    """Of a payment that has wholly left, what left last comes back first. Without `cents`, it
    alone."""
    done = repayments_done(settlement)
    last = done[-1].amount_cents if done and not settlement.remaining_cents else None
    amounts = dict.fromkeys(each for each in (last, cents) if each is not None)
    yield from (
        f"restore-payment {name_of(settlement)} --amount {_typed(amount)}" for amount in amounts
    )


def _ways_to_enter(point: Anomaly) -> Iterator[str]:
    """The debit is not in the books: if the bank has its money, it is to be entered."""
    if not point.transaction_id:
        return
    debit = (
        f"enter-payment {point.transaction_id} --gateway {point.gateway} "
        f"--amount {_typed(point.amount_cents)} --on AAAA-MM-JJ"
    )
    if point.attempt:
        yield f"{debit} --attempt {point.attempt.reference}"
    else:
        yield f"{debit} --invoice FACTURE"
        yield f"{debit} --family CODE"


def _typed(cents: int) -> str:
    """Write an amount as a command takes it."""
    return f"{cents // 100},{cents % 100:02d}"


def _reopened(settlement: Settlement) -> list[str]:
    """Return the numbers of the invoices that a payment paid and that are to be paid again."""
    paid = (
        Invoice.select(Invoice.number)
        .join(Allocation)
        .where(
            Allocation.settlement == settlement,
            Allocation.kind == AllocationKind.INVOICE,
            Invoice.state == InvoiceState.OPEN,
        )
        .order_by(Invoice.number)
    )
    return [invoice.number for invoice in paid]
