"""The audit of the banks' messages: what was decided about each, and which key signed it."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from gateways.base import Callback, Report, SigningKey
from kiosque.db import write
from kiosque.db.models import Attempt, BankMessage
from kiosque.db.prepared import PreparedInsert
from kiosque.db.states import AnomalyKind, Verdict
from kiosque.language import clock
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.receipts import Issuers


class Decision(NamedTuple):
    """A verdict, and what a human must know besides, in French."""

    verdict: Verdict
    detail: str = ""


RECORDED, KNOWN = Decision(Verdict.RECORDED), Decision(Verdict.KNOWN)


def keep_verified(gateway_name: str, decision: Decision, report: Report) -> None:
    """Leave the audit row of a message that its gateway vouches for. Belongs inside `write()`."""
    _keep(gateway_name, decision, report.raw, report.reference, report.signing_key)


def flag_unknown_order(gateway_name: str, report: Report, issuers: Issuers) -> Decision:
    """Tell the régisseur, once, of a genuine message about an order that is not ours."""
    facts = (gateway_name, report.reference, report.transaction_id, report.outcome, report.status)
    flag_anomaly(
        "unknown:" + ":".join(facts),
        AnomalyKind.UNKNOWN_ORDER,
        report.cents,
        f"commande {report.reference}",
        regie=issuers.regie_of_gateway(gateway_name),
    )
    return Decision(Verdict.UNKNOWN_ORDER)


def flag_mismatch(attempt: Attempt, report: Report, detail: str) -> Decision:
    """Tell the régisseur, once, that a message does not agree with its attempt: `detail` is why."""
    facts = (attempt.reference, report.transaction_id, str(report.cents), detail)
    flag_anomaly(
        "mismatch:" + ":".join(facts), AnomalyKind.MISMATCH, report.cents, detail, attempt=attempt
    )
    return Decision(Verdict.MISMATCH, detail)


def record_rejected(gateway_name: str, detail: str, callback: Callback | None) -> None:
    """Leave the audit row of a message that was forged or garbled, with the names of its fields
    and no value; `detail` says in French what is wrong with it."""
    names = [name[:30] for name, _ in callback.fields[:30]] if callback else []
    with write():
        _keep(gateway_name, Decision(Verdict.REJECTED, detail), {"champs": " ".join(names)})


def _keep(
    gateway_name: str,
    decision: Decision,
    fields: Mapping[str, str],
    reference: str = "",
    signing_key: SigningKey | None = None,
) -> None:
    message = BankMessage(
        received_at=clock.now(),
        gateway=gateway_name,
        accepted=decision.verdict != Verdict.REJECTED,
        verdict=decision.verdict,
        detail=decision.detail,
        reference=reference,
        fields=json.dumps(dict(fields), ensure_ascii=False, sort_keys=True),
        signing_key=signing_key,
    )
    _BANK_MESSAGES.add(message)


_BANK_MESSAGES = PreparedInsert(BankMessage)
