"""Show how a bank table was understood, for a person to check before anything of it is stored."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from kiosque.statements.records import Movement, ParsedFile, Period

#: Most movements shown for an account, and accounts shown for a file.
SHOWN, ACCOUNTS_SHOWN = 5, 5


class Understood(NamedTuple):
    """An account, `account` empty where none is named: its days, its sums and its balances, in
    cents; `opening_cents` is None where no balance is told. `first` are its first movements."""

    account: str
    first_on: date
    last_on: date
    movements: int
    credits_cents: int
    debits_cents: int
    opening_cents: int | None
    closing_cents: int | None
    first: Sequence[Movement]


def understood(file: ParsedFile) -> list[Understood]:
    """Return what was understood of each account of a table."""
    return [_of(period) for period in file.periods if period.movements][:ACCOUNTS_SHOWN]


def _of(period: Period) -> Understood:
    every = period.movements
    days = [each.booked_on for each in every]
    return Understood(
        period.account,
        min(days),
        max(days),
        len(every),
        sum(each.cents for each in every if each.cents > 0),
        sum(each.cents for each in every if each.cents < 0),
        period.opening_cents,
        period.closing_cents,
        every[:SHOWN],
    )
