"""Find which payment or repayment of ours each operation of an acquirer's journal is."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from peewee import Expression

from kiosque.db import execute_many
from kiosque.db.models import Anomaly, Attempt, BankOperation, Repayment, Settlement
from kiosque.db.states import AnomalyKind, RepaymentState
from kiosque.language import clock
from kiosque.language.formats import format_euros, short_date
from kiosque.payments.anomalies import flag_anomaly, list_again, resolve_by_itself
from kiosque.payments.orders import REFERENCE
from kiosque.payments.queries import attempt_by_reference, last_regie_of

#: A payment is remitted this long after it was opened, at most.
_LONGEST = timedelta(days=60)
_SETTLEMENT = "UPDATE bank_operation SET settlement_id = ? WHERE id = ?"
_REPAYMENT = "UPDATE bank_operation SET repayment_id = ? WHERE id = ?"
#: Prefix of the keys of the anomalies about operations.
_KEY = "remitted"
_SETTLED = "ce paiement est enregistré, ou aucun fichier n’en parle plus"

Item = TypeVar("Item")


class _Operation(NamedTuple):
    id: int
    paid_on: date
    transaction_id: str
    order_reference: str
    cents: int
    remittance: str


class _Money(NamedTuple):
    """A payment or, below zero, a repayment; `operation` is the one that it is linked to."""

    id: int
    cents: int
    transaction_id: str | None
    reference: str | None
    day: str | None
    number: int | None
    operation: int | None


def link_all(regie: str) -> None:
    """Link the operations of all the gateways that a *régie* has had. Put those that remain unknown
    on the list, and take off those that are in no file any more. Belongs inside `write()`."""
    told: Any = BankOperation.select(BankOperation.gateway).distinct().tuples()
    listed: Any = Anomaly.select(Anomaly.gateway).where(
        Anomaly.key.startswith(f"{_KEY}:"), Anomaly.resolved_at.is_null()
    )
    for (gateway,) in sorted({*told, *listed.distinct().tuples()}):
        if last_regie_of(gateway) == regie:
            _link(gateway, regie)


def _link(gateway: str, regie: str) -> None:
    """Link operations to money of the same amount, by our reference, then by the bank's day and
    number. Tell the régisseur of a payment that bears a reference of ours but is not in the
    books."""
    operations = list(_operations(_is_unlinked(gateway)))
    if operations:
        since = clock.midnight_in_paris(min(each.paid_on for each in operations) - _LONGEST)
        for statement, known in (
            (_SETTLEMENT, _settlements(gateway, since)),
            (_REPAYMENT, _repayments(gateway, since)),
        ):
            _link_to(list(known), operations, statement)
        operations = list(_operations(_is_unlinked(gateway)))
    _tell(operations, gateway, regie)


def _link_to(known: Sequence[_Money], unlinked: Sequence[_Operation], statement: str) -> None:
    """Link operations to our money. If an operation is linked already to money that a new one may
    belong to, pair them all again: the order in which files came must not decide."""
    operations, doubted = [*unlinked], list(_doubted(known, unlinked))
    while doubted:
        execute_many(statement, [(None, number) for number in doubted])
        known = [
            each._replace(operation=None) if each.operation in doubted else each for each in known
        ]
        operations += _operations(BankOperation.id.in_(doubted))
        doubted = list(_doubted(known, operations))
    free = [each for each in known if each.operation is None]
    pairs = _pairs(sorted(operations, key=_content), free)
    execute_many(statement, [(money.id, operation.id) for operation, money in pairs])


def _doubted(known: Iterable[_Money], operations: Sequence[_Operation]) -> set[int]:
    """Return the operations already linked to money that one of these may belong to."""
    linked = [each for each in known if each.operation is not None]
    return {
        each.operation
        for of_bank, of_ours in _RULES
        for names in [set(map(of_bank, operations))]
        for each in linked
        if each.operation is not None and of_ours(each) in names
    }


def _is_unlinked(gateway: str) -> Expression:
    same = BankOperation.gateway == gateway
    return same & BankOperation.settlement.is_null() & BankOperation.repayment.is_null()


def _operations(which: Expression) -> Iterator[_Operation]:
    found: Any = BankOperation.select(
        BankOperation.id, BankOperation.paid_on, BankOperation.transaction_id,
        BankOperation.order_reference, BankOperation.amount_cents, BankOperation.remittance,
    ).where(which).order_by(BankOperation.id)  # fmt: skip
    return (_Operation(*row) for row in found.tuples())


def _content(operation: _Operation) -> tuple[object, ...]:
    return operation[1:]


_OF_ATTEMPT = (Attempt.reference, Attempt.day, Attempt.number, BankOperation.id)


def _settlements(gateway: str, since: datetime) -> Iterator[_Money]:
    found: Any = (
        Settlement.select(
            Settlement.id, Settlement.amount_cents, Settlement.transaction_id, *_OF_ATTEMPT
        )
        .left_outer_join(Attempt)
        .left_outer_join(BankOperation, on=BankOperation.settlement == Settlement.id)
        .where(Settlement.gateway == gateway, Settlement.settled_at >= since)
        .order_by(Settlement.id)
    )
    return (_Money(*row) for row in found.tuples())


def _repayments(gateway: str, since: datetime) -> Iterator[_Money]:
    found: Any = (
        Repayment.select(
            Repayment.id, Repayment.amount_cents * -1, Repayment.transaction_id, *_OF_ATTEMPT
        )
        .join(Settlement)
        .left_outer_join(Attempt)
        .left_outer_join(BankOperation, on=BankOperation.repayment == Repayment.id)
        .where(
            Settlement.gateway == gateway,
            Repayment.state == RepaymentState.DONE,
            Repayment.asked_at >= since,
        )
        .order_by(Repayment.id)
    )
    return (_Money(*row) for row in found.tuples())


def _day_and_number(told: _Operation) -> Hashable:
    number = int(told.transaction_id) if told.transaction_id.isdecimal() else None
    return told.paid_on.strftime("%Y%m%d"), number, told.cents


#: What an operation and our money must have in common to be the same; the surest rule first.
_RULES: Sequence[tuple[Callable[[_Operation], Hashable], Callable[[_Money], Hashable]]] = (
    (lambda told: (told.order_reference, told.cents), lambda own: (own.reference, own.cents)),
    (_day_and_number, lambda own: (own.day, own.number, own.cents)),
    (lambda told: (told.transaction_id, told.cents), lambda own: (own.transaction_id, own.cents)),
)


def _pairs(
    operations: Sequence[_Operation], known: Sequence[_Money]
) -> Iterator[tuple[_Operation, _Money]]:
    """Pair by each rule in turn those not paired by an earlier rule."""
    done: set[int] = set()
    for of_bank, of_ours in _RULES:
        told = by(of_bank, (each for each in operations if each.id not in done))
        own = by(of_ours, known)
        for name, same in told.items():
            if len(same) == len(own.get(name, ())):
                yield from zip(same, own[name], strict=True)
                done.update(each.id for each in same)
        paired = {name for name, same in told.items() if len(same) == len(own.get(name, ()))}
        known = [each for each in known if of_ours(each) not in paired]


def by(name: Callable[[Item], Hashable], items: Iterable[Item]) -> Mapping[Hashable, list[Item]]:
    """Return the items by their names."""
    found: Mapping[Hashable, list[Item]] = defaultdict(list)
    for each in items:
        found[name(each)].append(each)
    return found


def _tell(unknown: Sequence[_Operation], gateway: str, regie: str) -> None:
    """Put on the régisseur's list the payments that bear a reference of ours, and are not here;
    take off those that are now."""
    of_ours = {_key(each, gateway): each for each in unknown if _is_ours(each)}
    about = Anomaly.key.startswith(f"{_KEY}:{gateway}:")
    resolve_by_itself(about & Anomaly.key.not_in([*of_ours]), _SETTLED)
    list_again(Anomaly.key.in_([*of_ours]))
    for key, each in of_ours.items():
        reference = each.order_reference
        attempt = attempt_by_reference(gateway, reference)
        flag_anomaly(
            key,
            AnomalyKind.MISMATCH if attempt else AnomalyKind.UNKNOWN_ORDER,
            each.cents,
            f"le journal de la banque dit que {format_euros(each.cents)} sont payés pour la "
            f"commande {reference} (transaction {each.transaction_id} du "
            f"{short_date(each.paid_on)}), et rien ici ne le dit",
            regie=regie,
            gateway=gateway,
            attempt=attempt,
        )


def _is_ours(operation: _Operation) -> bool:
    return operation.cents > 0 and bool(REFERENCE.fullmatch(operation.order_reference))


def _key(operation: _Operation, gateway: str) -> str:
    return f"{_KEY}:{gateway}:{operation.order_reference}:{operation.cents}"
