"""The money that no line of a statement explains yet: payments to receive, repayments, deposits."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from peewee import Case, ModelSelect, Value, fn

from kiosque.db import database
from kiosque.db.models import (
    Allocation,
    Attempt,
    BankOperation,
    Deposit,
    Invoice,
    LineMatch,
    Receipt,
    Repayment,
    Settlement,
)
from kiosque.db.statement_words import MatchKind
from kiosque.db.states import CREDIT, RepaymentKind, RepaymentState
from kiosque.language import clock
from kiosque.payments import journal

#: A kind of money, and its number.
Key = tuple[MatchKind, int]


@dataclass(slots=True, eq=False)
class UnexplainedMoney:
    """Cents that may explain a line of a statement, below zero when they leave the account. `at` is
    text, as the database stores it. `reference` is our reference of the payment, `transaction` the
    bank's; `receipt` and `sequence` number its receipt."""

    kind: MatchKind
    id: int
    cents: int
    at: str
    gateway: str | None = None
    mode: str | None = None
    transaction: str | None = None
    reference: str | None = None
    receipt: int | None = None
    sequence: str | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.id

    @property
    def on(self) -> date:
        return _paris_day(self.at[:13])

    @property
    def names(self) -> tuple[str, ...]:
        """Return our reference and the bank's name of the payment."""
        return tuple([each for each in (self.reference, self.transaction) if each])

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the number of the receipt, as a payer writes it."""
        if self.receipt is None:
            return ()
        return (f"R{self.receipt}-{self.sequence}" if self.sequence else f"R{self.receipt}",)


_COLUMNS = (
    Settlement.gateway, Settlement.mode, Settlement.transaction_id, Attempt.reference,
    Receipt.number, Receipt.sequence,
)  # fmt: skip
_IN_FORCE = LineMatch.undone_at.is_null()
_UNDONE = Repayment.select(Repayment.settlement).where(
    Repayment.kind == RepaymentKind.REVERSAL, Repayment.state == RepaymentState.DONE
)
#: Excludes credit notes, which are no money, and debits that the bank undid before remitting them:
#: these neither enter the account nor leave it.
_COMES = (Settlement.mode != CREDIT) & Settlement.id.not_in(_UNDONE)


def account_of(money: UnexplainedMoney) -> str:
    """Return the account of the books where money waits, without its *régie*."""
    if money.gateway:
        return f"bank:{money.gateway}"
    return f"counter:{money.mode}" if money.mode else journal.PAID_OVER


def in_order(money: Iterable[UnexplainedMoney]) -> tuple[UnexplainedMoney, ...]:
    """Return money in the order of `key`."""
    return tuple(sorted(money, key=attrgetter("key")))


def free(regie: str, since: datetime) -> list[UnexplainedMoney]:
    """Return the money of a *régie* since an instant that no match in force explains, the oldest
    first."""
    return [
        *_settlements(regie, Settlement.settled_at >= since),
        *_repayments(regie, since),
        *_deposits(regie),
    ]


def to_receive(regie: str | Value) -> "ModelSelect[Settlement]":
    """Select the payments by a gateway that the account has not received."""
    matched = LineMatch.select().where(_IN_FORCE, LineMatch.settlement == Settlement.id)
    return Settlement.select().where(
        Settlement.regie == regie,
        Settlement.gateway.is_null(False),
        _COMES,
        ~fn.EXISTS(matched),
    )


def _settlements(regie: str, since: Any) -> list[UnexplainedMoney]:
    matched = LineMatch.select(LineMatch.settlement).where(
        _IN_FORCE, LineMatch.settlement.is_null(False)
    )
    found: Any = (
        Settlement.select(Settlement.id, Settlement.amount_cents, Settlement.settled_at, *_COLUMNS)
        .left_outer_join(Attempt)
        .switch(Settlement)
        .left_outer_join(Receipt)
        .where(Settlement.regie == regie, since, _COMES, Settlement.id.not_in(matched))
        .order_by(Settlement.settled_at, Settlement.id)
    )
    return _money(MatchKind.SETTLEMENT, found)


def _repayments(regie: str, since: datetime) -> list[UnexplainedMoney]:
    matched = LineMatch.select(LineMatch.repayment).where(
        _IN_FORCE, LineMatch.repayment.is_null(False)
    )
    done_at = Case(None, [(Repayment.done_at.is_null(), Repayment.asked_at)], Repayment.done_at)
    found: Any = (
        Repayment.select(Repayment.id, Repayment.amount_cents * -1, done_at, *_COLUMNS)
        .join(Settlement)
        .left_outer_join(Attempt)
        .switch(Settlement)
        .left_outer_join(Receipt)
        .where(
            Settlement.regie == regie,
            Repayment.asked_at >= since,
            Repayment.state == RepaymentState.DONE,
            Repayment.kind != RepaymentKind.REVERSAL,
            Settlement.mode != CREDIT,
            Repayment.id.not_in(matched),
        )
        .order_by(Repayment.id)
    )
    return _money(MatchKind.REPAYMENT, found)


def _deposits(regie: str) -> list[UnexplainedMoney]:
    matched = LineMatch.select(LineMatch.deposit).where(_IN_FORCE, LineMatch.deposit.is_null(False))
    found = (
        Deposit.select(Deposit.id, Deposit.amount_cents * -1, Deposit.made_at)
        .where(Deposit.regie == regie, Deposit.amount_cents != 0, Deposit.id.not_in(matched))
        .order_by(Deposit.id)
    )
    return _money(MatchKind.DEPOSIT, found)


def _money(kind: MatchKind, found: Any) -> list[UnexplainedMoney]:
    return [UnexplainedMoney(kind, *row) for row in database.execute(found)]


@lru_cache(4096)
def _paris_day(hour: str) -> date:
    """Return the day in Paris of an hour in UTC, as the database keeps it: `2026-11-24T19`."""
    return clock.paris_date(datetime.fromisoformat(f"{hour}:00:00+00:00"))


@lru_cache(4096)
def day_of(text: str) -> date:
    """Return a day as the database keeps it."""
    return date.fromisoformat(text)


def invoices_of(money: Collection[UnexplainedMoney]) -> Mapping[int, list[str]]:
    """Return the numbers of the invoices that these payments came for, by the payments' ids."""
    ids = {each.id for each in money if each.kind == MatchKind.SETTLEMENT}
    found: Mapping[int, list[str]] = defaultdict(list)
    if not ids:
        return found
    rows: Any = Allocation.select(Allocation.settlement, Invoice.number).join(Invoice)
    within = rows.where(Allocation.settlement.between(min(ids), max(ids)))
    for settlement, number in database.execute(within):
        if settlement in ids:
            found[settlement].append(number)
    return found


class Remitted(NamedTuple):
    """An operation of an acquirer's journal that was remitted to the bank; `key` is that of our
    payment or repayment, if known."""

    gateway: str
    remitted_on: date
    remittance: str
    cents: int
    fee_cents: int | None
    key: Key | None


def remitted(gateways: Iterable[str], since: date) -> Iterator[Remitted]:
    """Give the operations of these gateways that were remitted since a day."""
    found: Any = BankOperation.select(
        BankOperation.gateway, BankOperation.remitted_on, BankOperation.remittance,
        BankOperation.amount_cents, BankOperation.fee_cents, BankOperation.settlement,
        BankOperation.repayment,
    ).where(
        BankOperation.gateway.in_([*gateways]), BankOperation.remitted_on >= since
    ).order_by(BankOperation.id)  # fmt: skip
    for *columns, settlement, repayment in found.tuples().iterator():
        key = (MatchKind.SETTLEMENT, settlement) if settlement else None
        if repayment:
            key = (MatchKind.REPAYMENT, repayment)
        yield Remitted._make((*columns, key))
