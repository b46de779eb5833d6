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
from kiosque.payments.allocations import allocate
from kiosque.payments.counter_rules import CounterPayment, why_not_at_counter
from kiosque.payments.credit_notes import find_credit_note, use
from kiosque.payments.payment_accounts import book
from kiosque.payments.queries import SETTLEMENTS
from kiosque.payments.refusals import CHANGED, Refused
from kiosque.payments.selection import opening_since
from kiosque.payments.words import COUNTER_MODES
from kiosque.settings import Regie


class Taken(NamedTuple):
    """A payment taken at the counter: the key of its *régie*, its cents, how many of them are a
    *trop-perçu*, and its place among those given, from 0."""

    regie: str
    cents: int
    extra_cents: int
    position: int


class _Previewed(Exception):  # never seen outside: it undoes what a preview did
    pass


def settle_at_counter(
    payments: Sequence[CounterPayment],
    regies: Mapping[str, Regie] = MappingProxyType({}),
    *,
    preview: bool = False,
    agreed: Sequence[Taken] | None = None,
) -> list[Taken]:
    """Record money taken at the counter, all of it or nothing. Return the new payments.

    It pays what is still to pay of its invoice; what is over is a *trop-perçu*. As many as were
    recorded before of the very same (invoice, amount, mode, day and reason) are passed over, even
    when their money has left since (`left_since` tells). `regies`, by key, say which modes each may
    take; any, when that is not given. With `preview`, keep nothing. Raises Refused, naming every
    payment that cannot be recorded: unknown invoice, nothing to pay, impossible day or mode; and
    where what a preview told, `agreed`, is no more what would be done.
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
    """Pay an invoice, or `cents` of it, with the credit note of this number, as far as it goes.
    Return the cents; 0 when the very same was done today. Raises Refused, changing nothing, as
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
    """Return the numbers of the invoices whose very payment was recorded before, and which its
    money does not pay now: it was refunded, an *impayé*, or is a *trop-perçu* that pays another or
    nothing. Another payment of theirs needs another reason."""
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
        for origin in (Allocation, Anomaly)  # a *trop-perçu* was on the list of what it came for
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
    """Say in French, of those of these invoices that a family may be paying online, since when: by
    number. What it pays besides would be a *trop-perçu*."""
    wanted = set(numbers)
    held = (
        AttemptItem.select(AttemptItem, Attempt, Invoice)
        .join(Attempt)
        .switch(AttemptItem)
        .join(Invoice)
        .where(
            AttemptItem.live == True,  # noqa: E712  # an SQL expression
            # Of one that was never opened, nobody saw the way to the bank.
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
    """Return the cents of the payment, and how many of them pay nothing."""
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
    """Return how often this very payment was recorded for the invoice, whatever its money is for
    now: where another invoice took it, the list still says which one it came for. All that is still
    to pay is any amount, once nothing is."""
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
