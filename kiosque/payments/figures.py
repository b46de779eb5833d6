"""Figures of some *régies*, by their keys, or of all for None: the cents collected in a month, and
those still to pay."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from peewee import Expression, fn

from kiosque.db.models import Allocation, Invoice, InvoiceLine, Service, Settlement
from kiosque.db.states import CREDIT, AllocationKind, CounterMode, InvoiceState, SettlementState
from kiosque.language import clock
from kiosque.payments.shares import share

Regies = Collection[str] | None
#: Limits between the ages of unpaid invoices, in days late.
AGES = (0, 30, 60)


@dataclass
class Collected:
    """The cents collected in a month, less what has left again: by day, by mode, online or not,
    and, for what pays invoices, by service."""

    by_day: Counter[date] = field(default_factory=Counter)
    by_mode: Counter[tuple[bool, str]] = field(default_factory=Counter)
    by_service: Counter[str] = field(default_factory=Counter)

    @property
    def cents(self) -> int:
        return self.by_day.total()


def collected(regies: Regies, month: date) -> Collected:
    """Return what some *régies* collected in the month of this day, in Paris."""
    found, which = Collected(), _collected_in(regies, month)
    columns = (Settlement.settled_at, Settlement.gateway, Settlement.mode)
    kept = Settlement.amount_cents - Settlement.returned_cents
    rows: Any = Settlement.select(*columns, kept).where(which).tuples()
    for at, gateway, mode, cents in rows:
        found.by_day[clock.paris_date(at)] += cents
        found.by_mode[bool(gateway), mode] += cents
    for service, cents in _by_service(which):
        found.by_service[service] += cents
    return found


def _collected_in(regies: Regies, month: date) -> Expression:
    first = month.replace(day=1)
    until = (first + timedelta(days=31)).replace(day=1)
    within: Expression = Settlement.settled_at.between(
        clock.midnight_in_paris(first), clock.midnight_in_paris(until)
    )
    elsewhere = [CREDIT, CounterMode.TREASURY.value]  # no money, and the Treasury's
    money = (Settlement.state == SettlementState.COUNTED) & Settlement.mode.not_in(elsewhere)
    which: Expression = within & money & _of(Settlement.regie, regies)
    return which


def _by_service(which: Expression) -> Iterator[tuple[str, int]]:
    """Yield a service and its cents: the lines of an invoice paid whole, or their shares of a
    part."""
    paying = (
        (Allocation.kind == AllocationKind.INVOICE)
        & (Allocation.counts == True)  # noqa: E712  # an SQL expression
        & which
    )
    joined: Any = (
        InvoiceLine.select()
        .join(Invoice)
        .join(Allocation)
        .join(Settlement)
        .switch(InvoiceLine)
        .join(Service)
        .where(paying)
    )
    whole = Allocation.amount_cents == Invoice.total_cents
    sums = joined.select(Service.name, fn.SUM(InvoiceLine.amount_cents)).where(whole)
    yield from sums.group_by(Service.name).tuples()
    columns = (Allocation.id, Allocation.amount_cents, Service.name, InvoiceLine.amount_cents)
    parts = joined.select(*columns).where(~whole).order_by(Allocation.id, InvoiceLine.id)
    for _part, rows in groupby(parts.tuples().iterator(), key=itemgetter(0)):
        yield from _shared(list(rows))


def _shared(rows: Iterable[tuple[int, int, str, int]]) -> Iterator[tuple[str, int]]:
    lines = list(rows)
    shares = share(lines[0][1], [cents for *_, cents in lines])
    for (_part, _cents, service, _line), cents in zip(lines, shares, strict=True):
        yield service, cents


def _of(regie: Any, regies: Regies) -> Expression:
    found: Expression = regie.is_null(False) if regies is None else regie.in_([*regies])
    return found


def unpaid(regies: Regies) -> list[int]:
    """Return the cents still to pay of some *régies*, by age: not late, then late by more days than
    each of AGES."""
    found, today = [0] * (len(AGES) + 1), clock.today()
    left = fn.SUM(Invoice.total_cents - Invoice.paid_cents)
    open_ones: Any = Invoice.select(Invoice.due_on, left).where(
        Invoice.state == InvoiceState.OPEN, _of(Invoice.regie, regies)
    )
    for due_on, cents in open_ones.group_by(Invoice.due_on).tuples():
        late = (today - due_on).days
        found[sum(late > age for age in AGES)] += cents
    return found
