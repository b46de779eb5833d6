"""Translate Lyra's words for a transaction, in a notification or from the REST service.

The platform says some things twice: an amount asked and one debited, a status and an answer of the
card's bank. If the two disagree, neither is believed: such a message moves no money.

Source: docs.lyra.com, `vads_trans_status` and the REST service's status reference.
"""

from gateways.base import Outcome

#: `vads_trans_status` or `detailedStatus`. ABANDONED becomes EXPIRED if the page timed out.
STATUSES = {
    "AUTHORISED": Outcome.PAID,
    "CAPTURED": Outcome.PAID,
    "AUTHORISED_TO_VALIDATE": Outcome.PENDING,
    "WAITING_AUTHORISATION": Outcome.PENDING,
    "WAITING_AUTHORISATION_TO_VALIDATE": Outcome.PENDING,
    "UNDER_VERIFICATION": Outcome.PENDING,
    "INITIAL": Outcome.PENDING,
    "PRE_AUTHORISED": Outcome.PENDING,
    "WAITING_FOR_PAYMENT": Outcome.PENDING,
    "PENDING": Outcome.PENDING,
    "SUSPENDED": Outcome.PENDING,
    "REFUND_TO_RETRY": Outcome.PENDING,
    "ACCEPTED": Outcome.PENDING,
    "PARTIALLY_AUTHORISED": Outcome.PENDING,
    "REFUSED": Outcome.REFUSED,
    "ABANDONED": Outcome.CANCELLED,
    "NOT_CREATED": Outcome.CANCELLED,
    "CANCELLED": Outcome.REVERSED,
    "EXPIRED": Outcome.REVERSED,
    "CAPTURE_FAILED": Outcome.REVERSED,
}

_NEEDS_A_HUMAN = {
    "ACCEPTED": "vérification de carte sans débit",
    "PARTIALLY_AUTHORISED": "paiement partiel",
    "CAPTURE_FAILED": "remise en banque échouée",
}

# Decided, yet the bank may change it by itself: capture it, or try the capture again.
_MAY_CHANGE = frozenset({"AUTHORISED", "CAPTURE_FAILED"})

_INCONSISTENT = "la banque annonce deux montants, deux devises ou une autre sorte d’opération"

#: Statuses of a refund that gave nothing back.
NOTHING_DONE = frozenset({"REFUSED", "ABANDONED", "NOT_CREATED", "CANCELLED", "EXPIRED"})


def decide(
    status: str,
    operation: str,
    *,
    succeeded: bool,
    consistent: bool,
    timed_out: bool = False,
) -> tuple[Outcome, str]:
    """Return (outcome, why a human must look at it, in French or "").

    `operation` is DEBIT, CREDIT (a refund) or VERIFICATION. The status decides, because
    `succeeded`, by which the message says that all went well, also comes with a refund, a card
    check or a payment still to be validated. But without `succeeded`, nothing is paid or given
    back; and unless the amounts, currencies and kind of the message are `consistent`, nothing is
    paid, given back or undone.
    """
    outcome = STATUSES.get(status)
    if outcome is None:
        return Outcome.PENDING, "statut inconnu de la banque"
    if operation == "CREDIT":
        if outcome is not Outcome.PAID or not succeeded:
            return Outcome.PENDING, "remboursement non abouti à la banque"
        return (Outcome.REFUNDED, "") if consistent else (Outcome.PENDING, _INCONSISTENT)
    if outcome in (Outcome.PAID, Outcome.REVERSED):
        if operation != "DEBIT":
            paid = outcome is Outcome.PAID
            said = "paiement annoncé" if paid else "annulation annoncée"
            return Outcome.PENDING, f"{said} sans débit"
        if not consistent:
            return Outcome.PENDING, _INCONSISTENT
    if outcome is Outcome.PAID and not succeeded:
        return Outcome.PENDING, "paiement annoncé avec un code d’échec"
    if status == "ABANDONED" and timed_out:
        return Outcome.EXPIRED, ""
    return outcome, _NEEDS_A_HUMAN.get(status, "")


def is_approved(answer: str) -> bool:
    """Return True unless the card's bank refused. An approval is made of zeros (00, or 000 at
    American Express); the answer is empty if that bank was not asked."""
    return not answer.strip("0")


def is_final(status: str, outcome: Outcome) -> bool:
    """Return False if the bank may still change the outcome by itself."""
    return outcome is not Outcome.PENDING and status not in _MAY_CHANGE
