"""Check that the books hold together, in the database as it is. Change nothing.

Each check is one query over all rows, which finds those that break the rule: it stays quick on a
large database. The journal is read entry by entry, in its own module.
"""

from collections.abc import Callable, Iterator

from kiosque.payments import journal
from kiosque.payments.verification import (
    attempts,
    closings,
    credit_notes,
    deposits,
    owners,
    revenues,
    statements,
    sums,
    to_do,
    treasury,
)


def faults() -> list[str]:
    """Return what is wrong, in French, each fault naming what it is about; nothing if all is
    well."""
    return [*journal.verify(), *(fault for check in _CHECKS for fault in check())]


_CHECKS: tuple[Callable[[], Iterator[str]], ...] = (
    sums.invoices, sums.totals, treasury.states, treasury.money, credit_notes.worth,
    credit_notes.uses_of_notes, owners.proofs, owners.debits,
    sums.parts, sums.repayments,
    to_do.overpayments, to_do.unmatched, to_do.refunds, to_do.departures, to_do.guesses,
    to_do.gifts, sums.receipts, attempts.attempts, attempts.states, attempts.holds,
    attempts.amounts,
    sums.entries, sums.corrections, sums.accounts, revenues.revenues,
    deposits.numbers, deposits.lines, deposits.amounts, deposits.contents, deposits.prints,
    closings.balances, closings.entries, closings.days, closings.deposits,
    owners.regies, owners.families, attempts.questions,
    statements.lines, statements.told, statements.matches, statements.entries,
    statements.balances,
)  # fmt: skip
