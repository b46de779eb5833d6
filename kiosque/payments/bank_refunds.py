"""Match each refund that the bank reports with the debit it gives back.

These steps belong inside `write()`. A bank may name no debit, report the refund before the debit,
or give it the debit's own name. A human is told of refunds left without a debit, and of guesses.
"""

from collections.abc import Iterable, Sequence

from peewee import Expression, ModelSelect

from gateways.base import Report
from kiosque.db.models import Allocation, Anomaly, Attempt, Fact, Repayment, Settlement
from kiosque.db.states import (
    AllocationKind,
    AnomalyKind,
    AttemptState,
    FactSource,
    RepaymentKind,
    SettlementState,
    Verdict,
)
from kiosque.payments.anomalies import flag_anomaly, list_again, resolve_by_itself
from kiosque.payments.bank_messages import KNOWN, RECORDED, Decision, flag_mismatch
from kiosque.payments.queries import repayment_of, settlement_of, settlements_of
from kiosque.payments.reported_facts import add_reported_fact
from kiosque.payments.reversals import (
    asked_of,
    book_repayment,
    create_repayment,
    gone_key,
    guess_key,
    mark_done,
)


def record_refund(attempt: Attempt, report: Report) -> Decision:
    """Record money that the bank gave back, in full or in part."""
    if report.currency != "EUR":
        return flag_mismatch(attempt, report, "devise inattendue")
    if is_refund_of_another(attempt, report.transaction_id):
        return flag_mismatch(
            attempt, report, "remboursement déjà enregistré pour un autre paiement"
        )
    debit = settlement_of(attempt.gateway, report.transaction_id)
    if debit and debit.attempt_id != attempt.id:
        return flag_mismatch(attempt, report, "remboursement du nom d’un débit d’un autre paiement")
    known = (
        Fact.select()
        .where(
            Fact.attempt == attempt,
            Fact.transaction_id == report.transaction_id,
            Fact.state == AttemptState.REFUNDED,
            Fact.source == FactSource.BANK,
        )
        .first()
    )
    if known:
        if known.amount_cents not in (0, report.cents):  # 0 was kept before amounts were
            return flag_mismatch(attempt, report, "montant différent pour un même remboursement")
        if agrees_with_guess(attempt, report.transaction_id, report.parent_id):
            return KNOWN
        return flag_mismatch(attempt, report, "remboursement d’un autre débit que celui choisi")
    loose = match_refunds(attempt, add_reported_fact(attempt, report))
    if report.transaction_id in loose:
        return Decision(Verdict.UNMATCHED_REFUND)
    return RECORDED


def is_refund_of_another(attempt: Attempt, transaction_id: str) -> bool:
    """Return whether this transaction of the bank is known as a refund of another payment."""
    repayment = repayment_of(attempt.gateway, transaction_id)
    return repayment is not None and repayment.settlement.attempt_id != attempt.id


def match_refunds(attempt: Attempt, facts: Iterable[Fact]) -> set[str]:
    """Match each refund that the bank told of with its debit, whichever arrived first. `facts` are
    all those of the attempt. Tell a human of the refunds that find no debit, and return their
    transactions; tell of those whose debit had to be guessed."""
    told = {fact.transaction_id: fact.parent_id for fact in facts if _is_refund(fact)}
    if not told:
        return set()
    loose = [fact for fact in _loose_refunds(attempt) if not _match(attempt, fact)]
    for fact in loose:
        flag_anomaly(
            _refund_key(attempt, fact.transaction_id),
            AnomalyKind.UNMATCHED_REFUND,
            fact.amount_cents,
            "remboursement à rapprocher",
            gateway=attempt.gateway,
            transaction_id=fact.transaction_id,
            attempt=attempt,
        )
    unmatched = {fact.transaction_id for fact in loose}
    debits = settlements_of(attempt.id)
    _flag_guesses(attempt, debits, {name for name, parent in told.items() if not parent})
    _flag_shared_names([each for each in debits if each.transaction_id in told.keys() - unmatched])
    return unmatched


def _is_refund(fact: Fact) -> bool:
    """Return True if the bank said that it gave money back. We ourselves add the fact that a whole
    debit has left: it does not count."""
    return fact.state == AttemptState.REFUNDED and fact.source != FactSource.PORTAL


def _match(attempt: Attempt, refund: Fact) -> bool:
    """Give a refund of the bank's to its debit. Return False when there is none."""
    debit = _debit_of(attempt, refund)
    if debit is None:
        return False
    asked = asked_of(debit)
    if asked and asked.amount_cents == refund.amount_cents:
        repayment = mark_done(asked, refund.transaction_id)
    else:
        repayment = create_repayment(
            debit,
            RepaymentKind.REFUND,
            refund.amount_cents,
            key=f"{attempt.gateway}:{refund.transaction_id}",
            transaction_id=refund.transaction_id,
        )
    key = _refund_key(attempt, refund.transaction_id)
    resolve_by_itself(Anomaly.key == key, "débit retrouvé")
    book_repayment(repayment, "remboursement à la banque")
    return True


def _flag_guesses(attempt: Attempt, debits: Sequence[Settlement], unnamed: set[str]) -> None:
    """Tell a human of each refund that may be of another debit of this attempt than the one chosen,
    because the bank did not name its debit. A refund that the staff asked for is no guess."""
    if len(debits) < 2:
        return
    guessed = (Repayment.transaction_id.in_(unnamed)) & (Repayment.author == "")
    for repayment in _bank_refunds(attempt).where(guessed):
        enough = [each for each in debits if each.amount_cents >= repayment.amount_cents]
        key = guess_key(repayment)
        if len(enough) > 1 and not Anomaly.select().where(Anomaly.key == key).exists():
            resolve_by_itself(_said_in_part(repayment), "dit avec le choix du débit")
            flag_anomaly(
                key,
                AnomalyKind.GUESSED_REFUND,
                repayment.amount_cents,
                "débit remboursé que la banque ne nomme pas\u00a0: choisi parmi plusieurs",
                gateway=attempt.gateway,
                transaction_id=repayment.transaction_id or "",
                attempt=attempt,
                settlement=repayment.settlement,
            )


def _flag_shared_names(debits: Sequence[Settlement]) -> None:
    """Tell a human of each debit whose transaction id is that of a refund matched earlier."""
    for debit in debits:
        flag_anomaly(
            f"shared_name:{debit.id}",
            AnomalyKind.MISMATCH,
            debit.amount_cents,
            "débit au même identifiant qu’un remboursement",
            gateway=debit.gateway or "",
            transaction_id=debit.transaction_id or "",
            attempt=debit.attempt,
            settlement=debit,
        )


def agrees_with_guess(attempt: Attempt, transaction_id: str, parent_id: str) -> bool:
    """Resolve the entry about a guess when the bank at last names the debit that we had guessed.
    Return False when it names another."""
    repayment = _bank_refunds(attempt).where(Repayment.transaction_id == transaction_id).first()
    if repayment is None or not parent_id:
        return True
    if repayment.settlement.transaction_id != parent_id:
        return False
    if resolve_by_itself(Anomaly.key == guess_key(repayment), "débit nommé par la banque"):
        list_again(_said_in_part(repayment))
    return True


def _said_in_part(repayment: Repayment) -> Expression:
    """Return the condition that an entry is about this partial refund, and not about the guess of
    its debit."""
    return (Anomaly.key == gone_key(repayment)) & (Anomaly.kind == AnomalyKind.PARTIAL_REFUND)


def _bank_refunds(attempt: Attempt) -> "ModelSelect[Repayment]":
    """Return the query of an attempt's refunds that have a transaction id of the bank's."""
    return (
        Repayment.select(Repayment, Settlement)
        .join(Settlement)
        .where(Settlement.attempt == attempt, Repayment.transaction_id.is_null(False))
        .order_by(Repayment.id)
    )


def _refund_key(attempt: Attempt, transaction_id: str) -> str:
    return f"unmatched_refund:{attempt.reference}:{transaction_id}"


def _loose_refunds(attempt: Attempt) -> list[Fact]:
    """Return the refunds that the bank told of and that no debit is matched with yet."""
    matched = Repayment.select(Repayment.transaction_id).where(
        Repayment.gateway == attempt.gateway, Repayment.transaction_id.is_null(False)
    )
    return list(
        Fact.select()
        .where(
            Fact.attempt == attempt,
            Fact.state == AttemptState.REFUNDED,
            Fact.source != FactSource.PORTAL,
            Fact.transaction_id.not_in(matched),
        )
        .order_by(Fact.id)
    )


def _debit_of(attempt: Attempt, refund: Fact) -> Settlement | None:
    """Return the debit that a refund gives back: the one the bank names; else, in this order of
    preference, one we asked a refund of, one known to be captured, one of exactly that amount, one
    that came twice, the last. Return None for a refund that bears the name of a debit."""
    if settlement_of(attempt.gateway, refund.transaction_id):
        return None
    enough = [
        each
        for each in Settlement.select().where(
            Settlement.attempt == attempt, Settlement.state == SettlementState.COUNTED
        )
        if each.remaining_cents >= refund.amount_cents
        and refund.parent_id in ("", each.transaction_id)
    ]

    def likeness(debit: Settlement) -> tuple[bool, bool, bool, bool, int]:
        asked = asked_of(debit)
        return (
            asked is not None and asked.amount_cents == refund.amount_cents,
            debit.final_at is not None,
            debit.remaining_cents == refund.amount_cents,
            _came_twice(debit),
            debit.id,
        )

    return max(enough, key=likeness, default=None)


def _came_twice(settlement: Settlement) -> bool:
    return (
        Allocation.select()
        .where(Allocation.settlement == settlement, Allocation.kind == AllocationKind.OVERPAYMENT)
        .exists()
    )
