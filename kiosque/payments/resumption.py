"""Let a payer who left the bank's page go back to it, or give the payment up.

Some banks forbid opening their page twice (Lyra refuses a second form of one number, PayFiP a
second visit to one address). So the bank is asked first; if nothing was decided, the attempt is
closed and another is opened in its place. What the bank says later of the closed one is still
recorded: late money is money.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from gateways.base import Gateway, Handoff, Polls, Resumes
from kiosque.db import require_no_write, write
from kiosque.db.models import Attempt, AttemptItem, Invoice
from kiosque.db.states import AttemptState, FactSource
from kiosque.language import clock
from kiosque.payments import gateway_calls
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.checkout import Purchase, hand_over, start
from kiosque.payments.closures import closed_banks
from kiosque.payments.orders import order_of
from kiosque.payments.polling import ask_soon
from kiosque.payments.queries import attempt_by_id, numbers_of
from kiosque.payments.receipts import Issuers

#: When a payer leaves a payment, ask the bank again unless it was asked less than this ago: the
#: payer may have paid in another tab since. So a double click asks once.
PATIENCE = timedelta(seconds=2)
#: An answer of the bank younger than this can still be acted on.
FRESH = PATIENCE + timedelta(seconds=5)


class AtBank(Protocol):
    """An attempt, or a row with the columns needed to tell what its payer may do."""

    @property
    def reference(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def gateway(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def live_until(self) -> datetime: ...


class OpenPayment(NamedTuple):
    """A payment that waits for its payer at the bank: since when, until when, and whether our pages
    may offer to go back to it or to give it up."""

    reference: str
    started_at: datetime
    live_until: datetime
    may_resume: bool
    may_give_up: bool


def open_payment(
    attempt: AtBank, gateways: Mapping[str, Gateway], closed: Collection[str]
) -> OpenPayment | None:
    """Return what a payer may do with an attempt; None unless it waits for its payer. `closed` are
    the banks that take no new payment now."""
    if attempt.state != AttemptState.HANDED_OFF or attempt.live_until <= clock.now():
        return None
    gateway = gateways.get(attempt.gateway)
    can_ask = isinstance(gateway, Polls)
    anew = can_ask and attempt.gateway not in closed
    return OpenPayment(
        attempt.reference,
        attempt.started_at,
        attempt.live_until,
        may_resume=isinstance(gateway, Resumes) or anew,
        may_give_up=isinstance(gateway, Polls) and gateway.polling.silence_proves_unpaid,
    )


def resume(
    attempt: Attempt, gateways: Mapping[str, Gateway], public_url: str, issuers: Issuers
) -> tuple[Attempt, Handoff] | None:
    """Lead a payer back to the bank, for this attempt or another in its place.

    Return None when the attempt is decided, or nobody can tell: its state then says which. Raises
    Unreachable, or Refused if its invoices can no longer be paid together for this amount.
    """
    require_no_write()
    ask_soon(attempt, gateways, public_url, issuers, patience=PATIENCE)
    attempt = attempt_by_id(attempt.id)
    way = open_payment(attempt, gateways, closed_banks())
    if way is None or not way.may_resume:
        return None
    gateway = gateways[attempt.gateway]
    if isinstance(gateway, Resumes) and is_still_due(attempt):
        order = order_of(attempt, public_url)
        return attempt, hand_over(gateway.name, lambda: gateway_calls.resume(gateway, order))
    if not _close(attempt):
        return None
    again = Purchase(
        family=attempt.family,
        numbers=numbers_of(attempt),
        expected_cents=attempt.amount_cents,
        receipt_email=attempt.receipt_email,
    )
    return start(again, gateway, public_url)


def is_still_due(attempt: Attempt) -> bool:
    """Return whether all that an attempt asks for is still to pay: some may have been paid at the
    counter meanwhile."""
    items = AttemptItem.select(AttemptItem, Invoice).join(Invoice)
    return all(
        item.invoice.remaining_cents >= item.amount_cents
        for item in items.where(AttemptItem.attempt == attempt)
    )


def give_up(
    attempt: Attempt, gateways: Mapping[str, Gateway], public_url: str, issuers: Issuers
) -> bool:
    """Close an attempt that its payer no longer wants, so that its invoices may be paid otherwise.
    Return False when it is decided, or the bank does not say that nothing was paid."""
    require_no_write()
    ask_soon(attempt, gateways, public_url, issuers, patience=PATIENCE)
    way = open_payment(attempt_by_id(attempt.id), gateways, ())
    return way is not None and way.may_give_up and _close(attempt)


def _close(attempt: Attempt) -> bool:
    """Close an attempt of which the bank has just said that nothing is decided."""
    with write():
        attempt = attempt_by_id(attempt.id)
        silent = attempt.state == AttemptState.HANDED_OFF
        answered = attempt.answered_at and attempt.answered_at >= clock.now() - FRESH
        if not silent or not answered:
            return False
        return bool(add_fact(attempt, "", AttemptState.CANCELLED, source=FactSource.FAMILY))
