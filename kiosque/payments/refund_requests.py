"""Send to the banks the requests for money back, until their outcome is known.

No network is used inside a transaction. A request may be sent again: the gateway compares what is
already given back with what we know.
"""

from concurrent.futures import Future
from datetime import datetime, timedelta

from gateways.base import (
    Declined,
    Gateway,
    GatewayError,
    RefundRequest,
    Refunds,
    Report,
    Unreachable,
)
from kiosque.db import write
from kiosque.db.models import Repayment, Settlement
from kiosque.db.states import AnomalyKind, RepaymentState
from kiosque.language import clock
from kiosque.payments import gateway_calls
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.gateway_calls import REFUND_SECONDS, CallOutcome
from kiosque.payments.incoming import record_answer
from kiosque.payments.orders import order_of
from kiosque.payments.receipts import Issuers
from kiosque.payments.refusals import Refused, require_author_and_reason
from kiosque.payments.reversals import end_request, silence_key

#: A request whose outcome is not known is sent again after this. It is longer than any gateway
#: takes to send one, so that repeating it is harmless.
SENT_AGAIN_AFTER = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=1)
#: After this without an answer, a human is told, once.
SILENCE = timedelta(days=1)
#: After this, stop sending a request: the family may have been paid back in another way.
GIVEN_UP_AFTER = timedelta(days=7)


def send_refund(
    repayment: Repayment, gateway: Gateway, public_url: str, issuers: Issuers
) -> Repayment:
    """Send the request to the bank, or send it again, and apply its answer.

    The repayment returned is done; or declined, and its `reason` ends with the bank's words; or
    still asked, if the outcome is not known: it will be sent again later.
    """
    if not isinstance(gateway, Refunds):
        raise TypeError("this gateway gives nothing back")
    sending = begin_sending(repayment, gateway, public_url)
    if sending is not None:
        finish_sending(repayment, sending, issuers, seconds=REFUND_SECONDS)
    return Repayment.get_by_id(repayment.id)


def begin_sending(
    repayment: Repayment, gateway: Refunds, public_url: str
) -> "Future[list[Report]] | None":
    """Send a request to the bank; `finish_sending` takes the answer. Return None for one that
    another process has just sent."""
    settlement = Settlement.get_by_id(repayment.settlement_id)
    if settlement.attempt is None:
        raise TypeError("this gateway gives nothing back")
    if not _claim_sending(repayment):  # a write of its own: inside another, it raises
        return None
    request = RefundRequest(
        transaction_id=settlement.transaction_id or "",
        cents=repayment.amount_cents,
        returned_cents=settlement.returned_cents,
        key=repayment.key,
    )
    return gateway_calls.refund(gateway, order_of(settlement.attempt, public_url), request)


def finish_sending(
    repayment: Repayment,
    sending: "Future[list[Report]]",
    issuers: Issuers,
    *,
    seconds: float = 0.0,
) -> CallOutcome:
    """Wait at most `seconds` for the bank's answer and apply it; tell a human when the outcome is
    not known after SILENCE."""
    outcome = CallOutcome.GIVEN
    try:
        _apply_answer(repayment, gateway_calls.wait_for(sending, seconds), issuers)
    except Declined as declined:
        _apply_refusal(repayment, str(declined))
    except GatewayError as error:
        outcome = gateway_calls.outcome_of(error)
    except Exception as error:  # noqa: BLE001  # an answer may hold anything
        outcome = gateway_calls.outcome_of(error)
        gateway_calls.log_defect(f"refund {repayment.key}", error)
    _tell_of_silence(repayment)
    return outcome


def refunds_due(gateway_name: str, limit: int) -> list[Repayment]:
    """Return the requests to one bank whose outcome is not known, to be sent again now: after
    pauses that grow, and until GIVEN_UP_AFTER."""
    now = clock.now()
    waiting = Repayment.select().where(
        Repayment.gateway == gateway_name,
        Repayment.state == RepaymentState.ASKED,
        Repayment.asked_at > now - GIVEN_UP_AFTER,
    )
    due = [each for each in waiting.order_by(Repayment.id) if _next_sending(each) <= now]
    return due[:limit]


def drop_refund(settlement: Settlement, author: str, reason: str) -> Repayment:
    """End a request that the bank does not answer, once a human saw there that it gave nothing
    back. If the bank reports the refund later, it is booked as usual. Raises Refused when there is
    no such request, or when it was sent too recently."""
    require_author_and_reason(author, reason)
    with write():
        repayment = Repayment.get_or_none(
            Repayment.settlement == settlement, Repayment.state == RepaymentState.ASKED
        )
        if repayment is None:
            raise Refused(["Aucun remboursement de ce paiement n’attend de réponse."])
        if clock.now() - (repayment.sent_at or repayment.asked_at) < SENT_AGAIN_AFTER:
            raise Refused(["La banque est interrogée en ce moment. Recommencez dans deux minutes."])
        end_request(repayment, RepaymentState.DECLINED)
        why = f"{repayment.reason} (sans suite, {author.strip()}\u00a0: {reason.strip()})"
        Repayment.update(reason=why).where(Repayment.id == repayment.id).execute()
    return Repayment.get_by_id(repayment.id)


def _next_sending(repayment: Repayment) -> datetime:
    """Return when a request may be sent again: after longer than any gateway takes to send it, then
    after growing pauses."""
    if repayment.sent_at is None:
        return repayment.asked_at
    pause = max((repayment.sent_at - repayment.asked_at) / 4, SENT_AGAIN_AFTER)
    return repayment.sent_at + min(pause, LONGEST_PAUSE)


def _claim_sending(repayment: Repayment) -> bool:
    """Reserve the right to send it now: two senders at the same instant might both find nothing
    done yet."""
    now = clock.now()
    with write():
        repayment = Repayment.get_by_id(repayment.id)
        if repayment.state != RepaymentState.ASKED or _next_sending(repayment) > now:
            return False
        Repayment.update(sent_at=now).where(Repayment.id == repayment.id).execute()
    return True


def _tell_of_silence(repayment: Repayment) -> None:
    if clock.now() - repayment.asked_at < SILENCE:
        return
    with write():
        if Repayment.get_by_id(repayment.id).state != RepaymentState.ASKED:
            return
        flag_anomaly(
            silence_key(repayment),
            AnomalyKind.UNANSWERED_REFUND,
            repayment.amount_cents,
            "demandé à la banque depuis un jour, sans savoir si elle a remboursé",
            settlement=Settlement.get_by_id(repayment.settlement_id),
        )


def _apply_answer(repayment: Repayment, reports: list[Report], issuers: Issuers) -> None:
    """Apply the bank's answer. Raises Unreachable if it is about another order."""
    attempt = Settlement.get_by_id(repayment.settlement_id).attempt
    if attempt is None or any(report.reference != attempt.reference for report in reports):
        raise Unreachable("la banque répond pour une autre commande")
    with write():
        record_answer(attempt, reports, issuers)


def _apply_refusal(repayment: Repayment, words: str) -> None:
    with write():
        if end_request(repayment, RepaymentState.DECLINED):
            reason = f"{repayment.reason} (la banque\u00a0: {words})"
            Repayment.update(reason=reason).where(Repayment.id == repayment.id).execute()
            flag_anomaly(
                f"declined:{repayment.key}",
                AnomalyKind.DECLINED,
                repayment.amount_cents,
                f"remboursement refusé par la banque\u00a0: {words}",
                settlement=Settlement.get_by_id(repayment.settlement_id),
            )
