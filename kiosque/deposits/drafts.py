"""List what a *régie* has to pay over: all that was collected, is in no deposit yet, and is not
kept back. Nothing is changed here."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from peewee import JOIN, Expression, fn

from kiosque.db.models import (
    Deposit,
    DepositLine,
    Invoice,
    JournalEntry,
    KeptBack,
    Receipt,
    Revenue,
    Service,
    Settlement,
)
from kiosque.deposits.imputations import Imputed, reader
from kiosque.deposits.sums import RevenueLine
from kiosque.language import clock
from kiosque.language.formats import receipt_title


@dataclass(frozen=True)
class DepositDraft:
    """Revenue that a *régie* may pay over, of the journal's entries until the number `up_to`."""

    regie: str
    up_to: int
    lines: tuple[RevenueLine, ...]

    @cached_property
    def paid_over(self) -> list[RevenueLine]:
        """The lines that are paid over; the others are for information."""
        return [line for line in self.lines if not line.source.is_memo]

    @cached_property
    def memo(self) -> list[RevenueLine]:
        return [line for line in self.lines if line.source.is_memo]

    @property
    def amount_cents(self) -> int:
        return sum(line.cents for line in self.paid_over)

    @property
    def missing(self) -> list[str]:
        """The names of the services that have no imputation."""
        return sorted({line.service for line in self.lines if not line.article})

    @cached_property
    def fingerprint(self) -> str:
        """Return a digest that changes with any line, to make sure that the draft is the one that a
        person confirmed."""
        text = json.dumps([self.regie, self.up_to, self.lines])
        return hashlib.sha256(text.encode()).hexdigest()


def draft(regie: str, up_to: int) -> DepositDraft:
    """Return what is to be paid over of a *régie*, by its key, up to this entry of the journal."""
    imputed_on = reader(regie)
    lines = [_line(row, imputed_on) for row in _rows(_waiting(regie, up_to))]
    return DepositDraft(
        regie, up_to, tuple(sorted(lines, key=lambda it: (it.source.rank, it.revenue)))
    )


def lines_of(which: Expression, regie: str) -> list[RevenueLine]:
    """Return revenue of a *régie* as lines, the oldest first."""
    imputed_on = reader(regie)
    return [_line(row, imputed_on) for row in _rows(which)]


def _waiting(regie: str, up_to: int) -> Expression:
    """Return the condition of revenue to pay over. The last deposit took all that came before it,
    except what was kept back then."""
    last: Any = Deposit.select(fn.MAX(Deposit.up_to)).where(Deposit.regie == regie)
    once_kept = KeptBack.select(KeptBack.revenue)
    kept = once_kept.where(KeptBack.ended_at.is_null())
    mine = (Settlement.regie == regie) & (Revenue.entry <= up_to)
    new = (Revenue.entry >= (last.scalar() or 0)) | Revenue.id.in_(once_kept)
    paid_over = DepositLine.select().where(DepositLine.revenue == Revenue.id)
    waiting: Expression = mine & new & ~fn.EXISTS(paid_over) & Revenue.id.not_in(kept)
    return waiting


def _rows(which: Expression) -> Iterator[tuple[Any, ...]]:
    columns = (
        Revenue.id, JournalEntry.at, Settlement.id, Receipt.number, Receipt.sequence,
        Invoice.number, Service.id, Service.name, Settlement.gateway, Settlement.mode, Revenue.kind,
        Revenue.amount_cents,
    )  # fmt: skip
    found: Any = (
        Revenue.select(*columns)
        .join(JournalEntry)
        .switch(Revenue)
        .join(Invoice)
        .switch(Revenue)
        .join(Service)
        .switch(Revenue)
        .join(Settlement)
        .join(Receipt, JOIN.LEFT_OUTER)
        .where(which)
        .order_by(Revenue.id)
    )
    yield from found.tuples().iterator()


def _line(row: tuple[Any, ...], imputed_on: Callable[[int, date], Imputed]) -> RevenueLine:
    revenue, at, paid, number, sequence, invoice, service, name, gateway, *rest = row
    mode, kind, cents = rest
    day = clock.paris_date(at)
    receipt = receipt_title(number, sequence) if number else ""
    words = (invoice, name, gateway or "", mode)
    imputed = imputed_on(service, day)
    return RevenueLine(revenue, day.isoformat(), paid, receipt, *words, *imputed, kind, cents)
