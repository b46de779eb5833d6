"""Read back, for the papers of a month, its state when it was closed."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from peewee import fn

from kiosque.closings.bank_position import Position
from kiosque.closings.differences import Item
from kiosque.closings.months import Month
from kiosque.closings.starting_point import starting_point
from kiosque.db.models import (
    Deposit,
    DepositLine,
    Family,
    Invoice,
    JournalEntry,
    MonthClosing,
    Revenue,
)
from kiosque.db.states import InvoiceState
from kiosque.language import clock


def position_of(closing: MonthClosing) -> Position:
    """Return how the books and the statement stood when a month was closed."""
    told = json.loads(closing.content)["position"]
    items = [
        Item(date.fromisoformat(each["on"]), each["words"], each["cents"], each["explained"])
        for each in told["items"]
    ]
    return Position(told["books_cents"], told["statement_cents"], items, told["waiting"])


def entries_of(closing: MonthClosing) -> Iterator[JournalEntry]:
    """Yield the entries of the month, of its *régie*, in order."""
    first = clock.midnight_in_paris(Month.named(closing.month).first_on)
    which = (JournalEntry.regie == closing.regie) & (JournalEntry.number <= closing.up_to)
    found = JournalEntry.select().where(which, JournalEntry.at >= first)
    yield from found.order_by(JournalEntry.number).iterator()


def carried_cents(closing: MonthClosing) -> int:
    """Return the sum of the *régie*'s entries before the month."""
    first = clock.midnight_in_paris(Month.named(closing.month).first_on)
    before = JournalEntry.select(fn.SUM(JournalEntry.amount_cents)).where(
        JournalEntry.regie == closing.regie, JournalEntry.at < first
    )
    return int(before.scalar() or 0)


def deposits_of(closing: MonthClosing) -> Any:
    """Select the final deposits that pay over something of the month, in order."""
    before = starting_point(closing.regie, Month.named(closing.month)).number
    of_month = (
        DepositLine.select(DepositLine.deposit)
        .join(Revenue)
        .where(Revenue.entry.between(before + 1, closing.up_to))
    )
    return (
        Deposit.select()
        .where(Deposit.regie == closing.regie, Deposit.id.in_(of_month))
        .order_by(Deposit.id)
    )


def unpaid_of(closing: MonthClosing) -> Any:
    """Select the invoices due by the end of a month and not paid yet, with their families."""
    return (
        Invoice.select(Invoice, Family)
        .join(Family)
        .where(
            Invoice.regie == closing.regie,
            Invoice.state == InvoiceState.OPEN,
            Invoice.due_on <= Month.named(closing.month).last_on,
        )
        .order_by(Invoice.due_on, Invoice.id)
    )
