"""Open a payment: from the invoices that a family chose to the page of its bank."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cache
from threading import BoundedSemaphore

from peewee import Expression

from gateways.base import Gateway, Handoff, Unreachable, WrongEmail
from kiosque.db import require_no_write, write
from kiosque.db.models import Attempt, AttemptItem, Family, Invoice
from kiosque.db.states import AttemptState, FactSource
from kiosque.language import clock
from kiosque.language.catalogue import gettext as _
from kiosque.payments import gateway_calls
from kiosque.payments.attempt_facts import add_fact, release_invoices
from kiosque.payments.closures import closure_words
from kiosque.payments.gateway_calls import CALL_SECONDS
from kiosque.payments.orders import new_reference, order_of
from kiosque.payments.polling import ask_soon, attempts_holding, first_question, is_owed_an_answer
from kiosque.payments.queries import attempt_by_id
from kiosque.payments.receipts import Issuers
from kiosque.payments.refusals import Refused
from kiosque.payments.selection import MAX_INVOICES, select_for_one_payment

#: How long the address for the receipt is kept: a payment may be confirmed late. After that, the
#: receipt is only in the family's space.
ADDRESS_DAYS = 30
#: How many threads of a process may wait for one bank to open a payment, and how many seconds one
#: more thread waits for a place. Most banks are asked nothing: the form is enough.
STARTS_AT_ONCE = 4
DOOR_SECONDS = 1.0


@dataclass(frozen=True)
class Purchase:
    """The payment that a family confirmed; `expected_cents` is the total shown to it."""

    family: Family
    numbers: Sequence[str]
    expected_cents: int
    receipt_email: str | None = None


def ask_about_holders(
    family: Family,
    numbers: Iterable[str],
    gateways: Mapping[str, Gateway],
    public_url: str,
    issuers: Issuers,
) -> None:
    """Ask the bank about the attempts that hold these invoices of the family, before another one is
    opened for them. Raise nothing if the bank does not answer."""
    invoices = Invoice.select(Invoice.id).where(
        Invoice.family == family, Invoice.number.in_(list(numbers)[:MAX_INVOICES])
    )
    deadline = time.monotonic() + CALL_SECONDS
    for attempt in attempts_holding([invoice.id for invoice in invoices]):
        if time.monotonic() < deadline:
            ask_soon(attempt, gateways, public_url, issuers)


def start(purchase: Purchase, gateway: Gateway, public_url: str) -> tuple[Attempt, Handoff]:
    """Open an attempt and prepare its way to the bank.

    The attempt is committed before the gateway is called and before any form exists. Raises
    Refused, changing nothing; Unreachable or WrongEmail, having closed the attempt: nobody can
    pay it.
    """
    require_no_write()
    attempt = _open(purchase, gateway)
    email = attempt.receipt_email if gateway.limits.requires_email else None
    order = order_of(attempt, public_url, email=email)
    try:
        handoff = hand_over(gateway.name, lambda: gateway_calls.start(gateway, order))
        _note_handoff(attempt, gateway, handoff)
    except Refused:
        raise
    except WrongEmail:
        _close(attempt, FactSource.EMAIL_REFUSED)
        raise
    except Exception as error:  # a stranger's adapter may raise or return anything
        gateway_calls.outcome_of(error)
        _close(attempt, FactSource.BANK_UNREACHABLE)
        if isinstance(error, Unreachable):
            raise
        gateway_calls.log_defect(f"attempt {attempt.reference}", error)
        raise Unreachable("la banque n’a pas ouvert ce paiement") from None
    return attempt, handoff


def hand_over(gateway_name: str, begin: Callable[[], "Future[Handoff]"]) -> Handoff:
    """Ask a gateway for the way to the bank, by the call that `begin` begins.

    Raises what the call raises; Unreachable, also when STARTS_AT_ONCE other payers wait for this
    bank: a slow one must not take all the threads of the site.
    """
    door = _door(gateway_name)
    if not door.acquire(timeout=DOOR_SECONDS):
        raise Unreachable("d’autres payeurs attendent déjà cette banque")
    try:
        call = begin()
    except BaseException:
        door.release()
        raise
    # The place is free only when the call ends, maybe long after we stopped waiting for it.
    call.add_done_callback(lambda _: door.release())
    return gateway_calls.wait_for(call, CALL_SECONDS)


def _note_handoff(attempt: Attempt, gateway: Gateway, handoff: Handoff) -> None:
    """Record that the payer may now be led to the bank. Raises Refused when another tab opened a
    payment of the same invoices meanwhile."""
    with write():
        if attempt_by_id(attempt.id).state != AttemptState.CREATED:
            raise Refused([_("Un autre paiement de ces factures vient d’être ouvert.")])
        add_fact(attempt, "", AttemptState.HANDED_OFF, source=FactSource.PORTAL)
        Attempt.update(
            gateway_reference=handoff.gateway_reference,
            ask_at=first_question(attempt, gateway),
        ).where(Attempt.id == attempt.id).execute()


def _close(attempt: Attempt, why: FactSource) -> None:
    """Close an attempt whose payment page was never shown, and release its invoices."""
    with write():
        attempt = attempt_by_id(attempt.id)
        add_fact(attempt, "", AttemptState.CANCELLED, source=why)


@cache
def _door(_gateway_name: str) -> BoundedSemaphore:
    return BoundedSemaphore(STARTS_AT_ONCE)


def past_addresses() -> Expression:
    """Select the payments that came to nothing ADDRESS_DAYS ago, and still hold an address."""
    old: Expression = Attempt.started_at < clock.now() - timedelta(days=ADDRESS_DAYS)
    return old & Attempt.receipt_email.is_null(False)


def forget_old_addresses() -> None:
    """Erase the receipt addresses of payments that came to nothing, after ADDRESS_DAYS."""
    with write():
        Attempt.update(receipt_email=None).where(past_addresses()).execute()


def _open(purchase: Purchase, gateway: Gateway) -> Attempt:
    now = clock.now()
    with write():
        if closed := closure_words().get(gateway.name):
            raise Refused([closed])
        selection = select_for_one_payment(purchase.family, purchase.numbers, gateway.limits)
        if selection.reasons:
            raise Refused(selection.reasons)
        if selection.total_cents != purchase.expected_cents:
            raise Refused([_("Le montant de vos factures a changé. Vérifiez-le de nouveau.")])
        _close_lapsed(selection.invoices)
        day = now.astimezone(UTC).strftime("%Y%m%d")
        attempt = Attempt.create(
            reference=new_reference(),
            family=purchase.family,
            regie=selection.invoices[0].regie,
            gateway=gateway.name,
            started_at=now,
            day=day,
            number=_free_number(gateway.name, day),
            amount_cents=selection.total_cents,
            state=AttemptState.CREATED,
            live_until=now + timedelta(minutes=gateway.limits.session_minutes),
            receipt_email=purchase.receipt_email,
        )
        for invoice in selection.invoices:
            AttemptItem.create(
                attempt=attempt, invoice=invoice, amount_cents=invoice.remaining_cents
            )
        add_fact(attempt, "", AttemptState.CREATED, source=FactSource.PORTAL)
    return attempt


def _free_number(gateway: str, day: str) -> int:
    """Return a random number that no attempt of this gateway has that UTC day. Being random, it
    does not reveal how many there are.

    Lyra reserves 900000 to 999999 for its back office.
    """
    while True:
        number = secrets.randbelow(900_000)
        taken = Attempt.gateway == gateway, Attempt.day == day, Attempt.number == number
        if not Attempt.select().where(*taken).exists():
            return number


def _close_lapsed(invoices: Sequence[Invoice]) -> None:
    """Of the attempts that hold these invoices beyond their time, close those that were never
    handed over and expire those that the bank never spoke of. Raises Refused if the bank can still
    say what became of one."""
    for attempt in attempts_holding([invoice.id for invoice in invoices]):
        if attempt.state == AttemptState.CREATED:
            add_fact(attempt, "", AttemptState.CANCELLED, source=FactSource.BANK_UNREACHABLE)
            continue
        if is_owed_an_answer(attempt):
            raise Refused(
                [
                    _(
                        "Nous attendons encore la réponse de la banque sur votre paiement "
                        "précédent. Réessayez dans quelques minutes."
                    )
                ]
            )
        add_fact(attempt, "", AttemptState.EXPIRED, source=FactSource.TIMEOUT)
        # One that the bank called pending stays so, but no longer keeps its invoices.
        release_invoices(attempt)
