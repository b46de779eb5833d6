"""Money given back or lost by the régisseur's decision, with a name and a reason."""

import secrets

from gateways.base import Gateway, Refunds
from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Fact, Repayment, Settlement
from kiosque.db.states import (
    AnomalyKind,
    AttemptState,
    FactSource,
    RepaymentKind,
    RepaymentState,
    SettlementState,
)
from kiosque.language import clock, formats
from kiosque.language.formats import format_euros
from kiosque.payments.anomalies import resolve
from kiosque.payments.cited_commands import Way
from kiosque.payments.queries import repayment_of
from kiosque.payments.refusals import Refused, require_author_and_reason
from kiosque.payments.reversals import book_repayment, end_request


def ask_refund(
    settlement: Settlement, cents: int | None, author: str, reason: str, gateway: Gateway | None
) -> Repayment:
    """Record that the bank must give back `cents`, or all that remains, before it is asked to.

    Raises Refused, changing nothing: no author or reason, more than remains, a request under way, a
    payment that no bank can give back, or a refund of the same amount and reason already done.
    """
    if not isinstance(gateway, Refunds) or settlement.attempt_id is None:
        raise Refused(
            [
                "Cette banque ne rembourse pas sur demande. Remboursez autrement, puis "
                f"notez-le ({Way.ELSEWHERE})."
            ]
        )
    with write():
        amount = foresee_repayment(settlement, RepaymentKind.REFUND, cents, author, reason)
        return _create_request(settlement, RepaymentKind.REFUND, amount, author, reason)


def record_repayment(
    settlement: Settlement,
    kind: RepaymentKind,
    cents: int | None,
    author: str,
    reason: str,
    *,
    transaction_id: str | None = None,
) -> Repayment:
    """Record money that left without a request of ours to the bank: given back by transfer or in
    cash, or taken back by the payer's bank. For a refund that the bank made by itself,
    `transaction_id` is its name there, so that the bank's reports of it, past or future, are
    recognised. Raises Refused, changing nothing."""
    label = {
        RepaymentKind.REFUND: "remboursement hors ligne",
        RepaymentKind.CHARGEBACK: "impayé",
    }[kind]
    with write():
        amount = foresee_repayment(settlement, kind, cents, author, reason)
        if transaction_id is not None:
            _require_new_refund(settlement, transaction_id, amount)
            label = "remboursement vu à la banque"
        repayment = _create_request(settlement, kind, amount, author, reason)
        end_request(repayment, RepaymentState.DONE, transaction_id)
        book_repayment(Repayment.get_by_id(repayment.id), label)
        if transaction_id is not None:
            _resolve_told(settlement, transaction_id, author, label)
        return Repayment.get_by_id(repayment.id)


def _require_new_refund(settlement: Settlement, transaction_id: str, cents: int) -> None:
    """Raise Refused if what we know of the bank's refund of this name excludes this one."""
    if settlement.gateway is None:
        raise Refused(["Ce paiement n’est pas passé par une banque."])
    if not transaction_id:
        raise Refused(["Donnez l’identifiant du remboursement à la banque."])
    if repayment_of(settlement.gateway, transaction_id):
        raise Refused(["Ce remboursement est déjà enregistré."])
    told = (
        Fact.select()
        .join(Attempt)
        .where(
            Attempt.gateway == settlement.gateway,
            Fact.transaction_id == transaction_id,
            Fact.state == AttemptState.REFUNDED,
            Fact.source == FactSource.BANK,
        )
        .first()
    )
    if told and told.amount_cents not in (0, cents):
        given = format_euros(told.amount_cents)
        raise Refused([f"La banque dit avoir rendu {given} par ce remboursement."])


def _resolve_told(settlement: Settlement, transaction_id: str, author: str, label: str) -> None:
    """Resolve the entries about the bank's reports of a refund that is entered now."""
    told = (AnomalyKind.UNMATCHED_REFUND, AnomalyKind.UNKNOWN_ORDER, AnomalyKind.MISMATCH)
    named = (Anomaly.gateway == settlement.gateway) & (Anomaly.transaction_id == transaction_id)
    resolve(named & Anomaly.kind.in_(told), author, label)


def foresee_repayment(
    settlement: Settlement, kind: RepaymentKind, cents: int | None, author: str, reason: str
) -> int:
    """Return the cents that would leave: those asked for, or all that remains. Raises Refused."""
    require_author_and_reason(author, reason)
    settlement = Settlement.get_by_id(settlement.id)
    if settlement.credit_id:
        raise Refused(
            [f"C’est un avoir, et non de l’argent\u00a0: reprenez-le ({Way.UNAPPLY_CREDIT})."]
        )
    if settlement.state != SettlementState.COUNTED:
        raise Refused(["Ce paiement a déjà été annulé ou remboursé en entier."])
    amount = settlement.remaining_cents if cents is None else cents
    if not 0 < amount <= settlement.remaining_cents:
        most = format_euros(settlement.remaining_cents)
        raise Refused([f"Il reste au plus {most} à rendre sur ce paiement."])
    of_this = Repayment.select().where(Repayment.settlement == settlement)
    if of_this.where(Repayment.state == RepaymentState.ASKED).exists():
        raise Refused(
            ["Un remboursement de ce paiement est déjà demandé\u00a0: attendez sa réponse."]
        )
    # Refuse a command repeated because its answer was missed, but not a second refund of as much.
    same = of_this.where(
        Repayment.state == RepaymentState.DONE,
        Repayment.kind == kind,
        Repayment.amount_cents == amount,
        Repayment.reason == reason.strip(),
    ).first()
    if same:
        day = formats.long_date(clock.paris_date(same.done_at))
        raise Refused(
            [
                f"C’est déjà fait, le {day}, pour ce montant et ce motif. S’il faut "
                "recommencer, donnez un autre motif."
            ]
        )
    return amount


def _create_request(
    settlement: Settlement, kind: RepaymentKind, cents: int, author: str, reason: str
) -> Repayment:
    return Repayment.create(
        settlement=settlement,
        kind=kind,
        state=RepaymentState.ASKED,
        amount_cents=cents,
        key=f"KFR{secrets.token_hex(9)}",
        gateway=settlement.gateway,
        asked_at=clock.now(),
        author=author.strip(),
        reason=reason.strip(),
    )
