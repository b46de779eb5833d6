"""Compute the accounts that each payment must have, and book the entries that bring them there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kiosque.db.models import Allocation, Attempt, Family, Settlement
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import CREDIT, AllocationKind, SettlementState
from kiosque.payments import journal, revenues
from kiosque.payments.queries import parts_of, settlements_of
from kiosque.payments.taken_back import Former


def book(settlement: Settlement, label: str, taken_back: Sequence[Former] = ()) -> None:
    """Write the entries that bring the journal, and the revenue of each service, to what the money
    of this payment now pays. For a correction, `taken_back` has the entries that it may cite.
    Belongs inside `write()`."""
    settlements = settlements_of_payment(settlement)
    ids = [each.id for each in settlements]
    expected = expected_balances(settlements)
    accounts = {journal.account(name, settlement.regie): cents for name, cents in expected.items()}
    number = journal.bring_to(accounts, settlement, ids, label, taken_back)
    revenues.follow(settlements, expected[journal.REFUNDS], number)


def owed_cents(settlement: Settlement) -> int:
    """Return the cents of a payment that pay nothing and are still there."""
    money = _money(settlements_of_payment(settlement))
    return money.overpaid_cents + money.unmatched_cents


def overpaid_cents(settlement: Settlement) -> int:
    """Return the cents of a payment that came twice and are still there."""
    return _money(settlements_of_payment(settlement)).overpaid_cents


def overpaid_to(family: Family, regies: Collection[str] | None = None) -> int:
    """Return the cents that came twice from a family and are still there, of all its payments; or
    of those to these *régies*, by their keys."""
    found = {
        each.attempt_id or -each.id: each
        for each in _OVERPAID.models(family=family.id)
        if regies is None or each.regie in regies
    }
    return sum(overpaid_cents(each) for each in found.values())


def settlements_of_payment(settlement: Settlement) -> list[Settlement]:
    """Return the settlements, as they are now, of the attempt that this one belongs to; itself
    alone when it was taken at the counter."""
    if settlement.attempt_id is None:
        return _SETTLEMENT.models(settlement=settlement.id)
    return settlements_of(settlement.attempt_id)


def expected_balances(settlements: Sequence[Settlement]) -> dict[str, int]:
    """Return what the accounts must hold, in cents, debits less credits, for the settlements of
    one payment. The accounts are named without their *régie*."""
    first = settlements[0]
    source = f"bank:{first.gateway}" if first.gateway else f"counter:{first.mode}"
    source = journal.CREDITS if first.mode == CREDIT else source
    counted = [each for each in settlements if each.state == SettlementState.COUNTED]
    parts = dict.fromkeys(AllocationKind, 0)
    for settlement in counted:
        for part in parts_of(settlement):
            parts[AllocationKind(part.kind)] += part.amount_cents
    kept = sum(each.remaining_cents for each in settlements)
    return balances_for(source, kept, parts, sum(each.returned_cents for each in counted))


def balances_for(
    source: str, kept: int, parts: Mapping[AllocationKind, int], returned: int
) -> dict[str, int]:
    """Return the balances of one payment, in cents: `kept` is still in the `source` account,
    `parts` says what the money that counts was for, `returned` how much of it was given back.

    Money given back comes first out of *trop-perçus*, then out of what matched nothing; only the
    rest is a refund of invoices, which stay paid until a settlement has wholly left again. So
    debits and refunds may arrive in any order.
    """
    accounts = {source: kept}
    for kind in (AllocationKind.OVERPAYMENT, AllocationKind.UNMATCHED):
        taken = min(parts[kind], returned)
        accounts[journal.ACCOUNTS[kind]] = taken - parts[kind]
        returned -= taken
    accounts[journal.ACCOUNTS[AllocationKind.INVOICE]] = -parts[AllocationKind.INVOICE]
    accounts[journal.REFUNDS] = returned
    return accounts


@dataclass(frozen=True)
class Money:
    """The money of one payment, in cents, as its family may read it: what is owed back because it
    came twice, or because the amount was not the one awaited; and what was given back while its
    invoices stay paid."""

    overpaid_cents: int
    unmatched_cents: int
    refunded_cents: int


def money_of(attempt: Attempt) -> Money:
    return _money(settlements_of(attempt.id))


def _money(settlements: Sequence[Settlement]) -> Money:
    if not settlements:
        return Money(0, 0, 0)
    accounts = expected_balances(settlements)
    return Money(
        -accounts[journal.ACCOUNTS[AllocationKind.OVERPAYMENT]],
        -accounts[journal.ACCOUNTS[AllocationKind.UNMATCHED]],
        accounts[journal.REFUNDS],
    )


def may_be_undone(attempt: Attempt) -> bool:
    """Return whether the bank may still undo a debit of this attempt by itself."""
    return any(
        each.state == SettlementState.COUNTED and each.final_at is None
        for each in settlements_of(attempt.id)
    )


_SETTLEMENT = PreparedQuery(
    lambda settlement: Settlement.select().where(Settlement.id == settlement)
)
_OVERPAID = PreparedQuery(
    lambda family: (
        Settlement.select()
        .join(Allocation)
        .where(
            Settlement.family == family,
            Allocation.kind == AllocationKind.OVERPAYMENT,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
        )
    )
)
