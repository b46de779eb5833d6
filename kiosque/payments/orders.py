"""A payment attempt as its gateway sees it, and its reference there."""

import re
import secrets

from gateways.base import Order
from kiosque.db.models import Attempt
from kiosque.language import catalogue
from kiosque.payments.queries import numbers_of

#: A reference of ours, wherever it stands; banks may write it in capitals.
REFERENCE = re.compile(r"KF[0-9a-f]{18}", re.ASCII | re.IGNORECASE)
#: Characters that a bank shows beside the amount, at most.
_LONGEST = 255


def new_reference() -> str:
    """Return a reference that nobody can guess: it is in the address where the payer comes back."""
    return f"KF{secrets.token_hex(9)}"


def order_of(attempt: Attempt, public_url: str, *, email: str | None = None) -> Order:
    """Return the order of an attempt. It is the same each time, but for its language: the one in
    force, which matters when the payer leaves for the bank. Reads the database."""
    return Order(
        reference=attempt.reference,
        number=attempt.number,
        cents=attempt.amount_cents,
        description=_description(attempt),
        started_at=attempt.started_at,
        return_url=f"{public_url}/paiement/retour/{attempt.reference}",
        notification_url=f"{public_url}/paiement/notification/{attempt.gateway}",
        email=email,
        gateway_reference=attempt.gateway_reference or "",
        language=catalogue.language(),
    )


def _description(attempt: Attempt) -> str:
    """Return what the bank shows beside the amount: invoice numbers, never services nor names."""
    numbers = numbers_of(attempt)
    text = ("Facture " if len(numbers) == 1 else "Factures ") + ", ".join(numbers)
    return text if len(text) <= _LONGEST else f"{len(numbers)} factures"
