"""Payments that wait for their payer at the bank: what our pages offer to do about them."""

from flask import request, session

from kiosque import payments
from kiosque.language import clock
from kiosque.payments import OpenPayment
from kiosque.payments.resumption import AtBank
from kiosque.web import current

#: Key in the session: the payment from which the bank sent the payer back, and when.
_CAME_BACK = "back"
#: Seconds after a return during which the page waits for a confirmation and offers nothing else.
AWAITED = 120


def note_return(reference: str) -> bool:
    """Return whether the payer may have just come from the bank to the page of this payment, and
    note it if the browser says so: somebody who has just paid must not be offered to pay again.
    Nothing else depends on it."""
    site = request.headers.get("Sec-Fetch-Site", "")
    if site in ("cross-site", "same-site"):
        session[_CAME_BACK] = [reference, clock.now().timestamp()]
    return site not in ("same-origin", "none")


def waiting_for_payer(attempt: AtBank) -> OpenPayment | None:
    """Return what the payer may do with an attempt; None unless it waits for its payer."""
    reference, at = session.get(_CAME_BACK, ("", 0))
    if reference == attempt.reference and clock.now().timestamp() - at < AWAITED:
        return None
    return payments.open_payment(attempt, current.gateways(), payments.closed_banks())
