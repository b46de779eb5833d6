"""The audit of the banks' messages: what was decided about each, and which key signed it.

A stranger may send as many messages as it likes. So only a message that brings news always gets a
row. Of the others, only the first ones of each hour get one, but all are counted. Messages that
nothing proves are erased with age.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from peewee import Expression, ModelDelete

from gateways.base import Callback, Report
from kiosque.db import require_write, write
from kiosque.db.models import Attempt, BankMessage, MessageCount
from kiosque.db.prepared import PreparedInsert
from kiosque.db.states import AttemptState, Verdict
from kiosque.language import clock
from kiosque.payments.anomalies import flag_transaction
from kiosque.payments.receipts import Issuers
from kiosque.payments.words import ATTEMPT_STATES

#: Most rows an hour for one gateway and one verdict, news excepted: about a hundred times what a
#: bank sends by mistake, and less than 1 MB a day.
ROWS_AN_HOUR = 100
#: How long messages that nothing proves, and hourly counts, are kept.
KEPT = timedelta(days=180)


class Decision(NamedTuple):
    """A verdict, and in French what else a human must know."""

    verdict: Verdict
    detail: str = ""


BY_HAND = "opération faite à la banque sous une autre transaction que la nôtre"
RECORDED, KNOWN = Decision(Verdict.RECORDED), Decision(Verdict.KNOWN)


def keep_verified(gateway_name: str, decision: Decision, report: Report) -> bool:
    """Leave the audit row of a message that its gateway has verified. Return False for one that is
    counted only. Belongs inside `write()`.

    One that only makes us ask the bank is not accepted: anyone may have written it.
    """
    has_row = _has_row(gateway_name, decision.verdict)
    if has_row:
        message = BankMessage(
            received_at=clock.now(),
            gateway=gateway_name,
            accepted=not report.ask,
            verdict=decision.verdict,
            detail=decision.detail,
            reference=report.reference,
            fields=_text(report.raw),
            signing_key=report.signing_key,
        )
        _BANK_MESSAGES.add(message)
    return has_row


def flag_unknown_order(gateway_name: str, report: Report, issuers: Issuers) -> Decision:
    """Tell the régisseur, once, of a genuine message about an order that is not ours."""
    facts = (gateway_name, report.reference, report.transaction_id, report.outcome, report.status)
    transaction = report.transaction_id or report.gateway_reference
    order = f"commande {report.reference or 'sans nom'}"
    said = ATTEMPT_STATES[AttemptState(report.outcome.value)]
    said = f"{said} : {report.anomaly}" if report.anomaly else said
    flag_transaction(
        "unknown:" + ":".join((*facts, report.anomaly)),
        report,
        f"{order}, transaction {transaction or 'sans nom'}, {said}",
        f"{order}, {said}",
        gateway=gateway_name,
        regie=issuers.regie_of_gateway(gateway_name),
    )
    return Decision(Verdict.UNKNOWN_ORDER)


def flag_mismatch(attempt: Attempt, report: Report, detail: str) -> Decision:
    """Tell the régisseur, once, that a message does not agree with its attempt: `detail` is why."""
    facts = (attempt.reference, report.transaction_id, str(report.cents), detail)
    flag_transaction(
        "mismatch:" + ":".join(facts),
        report,
        detail,
        detail,
        gateway=attempt.gateway,
        attempt=attempt,
    )
    return Decision(Verdict.MISMATCH, detail)


def is_own(attempt: Attempt, report: Report) -> bool:
    """Return whether a report is about the transaction that this attempt opened. Another
    transaction of the same order was made by hand at the bank: its money is kept, but pays no
    invoice by itself."""
    return report.gateway_reference == attempt.gateway_reference


def why_unexpected(attempt: Attempt, report: Report) -> str:
    """Say in French why a debit is not the one awaited; "" if it is."""
    if not is_own(attempt, report):
        return f"{BY_HAND} ({report.transaction_id})"
    return "" if report.cents == attempt.amount_cents else "montant inattendu"


def record_rejected(gateway_name: str, detail: str, callback: Callback | None) -> None:
    """Leave the audit row of a message that was forged or garbled: the names of its fields, never
    their values. `detail` says in French what is wrong with it."""
    names = [name[:30] for name in callback.names()[:30]] if callback else []
    with write():
        if _has_row(gateway_name, Verdict.REJECTED):
            BankMessage.create(
                received_at=clock.now(),
                gateway=gateway_name,
                accepted=False,
                verdict=Verdict.REJECTED,
                detail=detail,
                fields=_text({"champs": " ".join(names)}),
            )


def past() -> Expression:
    """Select the messages that nothing proves and that are older than KEPT."""
    refused = BankMessage.accepted == False  # noqa: E712
    return refused & (BankMessage.received_at <= clock.now() - KEPT)


def purge() -> None:
    """Erase what is older than KEPT: messages that nothing proves, and counts."""
    oldest = clock.now() - KEPT
    with write():
        ModelDelete(BankMessage).where(past()).execute()
        ModelDelete(MessageCount).where(MessageCount.hour_at <= oldest).execute()


def _has_row(gateway_name: str, verdict: Verdict) -> bool:
    """Count a message; return True if it gets a row of its own. One that records something always
    does, and is not counted."""
    require_write()
    if verdict == Verdict.RECORDED:
        return True
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    of_hour = {"gateway": gateway_name, "verdict": verdict, "hour_at": hour}
    MessageCount.insert(**of_hour, messages=1).on_conflict(
        conflict_target=[MessageCount.gateway, MessageCount.verdict, MessageCount.hour_at],
        update={MessageCount.messages: MessageCount.messages + 1},
    ).execute()
    return MessageCount.get(**of_hour).messages <= ROWS_AN_HOUR


def _text(fields: Mapping[str, str]) -> str:
    return json.dumps(dict(fields), ensure_ascii=False, sort_keys=True)


_BANK_MESSAGES = PreparedInsert(BankMessage)
