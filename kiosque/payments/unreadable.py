"""Messages that a bank has signed and that its gateway cannot read: there may be money in them."""

import re

from gateways.base import Callback, Outcome, Report, Unreadable
from kiosque.db import write
from kiosque.db.states import Verdict
from kiosque.language import clock
from kiosque.payments.bank_messages import (
    Decision,
    flag_mismatch,
    flag_unknown_order,
    keep_verified,
)
from kiosque.payments.queries import attempt_by_reference
from kiosque.payments.receipts import Issuers

_NAME = re.compile("[!-~]{1,64}")
#: The shape of a card number, which no bank's name of a payment has.
_CARD = re.compile("(?<![0-9A-Fa-f])[0-9]{15,19}(?![0-9A-Fa-f])")


def record_unreadable(
    gateway_name: str, error: Unreadable, callback: Callback, issuers: Issuers
) -> None:
    """Tell the régisseur of such a message; of one that names nothing, once a day.

    It returns once committed. In each hour, only the messages that get an audit row are told.
    """
    report = Report(
        reference=_short_name(error.reference),
        outcome=Outcome.PENDING,
        cents=0,
        currency="EUR",
        transaction_id=_short_name(error.transaction_id),
        status=clock.today().isoformat(),
        anomaly=f"message signé, mais illisible ({str(error)[:80]})",
        raw={"champs": " ".join(name[:30] for name in callback.names()[:30])},
    )
    with write():
        attempt = attempt_by_reference(gateway_name, report.reference)
        verdict = Verdict.MISMATCH if attempt else Verdict.UNKNOWN_ORDER
        if not keep_verified(gateway_name, Decision(verdict, report.anomaly), report):
            return
        if attempt:
            flag_mismatch(attempt, report, report.anomaly)
        else:
            flag_unknown_order(gateway_name, report, issuers)


def _short_name(text: str) -> str:
    """Return a text if it can be a bank's name of something; "" if it cannot, or looks like a card
    number."""
    return text if _NAME.fullmatch(text) and not _CARD.search(text) else ""
