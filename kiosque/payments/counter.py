"""Money taken at the counter: each payment has a name and a reason."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from peewee import fn

from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Attempt, AttemptItem, Invoice, Settlement
from kiosque.db.states import (
    AllocationKind,
    AttemptState,
    CounterMode,
    InvoiceState,
    SettlementState,
)
from kiosque.language import clock, formats
from kiosque.payments.allocations import allocate
from kiosque.payments.ledger import book
from kiosque.payments.queries import SETTLEMENTS
from kiosque.payments.refusals import (
    Refused,
    why_not_answered_for,
)
from kiosque.payments.selection import opening_since
from kiosque.payments.words import COUNTER_MODES, INVOICE_STATES
from kiosque.settings import Regie


@dataclass(frozen=True)
class CounterPayment:
    """Money taken at the counter for an invoice, or a part of it; `mode` is a `CounterMode`. None
    for `amount_cents` is all that is still to pay. `is_extra` is said by who knows that the invoice
    is paid already: the money is then a *trop-perçu*."""

    invoice_number: str
    amount_cents: int | None
    mode: str
    settled_on: date
    author: str
    reason: str
    is_extra: bool = False


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
) -> list[Taken]:
    """Record money taken at the counter, all of it or nothing. Return the new payments.

    It pays what is still to pay of its invoice; what is over is a *trop-perçu*. As many as were
    recorded before of the very same (invoice, amount, mode, day and reason) are passed over, even
    when their money has left since (`left_since` tells). `regies`, by key, say which modes each may
    take; any, when that is not given. With `preview`, keep nothing. Raises Refused, naming every
    payment that cannot be recorded: unknown invoice, nothing to pay, impossible day or mode.
    """
    added: list[Taken] = []
    with suppress(_Previewed), write():
        _settle_all(payments, regies, added)
        if preview:
            raise _Previewed
    return added


def _settle_all(
    payments: Sequence[CounterPayment], regies: Mapping[str, Regie], added: list[Taken]
) -> None:
    reasons, positions = [], []
    seen: Counter[CounterPayment] = Counter()
    for position, payment in enumerate(payments):
        seen[payment] += 1
        invoice = Invoice.get_or_none(Invoice.number == payment.invoice_number)
        if invoice and _times_recorded(invoice, payment) >= seen[payment]:
            continue
        if faults := list(_why_not_at_counter(invoice, payment, regies)):
            reasons += [f"Facture {payment.invoice_number}\u00a0: {fault}" for fault in faults]
            positions += [position] * len(faults)
        elif invoice:
            cents, extra_cents = _settle_counter(invoice, payment)
            added.append(Taken(invoice.regie, cents, extra_cents, position))
    if reasons:
        raise Refused(reasons, positions)


def _why_not_at_counter(
    invoice: Invoice | None, payment: CounterPayment, regies: Mapping[str, Regie]
) -> Iterator[str]:
    if fault := why_not_answered_for(payment.author, payment.reason):
        yield fault
    if payment.mode not in COUNTER_MODES:
        yield f"mode inconnu, attendu l’un de {', '.join(CounterMode)}."
    if payment.amount_cents is not None and payment.amount_cents <= 0:
        yield "un encaissement est au-dessus de zéro."
    settled = formats.short_date(payment.settled_on)
    if payment.settled_on > clock.today():
        yield f"le {settled} n’est pas encore passé."
    if invoice is None:
        yield "elle n’existe pas."
        return
    if fault := _why_nothing_to_pay(invoice, payment):
        yield fault
        return
    if fault := _why_not_that_mode(payment.mode, regies.get(invoice.regie)):
        yield fault
    if payment.settled_on < invoice.issued_on:
        issued = formats.short_date(invoice.issued_on)
        yield f"elle date du {issued}, l’encaissement du {settled} ne peut pas la précéder."


def _why_nothing_to_pay(invoice: Invoice, payment: CounterPayment) -> str:
    state = InvoiceState(invoice.state)
    is_extra = state == InvoiceState.PAID and payment.is_extra and payment.amount_cents
    if state == InvoiceState.OPEN or is_extra:
        return ""
    more = (
        " Si cet argent est venu en plus, confirmez par --yes, ou --overpayments pour un fichier."
        if state == InvoiceState.PAID and payment.amount_cents
        else ""
    )
    return f"elle n’est pas à régler ({INVOICE_STATES[state]}).{more}"


def _why_not_that_mode(mode: str, regie: Regie | None) -> str:
    if regie is None or not regie.modes or mode in regie.modes or mode not in COUNTER_MODES:
        return ""
    allowed = ", ".join(COUNTER_MODES[CounterMode(each)] for each in regie.modes)
    words = COUNTER_MODES[CounterMode(mode)]
    return f"la régie {regie.name} n’encaisse pas par {words}, seulement par {allowed}."


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
    left = invoice.remaining_cents
    cents = left if payment.amount_cents is None else payment.amount_cents
    settlement = Settlement(
        family=invoice.family_id,
        regie=invoice.regie,
        mode=payment.mode,
        amount_cents=cents,
        settled_at=clock.noon_in_paris(payment.settled_on),
        state=SettlementState.COUNTED,
        author=payment.author,
        reason=payment.reason.strip(),
    )
    SETTLEMENTS.add(settlement)
    allocate(settlement, invoice.id, cents)
    book(settlement, f"encaissement au guichet, {COUNTER_MODES[CounterMode(payment.mode)]}")
    return cents, max(cents - left, 0)


def _times_recorded(invoice: Invoice, payment: CounterPayment) -> int:
    """Return how often this very payment was recorded for the invoice, whatever its money is for
    now: where another invoice took it, the list still says which one it came for. All that is still
    to pay is any amount, once nothing is."""
    cents = payment.amount_cents or invoice.remaining_cents
    came_for = [
        origin.select(origin.settlement).where(origin.invoice == invoice)
        for origin in (Allocation, Anomaly)
    ]
    found = Settlement.select().where(
        Settlement.id.in_(came_for[0]) | Settlement.id.in_(came_for[1]),
        Settlement.attempt.is_null(),
        Settlement.mode == payment.mode,
        Settlement.settled_at == clock.noon_in_paris(payment.settled_on),
        Settlement.reason == payment.reason.strip(),
    )
    if cents:
        found = found.where(Settlement.amount_cents == cents)
    times: int = found.count()
    return times
