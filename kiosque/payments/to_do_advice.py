"""Say what to do about an entry of the régisseur's list, as things are now: a sentence, then the
exact steps. There is always at least one step: to take the entry off the list."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from kiosque.db.models import Anomaly, Fact, Repayment, Settlement
from kiosque.db.states import (
    DENIED,
    UNDECIDED,
    AnomalyKind,
    AttemptState,
    FactSource,
    InvoiceState,
    RepaymentState,
    SettlementState,
)
from kiosque.language.formats import format_euros
from kiosque.payments import steps
from kiosque.payments.accounting_rules import owed_cents, settlements_of_payment
from kiosque.payments.cited_commands import Way
from kiosque.payments.payment_names import name_of
from kiosque.payments.queries import settlement_of, settlements_of
from kiosque.payments.reversals import (
    reopened_by,
    repayments_done,
    taken_over_by_treasury,
)
from kiosque.payments.steps import Blank, Step
from kiosque.payments.words import ADVICE


class Advice(NamedTuple):
    """A sentence, in French, that says how to settle an anomaly, and the steps to choose from."""

    sentence: str
    steps: tuple[Step, ...]


def advice(point: Anomaly) -> Advice:
    """Return what to do about an entry of the list."""
    sentence, found = _ABOUT.get(AnomalyKind(point.kind), _plain)(point)
    return Advice(sentence, tuple(found) or (steps.resolve(point),))


#: A sentence, and the steps; without any, the entry is only to be taken off the list.
_Said = tuple[str, Iterable[Step]]


def _plain(point: Anomaly) -> _Said:
    return ADVICE[AnomalyKind(point.kind)], ()


def _unserved(_point: Anomaly) -> _Said:
    return ADVICE[AnomalyKind.UNSERVED], [steps.gateways()]


def _closable(point: Anomaly) -> _Said:
    """Advise to close the attempt, unless it has been decided meanwhile."""
    if point.attempt and AttemptState(point.attempt.state) in UNDECIDED:
        return ADVICE[AnomalyKind(point.kind)], [steps.close(point.attempt)]
    return "Ce paiement est décidé : voyez à la banque si elle en dit autant.", ()


def _overpaid(point: Anomaly) -> _Said:
    invoice = point.invoice
    ways = steps.ways_to_empty(point.settlement, point.amount_cents) if point.settlement else ()
    if invoice is None or invoice.state != InvoiceState.TRANSMITTED:
        return ADVICE[AnomalyKind.OVERPAYMENT], ways
    return (
        f"Le Trésor public réclame la facture {invoice.number} : rendez cet argent ; ou, s’il en "
        "est d’accord, reprenez la facture, et cet argent la paie.",
        [*ways, steps.untransmit(invoice.number)],
    )


def _unknown_order(point: Anomaly) -> _Said:
    """Advise by what the books hold under the bank's name, then by what the bank said."""
    if settlement_of(point.gateway, point.transaction_id):
        return "Ce débit est enregistré : ce message n’y ajoute rien.", ()
    if _repayment(point):
        return "Ce remboursement est enregistré : ce message n’y ajoute rien.", ()
    if point.outcome == AttemptState.REFUNDED:
        return (
            "La banque a rendu cette somme d’une commande inconnue : notez-le sur le débit qu’elle "
            f"rend, après l’avoir entré s’il manque ({Way.ENTER}).",
            [steps.refund_told(point, Blank.PAYMENT)],
        )
    if point.outcome in DENIED:
        return "Rien n’a été encaissé pour cette commande, d’après la banque.", ()
    return ADVICE[AnomalyKind.UNKNOWN_ORDER], steps.ways_to_enter(point)


def _mismatch(point: Anomaly) -> _Said:
    """Advise by what the books hold under the bank's name, not by what was wrong in the message."""
    settlement = point.settlement or settlement_of(point.gateway, point.transaction_id)
    if repayment := _repayment(point):
        given = format_euros(repayment.amount_cents)
        return (
            f"Ce remboursement de {given} est enregistré. S’il n’a pas eu lieu, rétablissez le "
            "paiement.",
            steps.ways_to_restore(repayment.settlement, repayment.amount_cents),
        )
    if settlement and settlement.state != SettlementState.COUNTED:
        return (
            "Ce débit est noté comme reparti. Si la banque l’a encaissé, rétablissez le paiement.",
            steps.ways_to_restore(settlement),
        )
    if settlement and (owed := owed_cents(settlement)):
        return ADVICE[AnomalyKind.OVERPAYMENT], steps.ways_to_empty(settlement, owed)
    return _booked(point, settlement) if settlement else _not_booked(point)


def _booked(point: Anomaly, settlement: Settlement) -> _Said:
    """Advise about a debit that is booked and in use, of which the bank said something odd too."""
    cents = format_euros(settlement.amount_cents)
    done = steps.resolve(point)
    if _is_denied(point):
        return (
            f"Ce débit de {cents} est enregistré, et la banque a dit aussi qu’il n’y est pas. S’il "
            "n’y est pas, notez-le.",
            [steps.chargeback(settlement), done],
        )
    if point.outcome == AttemptState.REFUNDED:
        return (
            f"Ce débit de {cents} est enregistré. Si la banque l’a rendu, notez-le.",
            [steps.refund_elsewhere(settlement, point.amount_cents), done],
        )
    return (
        f"Ce débit de {cents} est enregistré, et ce message n’y a rien changé. Si la banque "
        "montre ce montant, il n’y a rien à faire.",
        [done],
    )


def _not_booked(point: Anomaly) -> _Said:
    """Advise when the books hold nothing under the name that the bank gave."""
    debits = settlements_of(point.attempt.id) if point.attempt else []
    there = [each for each in debits if each.state == SettlementState.COUNTED]
    done = steps.resolve(point)
    if point.outcome == AttemptState.REFUNDED:
        told = (steps.refund_told(point, name_of(each)) for each in there)
        words = "Si la banque a rendu cette somme, notez-le sur le débit qu’elle rend."
        return words, [*told, done]
    if point.outcome in DENIED:
        return (
            "Si c’est le débit de ce paiement qui est reparti, notez-le.",
            [*map(steps.chargeback, there), done],
        )
    if point.outcome == AttemptState.PENDING:
        words = (
            "Ce message ne dit rien de sûr. Si la banque montre un débit encaissé de ce nom, "
            "entrez-le ; d’un remboursement qui a échoué, ou d’une carte vérifiée sans débit, il "
            "n’y a rien à noter."
        )
        return words, [*steps.ways_to_enter(point), done]
    return ADVICE[AnomalyKind.MISMATCH], [*steps.ways_to_enter(point), done]


def _is_denied(point: Anomaly) -> bool:
    """Return whether the bank has said, once at least, that a debit is not there."""
    denied = Fact.select().where(
        Fact.attempt == point.attempt,
        Fact.transaction_id == point.transaction_id,
        Fact.state.in_(DENIED),
        Fact.source == FactSource.BANK,
    )
    return point.outcome in DENIED or denied.exists()


def _repayment(point: Anomaly) -> Repayment | None:
    """Return the repayment in the books that the bank calls by this name."""
    found: Repayment | None = Repayment.get_or_none(
        Repayment.gateway == point.gateway,
        Repayment.transaction_id == point.transaction_id,
        Repayment.state == RepaymentState.DONE,
    )
    return found


def _money_gone(point: Anomaly) -> _Said:
    """Advise about money that left. The invoice may still be paid, because what left had come twice
    or because another payment took over; and the money may have been restored since."""
    numbers = reopened_by(point.settlement) if point.settlement else []
    theirs = taken_over_by_treasury(point.settlement) if point.settlement else []
    words = "Aucune facture n’est à régler pour autant."
    if theirs:
        words = f"Dites au Trésor public que cette part n’est plus payée : {', '.join(theirs)}."
    elif numbers:
        words = f"{ADVICE[AnomalyKind(point.kind)]} À régler : {', '.join(numbers)}."
    to_cancel = numbers if point.kind == AnomalyKind.REFUNDED else ()
    back = steps.ways_to_restore(point.settlement) if point.settlement else ()
    return words, [*map(steps.cancel, to_cancel), *back, steps.resolve(point)]


def _partial_refund(point: Anomaly) -> _Said:
    if point.settlement and point.settlement.state != SettlementState.COUNTED:
        return "Ce paiement est reparti en entier depuis.", ()
    return ADVICE[AnomalyKind.PARTIAL_REFUND], ()


def _unmatched_refund(point: Anomaly) -> _Said:
    """Advise about a refund without a debit. The debit may be missing, have another name at the
    bank, or have been repaid already in the books, by a chargeback or by the town."""
    known = settlements_of(point.attempt.id) if point.attempt else []
    if emptied := _emptied(point, known):
        last = repayments_done(emptied)[-1].amount_cents
        return (
            "Les comptes disent déjà rendu ou reparti l’argent de ce débit. Si c’est le même, il "
            "n’y a rien de plus à noter ; si la banque l’a rendu en plus, demandez-le à la "
            "famille.",
            [*steps.ways_to_restore(emptied, last), steps.resolve(point)],
        )
    large = (
        each
        for each in [*known, *_entered_apart(point)]
        if each.remaining_cents >= point.amount_cents
    )
    told = (steps.refund_told(point, name_of(each)) for each in large)
    return ADVICE[AnomalyKind.UNMATCHED_REFUND], [*told, steps.enter_its_debit(point)]


def _emptied(point: Anomaly, debits: Sequence[Settlement]) -> Settlement | None:
    """Return the debit that a refund may be of but that no longer has that much, if no other debit
    has enough."""
    large = [each for each in debits if each.amount_cents >= point.amount_cents]
    if any(each.remaining_cents >= point.amount_cents for each in large):
        return None
    fact = Fact.get_or_none(
        Fact.attempt == point.attempt,
        Fact.transaction_id == point.transaction_id,
        Fact.state == AttemptState.REFUNDED,
    )
    parent = fact.parent_id if fact else ""
    return next((each for each in large if parent in ("", each.transaction_id)), None)


def _entered_apart(point: Anomaly) -> list[Settlement]:
    """Return the debit that the bank gave back, when it was entered by hand without its attempt."""
    fact = Fact.get_or_none(
        Fact.attempt == point.attempt,
        Fact.transaction_id == point.transaction_id,
        Fact.state == AttemptState.REFUNDED,
        Fact.parent_id != "",
    )
    debit = settlement_of(point.gateway, fact.parent_id) if fact else None
    return [debit] if debit and debit.attempt_id is None else []


def _guessed(point: Anomaly) -> _Said:
    found: list[Step] = []
    if point.settlement:
        found += steps.ways_to_restore(point.settlement, point.amount_cents)
        found += (
            steps.refund_elsewhere(other, point.amount_cents)
            for other in settlements_of_payment(point.settlement)
            if other.id != point.settlement.id and other.amount_cents >= point.amount_cents
        )
    return ADVICE[AnomalyKind.GUESSED_REFUND], [*found, steps.resolve(point)]


def _uncaptured(point: Anomaly) -> _Said:
    debits = settlements_of(point.attempt.id) if point.attempt else ()
    there = (each for each in debits if each.state == SettlementState.COUNTED)
    return ADVICE[AnomalyKind.UNCAPTURED], map(steps.chargeback, there)


def _declined(point: Anomaly) -> _Said:
    settlement = point.settlement
    cents = min(point.amount_cents, settlement.remaining_cents) if settlement else 0
    ways = [steps.refund_elsewhere(settlement, cents)] if settlement and cents else ()
    return ADVICE[AnomalyKind.DECLINED], ways


def _unanswered(point: Anomaly) -> _Said:
    ways = [steps.drop_refund(point.settlement)] if point.settlement else ()
    return ADVICE[AnomalyKind.UNANSWERED_REFUND], ways


def _restored(point: Anomaly) -> _Said:
    return ADVICE[AnomalyKind.RESTORED], [*steps.ways_to_enter(point), steps.resolve(point)]


_ABOUT: Mapping[AnomalyKind, Callable[[Anomaly], _Said]] = {
    AnomalyKind.OVERPAYMENT: _overpaid,
    AnomalyKind.MISMATCH: _mismatch,
    AnomalyKind.UNKNOWN_ORDER: _unknown_order,
    AnomalyKind.REVERSED: _money_gone,
    AnomalyKind.REFUNDED: _money_gone,
    AnomalyKind.PARTIAL_REFUND: _partial_refund,
    AnomalyKind.UNMATCHED_REFUND: _unmatched_refund,
    AnomalyKind.GUESSED_REFUND: _guessed,
    AnomalyKind.UNCAPTURED: _uncaptured,
    AnomalyKind.UNSETTLED: _closable,
    AnomalyKind.SILENT: _closable,
    AnomalyKind.UNSERVED: _unserved,
    AnomalyKind.DECLINED: _declined,
    AnomalyKind.UNANSWERED_REFUND: _unanswered,
    AnomalyKind.RESTORED: _restored,
}
