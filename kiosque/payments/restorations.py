"""Money that is there after all, though the books say that it left: a refund that the bank
cancelled, a remittance that failed then passed, a chargeback won. A human saw it at the bank, and
answers for it."""

from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Repayment, Settlement
from kiosque.db.states import (
    AllocationKind,
    AnomalyKind,
    AttemptState,
    FactSource,
    RepaymentKind,
    RepaymentState,
    SettlementState,
)
from kiosque.language.formats import format_euros
from kiosque.payments import anomalies
from kiosque.payments.accounting_rules import book, owed_cents
from kiosque.payments.allocations import list_overpayment, use_part
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.cited_commands import Way
from kiosque.payments.queries import parts_of
from kiosque.payments.refusals import Refused, require_author_and_reason
from kiosque.payments.reversals import gone_key, guess_key, repayments_done, transaction_name
from kiosque.payments.taken_back import formers

_WHAT = {
    RepaymentKind.REFUND: "remboursement non abouti",
    RepaymentKind.REVERSAL: "débit rétabli",
    RepaymentKind.CHARGEBACK: "impayé annulé",
}


def restore(settlement: Settlement, cents: int | None, author: str, reason: str) -> Repayment:
    """Put back into the books the money of a repayment that did not happen in the end: the one of
    `cents`, or the only one. Return it.

    If a payment had wholly left, its last repayment must come back first: otherwise an invoice
    would be paid by money that is not there. The money pays what is still to pay of the invoices
    that it paid; the rest is a *trop-perçu*. Raises Refused, changing nothing.
    """
    require_author_and_reason(author, reason)
    with write():
        repayment = _repayment_of(settlement, cents, reason)
        label = f"{_WHAT[RepaymentKind(repayment.kind)]} ({author.strip()} : {reason.strip()})"
        _undo(repayment, author, reason)
        settlement = Settlement.get_by_id(settlement.id)
        had_left = settlement.state != SettlementState.COUNTED
        if had_left:
            _count_again(settlement, label)
        _list_overpayments_again(settlement)
        book(settlement, label, formers(settlement))
        anomalies.resolve(
            Anomaly.key.in_([gone_key(repayment), guess_key(repayment)])
            | (Anomaly.gateway == (settlement.gateway or ""))
            & Anomaly.transaction_id.in_(_names(settlement, repayment, had_left=had_left))
            & (Anomaly.kind == AnomalyKind.MISMATCH),
            author,
            f"{label} : rétabli",
        )
        if had_left:
            _list_unmatched_again(settlement)
        return Repayment.get_by_id(repayment.id)


def foresee_restoration(
    settlement: Settlement, cents: int | None, author: str, reason: str
) -> Repayment:
    """Return the repayment whose money `restore` would put back. Raises Refused."""
    require_author_and_reason(author, reason)
    return _repayment_of(settlement, cents, reason)


def _repayment_of(settlement: Settlement, cents: int | None, reason: str) -> Repayment:
    settlement = Settlement.get_by_id(settlement.id)
    if settlement.credit_id:
        raise Refused(
            [f"C’est un avoir, et non de l’argent\u00a0: affectez-le ({Way.APPLY_CREDIT})."]
        )
    done = repayments_done(settlement)
    if any(each.reason.endswith(f" : {reason.strip()})") for each in _undone(settlement)):
        raise Refused(
            ["C’est déjà fait, pour ce motif. S’il faut recommencer, donnez-en un autre."]
        )
    found = [each for each in done if cents in (None, each.amount_cents)]
    if not found:
        raise Refused(["Rien de tel n’est reparti de ce paiement : il n’y a rien à rétablir."])
    if len({each.amount_cents for each in found}) > 1:
        amounts = ", ".join(format_euros(each.amount_cents) for each in found)
        raise Refused(
            [f"Plusieurs sommes sont reparties ({amounts}) : dites laquelle ({Way.AMOUNT})."]
        )
    if not settlement.remaining_cents and found[-1] != done[-1]:
        first = format_euros(done[-1].amount_cents)
        raise Refused(
            [
                f"Ce paiement est reparti en entier : rétablissez d’abord les {first} "
                "repartis en dernier."
            ]
        )
    return found[-1]


def _undone(settlement: Settlement) -> list[Repayment]:
    return list(
        Repayment.select().where(
            Repayment.settlement == settlement, Repayment.state == RepaymentState.DECLINED
        )
    )


def _undo(repayment: Repayment, author: str, reason: str) -> None:
    Repayment.update(
        state=RepaymentState.DECLINED,
        done_at=None,
        # The debit may be undone once more: the new repayment then takes this one's name.
        key=f"{repayment.key}:{repayment.id}",
        author=repayment.author or author.strip(),
        reason=f"{repayment.reason} (rétabli, {author.strip()} : {reason.strip()})".strip(),
    ).where(Repayment.id == repayment.id).execute()
    Settlement.update(returned_cents=Settlement.returned_cents - repayment.amount_cents).where(
        Settlement.id == repayment.settlement_id
    ).execute()


def _count_again(settlement: Settlement, label: str) -> None:
    """Make a settlement that had wholly left pay its invoices again, as far as they are due."""
    Settlement.update(state=SettlementState.COUNTED).where(Settlement.id == settlement.id).execute()
    parts = list(Allocation.select().where(Allocation.settlement == settlement))
    Allocation.update(counts=True).where(Allocation.settlement == settlement).execute()
    for part in parts:
        if part.kind == AllocationKind.INVOICE and part.invoice:
            Allocation.update(kind=AllocationKind.OVERPAYMENT).where(
                Allocation.id == part.id
            ).execute()
            use_part(part, part.invoice, part.author, part.reason, came_for=part.came_for)
    if settlement.attempt:
        awaited = all(part.kind != AllocationKind.UNMATCHED for part in parts)
        add_fact(
            settlement.attempt,
            transaction_name(settlement, restored=True),
            AttemptState.PAID if awaited else AttemptState.PENDING,
            label[:200],
            source=FactSource.REGISSEUR,
            cents=settlement.amount_cents,
        )


def _list_overpayments_again(settlement: Settlement) -> None:
    """Put back on the list the *trop-perçus* that are owed to the family again."""
    if not owed_cents(settlement):
        return
    for part in parts_of(settlement):
        if part.kind == AllocationKind.OVERPAYMENT and part.invoice_id:
            list_overpayment(settlement, part.invoice_id)


def _list_unmatched_again(settlement: Settlement) -> None:
    """Put back on the list money without a use that is there again."""
    if any(part.kind == AllocationKind.UNMATCHED for part in parts_of(settlement)):
        anomalies.list_again(Anomaly.key == anomalies.kept_key(settlement))
        anomalies.flag_kept(settlement, "débit rétabli, sans emploi")


def _names(settlement: Settlement, repayment: Repayment, *, had_left: bool) -> list[str]:
    """Return the bank's names of what was restored: the repayment's, and the debit's if it had
    wholly left."""
    names = (settlement.transaction_id if had_left else "", repayment.transaction_id)
    return [name for name in names if name]
