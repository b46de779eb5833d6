"""Say what to do about an entry of the régisseur's list, as things are now: a sentence, then the
very commands. Each entry has one: at least that which takes it off the list."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from kiosque import resources
from kiosque.db.models import Anomaly, Fact, Repayment, Settlement
from kiosque.db.states import (
    DENIED,
    UNDECIDED,
    AnomalyKind,
    AttemptState,
    FactSource,
    RepaymentState,
    SettlementState,
)
from kiosque.language.formats import format_euros
from kiosque.payments import advised_commands as commands
from kiosque.payments.ledger import owed_cents, settlements_of_payment
from kiosque.payments.names import name_of
from kiosque.payments.queries import settlement_of, settlements_of
from kiosque.payments.reversals import reopened_by, repayments_done
from kiosque.payments.words import ADVICE


def advice(point: Anomaly) -> list[str]:
    """Return what to do, in French: a sentence, then commands to choose from."""
    sentence, *found = _ABOUT.get(AnomalyKind(point.kind), _plain)(point)
    found = found or [commands.resolve(point)]
    return [sentence, *map(resources.typed, found)]


def _plain(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind(point.kind)]


def _unserved(_point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.UNSERVED]
    yield "gateways"


def _closable(point: Anomaly) -> Iterator[str]:
    """One that is decided since is closed no more."""
    if point.attempt and AttemptState(point.attempt.state) in UNDECIDED:
        yield ADVICE[AnomalyKind(point.kind)]
        yield commands.close(point.attempt)
    else:
        yield "Ce paiement est décidé : voyez à la banque si elle en dit autant."


def _overpaid(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.OVERPAYMENT]
    if point.settlement:
        yield from commands.ways_to_empty(point.settlement, point.amount_cents)


def _unknown_order(point: Anomaly) -> Iterator[str]:
    """Go by what the books hold under the bank's name, then by what the bank said."""
    if settlement_of(point.gateway, point.transaction_id):
        yield "Ce débit est enregistré : ce message n’y ajoute rien."
    elif _repayment(point):
        yield "Ce remboursement est enregistré : ce message n’y ajoute rien."
    elif point.outcome == AttemptState.REFUNDED:
        yield (
            "La banque a rendu cette somme d’une commande inconnue : notez-le sur le débit qu’elle "
            "rend, après l’avoir entré s’il manque (enter-payment)."
        )
        yield commands.refund_told(point, "PAIEMENT")
    elif point.outcome in DENIED:
        yield "Rien n’a été encaissé pour cette commande, d’après la banque."
    else:
        yield ADVICE[AnomalyKind.UNKNOWN_ORDER]
        yield from commands.ways_to_enter(point)


def _mismatch(point: Anomaly) -> Iterator[str]:
    """Go by what the books hold under the bank's name, not by what was wrong with the message."""
    settlement = point.settlement or settlement_of(point.gateway, point.transaction_id)
    if repayment := _repayment(point):
        given = format_euros(repayment.amount_cents)
        yield (
            f"Ce remboursement de {given} est enregistré. S’il n’a pas eu lieu, rétablissez le "
            "paiement."
        )
        yield from commands.ways_to_restore(repayment.settlement, repayment.amount_cents)
    elif settlement and settlement.state != SettlementState.COUNTED:
        yield "Ce débit est noté comme reparti. Si la banque l’a encaissé, rétablissez le paiement."
        yield from commands.ways_to_restore(settlement)
    elif settlement and owed_cents(settlement):
        yield ADVICE[AnomalyKind.OVERPAYMENT]
        yield from commands.ways_to_empty(settlement, owed_cents(settlement))
    elif settlement:
        yield from _booked(point, settlement)
    else:
        yield from _not_booked(point)


def _booked(point: Anomaly, settlement: Settlement) -> Iterator[str]:
    """A debit in the books, in use, of which the bank said something odd besides."""
    cents = format_euros(settlement.amount_cents)
    if _is_denied(point):
        yield (
            f"Ce débit de {cents} est enregistré, et la banque a dit aussi qu’il n’y est pas. S’il "
            "n’y est pas, notez-le."
        )
        yield commands.chargeback(settlement)
    elif point.outcome == AttemptState.REFUNDED:
        yield f"Ce débit de {cents} est enregistré. Si la banque l’a rendu, notez-le."
        yield commands.refund_elsewhere(settlement, point.amount_cents)
    else:
        yield (
            f"Ce débit de {cents} est enregistré, et ce message n’y a rien changé. Si la banque "
            "montre ce montant, il n’y a rien à faire."
        )
    yield commands.resolve(point)


def _not_booked(point: Anomaly) -> Iterator[str]:
    """Nothing is in the books under the name that the bank gave."""
    debits = settlements_of(point.attempt.id) if point.attempt else []
    there = [each for each in debits if each.state == SettlementState.COUNTED]
    if point.outcome == AttemptState.REFUNDED:
        yield "Si la banque a rendu cette somme, notez-le sur le débit qu’elle rend."
        yield from (commands.refund_told(point, name_of(each)) for each in there)
    elif point.outcome in DENIED:
        yield "Si c’est le débit de ce paiement qui est reparti, notez-le."
        yield from map(commands.chargeback, there)
    else:
        yield ADVICE[AnomalyKind.MISMATCH]
        yield from commands.ways_to_enter(point)
    yield commands.resolve(point)


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


def _money_gone(point: Anomaly) -> Iterator[str]:
    """An invoice may have stayed paid: what came twice was given back, or another payment took
    over. The money may be there once more."""
    if point.settlement and point.settlement.state == SettlementState.COUNTED:
        yield "Ce paiement est rétabli depuis : il n’y a plus rien à faire."
        return
    numbers = reopened_by(point.settlement) if point.settlement else []
    if numbers:
        yield f"{ADVICE[AnomalyKind(point.kind)]} À régler : {', '.join(numbers)}."
    else:
        yield "Aucune facture n’est à régler pour autant."
    if point.kind == AnomalyKind.REFUNDED:
        yield from map(commands.cancel, numbers)
    if point.settlement:
        yield from commands.ways_to_restore(point.settlement)
    yield commands.resolve(point)


def _partial_refund(point: Anomaly) -> Iterator[str]:
    if point.settlement and point.settlement.state != SettlementState.COUNTED:
        yield "Ce paiement est reparti en entier depuis."
    else:
        yield ADVICE[AnomalyKind.PARTIAL_REFUND]


def _unmatched_refund(point: Anomaly) -> Iterator[str]:
    """Of a debit that is missing, of one that the bank names in another way, or of one that has
    given this money already, in the books: by a chargeback, or elsewhere."""
    known = settlements_of(point.attempt.id) if point.attempt else []
    if emptied := _emptied(point, known):
        yield (
            "Les comptes disent déjà rendu ou reparti l’argent de ce débit. Si c’est le même, il "
            "n’y a rien de plus à noter ; si la banque l’a rendu en plus, demandez-le à la famille."
        )
        last = repayments_done(emptied)[-1].amount_cents
        yield from commands.ways_to_restore(emptied, last)
        yield commands.resolve(point)
        return
    yield ADVICE[AnomalyKind.UNMATCHED_REFUND]
    for settlement in [*known, *_entered_apart(point)]:
        if settlement.remaining_cents >= point.amount_cents:
            yield commands.refund_told(point, name_of(settlement))
    yield commands.enter_its_debit(point)


def _emptied(point: Anomaly, debits: Sequence[Settlement]) -> Settlement | None:
    """Return the debit that a refund may be of and that has no longer that much, where no other
    has."""
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


def _guessed(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.GUESSED_REFUND]
    if point.settlement:
        yield from commands.ways_to_restore(point.settlement, point.amount_cents)
        yield from (
            commands.refund_elsewhere(other, point.amount_cents)
            for other in settlements_of_payment(point.settlement)
            if other.id != point.settlement.id and other.amount_cents >= point.amount_cents
        )
    yield commands.resolve(point)


def _uncaptured(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.UNCAPTURED]
    for settlement in settlements_of(point.attempt.id) if point.attempt else ():
        if settlement.state == SettlementState.COUNTED:
            yield commands.chargeback(settlement)


def _declined(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.DECLINED]
    settlement = point.settlement
    if settlement and (cents := min(point.amount_cents, settlement.remaining_cents)):
        yield commands.refund_elsewhere(settlement, cents)


def _unanswered(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.UNANSWERED_REFUND]
    if point.settlement:
        yield commands.drop_refund(point.settlement)


def _restored(point: Anomaly) -> Iterator[str]:
    yield ADVICE[AnomalyKind.RESTORED]
    yield from commands.ways_to_enter(point)
    yield commands.resolve(point)


_ABOUT: Mapping[AnomalyKind, Callable[[Anomaly], Iterator[str]]] = {
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
