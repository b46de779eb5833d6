"""Share between tests of a month: online payments, and what the bank's statement says of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import pytest

from kiosque import payments
from kiosque.closings.months import Month
from kiosque.db import write
from kiosque.db.models import (
    Family,
    LineMatch,
    Settlement,
    Statement,
    StatementFile,
    StatementLine,
)
from kiosque.db.statement_words import LineState, MatchKind
from kiosque.language import clock
from kiosque.payments import Purchase, journal
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import bank, gateways  # noqa: F401
from tests.talkative import TalkativeBank

NOVEMBER = Month(2026, 11)
Online = Callable[[Family, str, int], int]
#: A day of November, cents, and the number of the payment that the line is about, if known.
Credit = tuple[int, int, int | None]
Told = Callable[..., Statement]


@pytest.fixture
def online(bank: TalkativeBank) -> Online:  # noqa: F811
    """A family pays an invoice of so many cents at the bank; the number of the payment."""

    def pay(family: Family, number: str, cents: int) -> int:
        invoice = make_invoice(family, number, cents)
        _, handoff = payments.start(Purchase(family, [invoice.number], cents), bank, PUBLIC_URL)
        changes = {"trans_status": "CAPTURED", "trans_uuid": number.ljust(32, "0")}
        payments.record(bank.name, bank.report(handoff, **changes), ISSUERS)
        return int(Settlement.select().order_by(Settlement.id.desc()).get().id)

    return pay


@pytest.fixture
def told(empty_database: None) -> Told:
    """The statement of November is loaded, and matched where a payment is named."""

    def load(
        lines: Sequence[Credit] = (), opening: int = 0, closing: int | None = None
    ) -> Statement:
        with write():
            total = sum(cents for _day, cents, _payment in lines)
            statement = _statement(opening, opening + total if closing is None else closing)
            if opening:
                about = journal.About("", statement_id=statement.id)
                journal.append(about, "solde", debit="account", credit="opening", cents=opening)
            for number, (day, cents, payment) in enumerate(lines, 1):
                _line(statement, number, date(2026, 11, day), cents, payment)
        return statement

    return load


def _statement(opening: int, closing: int) -> Statement:
    number = StatementFile.select().count()
    file = StatementFile.create(
        sha256=str(number), name="releve.csv", kind="csv", loaded_at=clock.now(), author="Dominique"
    )
    return Statement.create(
        file=file,
        regie="",
        opened_on=date(2026, 10, 31),
        opening_cents=opening,
        closed_on=date(2026, 11, 30),
        closing_cents=closing,
    )


def _line(
    statement: Statement, number: int, on: date, cents: int, payment: int | None
) -> StatementLine:
    line = StatementLine.create(
        statement=statement,
        regie="",
        booked_on=on,
        amount_cents=cents,
        label=f"REMISE {number}",
        reference="",
        occurrence=1,
        state=LineState.MATCHED if payment else LineState.OPEN,
    )
    if payment:
        LineMatch.create(
            line=line,
            kind=MatchKind.SETTLEMENT,
            settlement=payment,
            amount_cents=cents,
            rule="reference",
            matched_at=clock.now(),
            author="Dominique",
            reason="",
        )
        about = journal.About("", line_id=line.id)
        journal.append(about, "crédité", debit="account", credit="bank:banque", cents=cents)
    return line


def in_december(frozen: Clock) -> None:
    frozen.at = datetime(2026, 12, 3, 9, tzinfo=UTC)
