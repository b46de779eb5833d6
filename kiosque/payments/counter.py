"""Money taken at the counter: each payment has a name and a reason."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from peewee import fn

from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Attempt, AttemptItem, Invoice, Settlement
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import (
    CREDIT,
    AllocationKind,
    AttemptState,
    CounterMode,
    InvoiceState,
    SettlementState,
)
from kiosque.language import clock, formats
from kiosque.payments.accounting_rules import book
from kiosque.payments.allocations import allocate
from kiosque.payments.counter_rules import CounterPayment, why_not_at_counter
from kiosque.payments.credit_notes import find_credit_note, use
from kiosque.payments.queries import SETTLEMENTS
from kiosque.payments.refusals import CHANGED, Refused
from kiosque.payments.selection import opening_since
from kiosque.payments.words import COUNTER_MODES
from kiosque.settings import Regie


class Taken(NamedTuple):
    """A payment taken at the counter: the key of its *régie*, its cents, how many of them are a
    *trop-perçu*, and its index among the payments given to `settle_at_counter`."""

    regie: str
    cents: int
    extra_cents: int
    position: int


class _Previewed(Exception):  # raised and caught here, to roll back a preview
    pass


def settle_at_counter(
    payments: Sequence[CounterPayment],
    regies: Mapping[str, Regie] = MappingProxyType({}),
    *,
    preview: bool = False,
    agreed: Sequence[Taken] | None = None,
) -> list[Taken]:
    """Record money taken at the counter, all of it or nothing. Return the new payments.

    A payment pays what is still to pay of its invoice; the rest is a *trop-perçu*. Identical
    payments (invoice, amount, mode, day and reason) are skipped, as many as were recorded before,
    even if their money has left since (see `left_since`). `regies`, by key, say which modes each
    may take; without it, any. With `preview`, keep nothing. Raises Refused, naming every payment
    that cannot be recorded (unknown invoice, nothing to pay, impossible day or mode), and if the
    outcome would differ from `agreed`, what the preview showed.
    """
    added: list[Taken] = []
    with suppress(_Previewed), write():
        _settle_all(payments, regies, added)
        if agreed is not None and added != [*agreed]:
            raise Refused([CHANGED])
        if preview:
            raise _Previewed
    return added


def apply_credit(
    note: str,
    invoice: str,
    cents: int | None,
    author: str,
    reason: str,
    *,
    agreed: Sequence[Taken] | None = None,
) -> int:
    """Pay an invoice, or `cents` of it, with a credit note, as far as the note is worth. Return the
    cents paid; 0 when the same was done already today. Raises Refused, changing nothing, as
    `settle_at_counter` does."""
    payment = CounterPayment(
        invoice_number=invoice.strip(),
        amount_cents=cents,
        mode=CREDIT,
        settled_on=clock.today(),
        author=author.strip(),
        reason=reason,
        credit_number=note.strip(),
    )
    return sum(each.cents for each in settle_at_counter([payment], agreed=agreed))


def _settle_all(
    payments: Sequence[CounterPayment], regies: Mapping[str, Regie], added: list[Taken]
) -> None:
    reasons, positions = [], []
    seen: Counter[CounterPayment] = Counter()
    for position, payment in enumerate(payments):
        seen[payment] += 1
        invoice = next(iter(_INVOICE.models(number=payment.invoice_number)), None)
        if invoice and _times_recorded(invoice, payment) >= seen[payment]:
            continue
        if faults := list(why_not_at_counter(invoice, payment, regies)):
            reasons += [f"Facture {payment.invoice_number}\u00a0: {fault}" for fault in faults]
            positions += [position] * len(faults)
        elif invoice:
            cents, extra_cents = _settle_counter(invoice, payment)
            added.append(Taken(invoice.regie, cents, extra_cents, position))
    if reasons:
        raise Refused(reasons, positions)


def left_since(payments: Iterable[CounterPayment]) -> list[str]:
    """Return the invoices, by number, for which the same payment was recorded before but whose
    money no longer pays them: it was refunded, was an *impayé*, or is a *trop-perçu*. To record a
    new payment of these invoices, give another reason."""
    facts = (
        Invoice.number,
        Settlement.amount_cents,
        Settlement.mode,
        Settlement.settled_at,
        Settlement.reason,
    )
    paying = Allocation.alias()
    pays = paying.select().where(
        paying.settlement == Settlement.id,
        paying.invoice == Invoice.id,
        paying.kind == AllocationKind.INVOICE,
        paying.counts == True,  # noqa: E712  # an SQL expression
    )
    gone = {
        row
        for origin in (Allocation, Anomaly)  # an anomaly says which invoice a *trop-perçu* came for
        for row in origin.select(*facts)
        .join(Invoice)
        .switch(origin)
        .join(Settlement)
        .where(Settlement.attempt.is_null(), ~fn.EXISTS(pays))
        .tuples()
    }
    return [each.invoice_number for each in payments if _key(each) in gone]


def _key(payment: CounterPayment) -> tuple[object, ...]:
    return (
        payment.invoice_number,
        payment.amount_cents,
        payment.mode,
        clock.noon_in_paris(payment.settled_on),
        payment.reason.strip(),
    )


def at_bank(numbers: Iterable[str]) -> dict[str, str]:
    """Say in French since when a family may be paying some of these invoices online: by number,
    these invoices only. A payment at the counter would then make a *trop-perçu*."""
    wanted = set(numbers)
    held = (
        AttemptItem.select(AttemptItem, Attempt, Invoice)
        .join(Attempt)
        .switch(AttemptItem)
        .join(Invoice)
        .where(
            AttemptItem.live == True,  # noqa: E712  # an SQL expression
            # Nobody saw the bank's page of an attempt that was never opened.
            (Attempt.state != AttemptState.CREATED) | (Attempt.started_at > opening_since()),
            Invoice.state == InvoiceState.OPEN,
        )
    )
    return {
        item.invoice.number: (
            f"la famille est à la banque depuis le {formats.long_instant(item.attempt.started_at)} "
            f"(paiement {item.attempt.reference})\u00a0: si elle paie, ce sera un trop-perçu"
        )
        for item in held
        if item.invoice.number in wanted
    }


def _settle_counter(invoice: Invoice, payment: CounterPayment) -> tuple[int, int]:
    """Record the payment. Return its cents, and how many of them pay nothing."""
    left = invoice.remaining_cents or invoice.treasury_cents
    note = find_credit_note(payment.credit_number) if payment.credit_number else None
    most = min(left, note.credit_cents) if note else left
    cents = most if payment.amount_cents is None else payment.amount_cents
    settlement = Settlement(
        family=invoice.family_id,
        regie=invoice.regie,
        mode=payment.mode,
        amount_cents=cents,
        settled_at=clock.noon_in_paris(payment.settled_on),
        state=SettlementState.COUNTED,
        author=payment.author,
        reason=payment.reason.strip(),
        credit_note=note,
    )
    SETTLEMENTS.add(settlement)
    if note:
        use(note, cents)
        label = f"avoir {note.number} affecté"
    else:
        label = f"encaissement au guichet, {COUNTER_MODES[CounterMode(payment.mode)]}"
    allocate(settlement, invoice.id, cents)
    book(settlement, label)
    return cents, max(cents - left, 0)


def _times_recorded(invoice: Invoice, payment: CounterPayment) -> int:
    """Return how often this same payment was recorded for the invoice, whatever its money pays now:
    if another invoice took it, an anomaly still says which one it came for. A payment without an
    amount, for an invoice with nothing left to pay, matches any amount."""
    cents = payment.amount_cents or invoice.remaining_cents or invoice.treasury_cents
    very = (payment.mode, clock.noon_in_paris(payment.settled_on), payment.reason.strip())
    found = [
        each
        for each in _CAME_FOR.models(invoice=invoice.id)
        if (each.mode, each.settled_at, each.reason) == very
    ]
    if payment.credit_number and found:
        note = find_credit_note(payment.credit_number)
        found = [each for each in found if each.credit_id == (note and note.id)]
    if cents or payment.amount_cents is not None:
        found = [each for each in found if each.amount_cents == cents]
    return len(found)


# A file has thousands of payments: see kiosque/db/prepared.py.
_INVOICE = PreparedQuery(lambda number: Invoice.select().where(Invoice.number == number))
_CAME_FOR = PreparedQuery(
    lambda invoice: Settlement.select().where(
        Settlement.id.in_(
            Allocation.select(Allocation.settlement).where(Allocation.invoice == invoice)
        )
        | Settlement.id.in_(Anomaly.select(Anomaly.settlement).where(Anomaly.invoice == invoice)),
        Settlement.attempt.is_null(),
    )
)
