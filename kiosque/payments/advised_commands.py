"""The commands that `todo` names, with their arguments; a word in capitals is left to fill in."""

from collections.abc import Iterator

from kiosque.db.models import Anomaly, Attempt, Settlement
from kiosque.payments.names import name_of
from kiosque.payments.reversals import repayments_done

#: The end of most commands: why. Who it is, the command knows.
_WHY = '--reason "…"'


def resolve(point: Anomaly) -> str:
    """Take the entry off the list: there is nothing more to do in the books."""
    return f'todo --resolve {point.id} --resolution "…"'


def close(attempt: Attempt) -> str:
    return f"close-attempt {attempt.reference} {_WHY}"


def cancel(number: str) -> str:
    return f"cancel-invoice {number} {_WHY}"


def chargeback(settlement: Settlement) -> str:
    return f"chargeback {name_of(settlement)} {_WHY}"


def drop_refund(settlement: Settlement) -> str:
    return f"drop-refund {name_of(settlement)} {_WHY}"


def refund_elsewhere(settlement: Settlement, cents: int) -> str:
    return f"refund {name_of(settlement)} --amount {_typed(cents)} --elsewhere {_WHY}"


def refund_told(point: Anomaly, payment: str) -> str:
    """Enter the refund that the bank told of as one of this payment."""
    return (
        f"refund {payment} --amount {_typed(point.amount_cents)} --elsewhere "
        f"--transaction {point.transaction_id or 'IDENTIFIANT'} {_WHY}"
    )


def ways_to_empty(settlement: Settlement, cents: int) -> Iterator[str]:
    """Give back money that is owed, or find it a use."""
    name = name_of(settlement)
    elsewhere = "" if settlement.attempt_id else " --elsewhere"
    yield f"refund {name} --amount {_typed(cents)}{elsewhere} {_WHY}"
    yield f"apply-overpayment {name} FACTURE {_WHY}"


def ways_to_restore(settlement: Settlement, cents: int | None = None) -> Iterator[str]:
    """Of a payment that has wholly left, what left last comes back first. Without `cents`, it
    alone."""
    done = repayments_done(settlement)
    last = done[-1].amount_cents if done and not settlement.remaining_cents else None
    amounts = dict.fromkeys(each for each in (last, cents) if each is not None)
    yield from (
        f"restore-payment {name_of(settlement)} --amount {_typed(amount)} {_WHY}"
        for amount in amounts
    )


def ways_to_enter(point: Anomaly) -> Iterator[str]:
    """The debit is not in the books: if the bank has its money, it is to be entered."""
    debit = (
        f"enter-payment {point.transaction_id or 'IDENTIFIANT'} --gateway {point.gateway} "
        f"--amount {_typed(point.amount_cents)} --on AAAA-MM-JJ"
    )
    if point.attempt:
        yield f"{debit} --attempt {point.attempt.reference} {_WHY}"
    else:
        yield f"{debit} --invoice FACTURE {_WHY}"
        yield f"{debit} --family CODE {_WHY}"
        yield f"{debit} --family-unknown {_WHY}"


def enter_its_debit(point: Anomaly) -> str:
    """Enter the debit that a refund gives back: the refund then finds it."""
    whose = f"--attempt {point.attempt.reference}" if point.attempt else "--family-unknown"
    return (
        f"enter-payment IDENTIFIANT --gateway {point.gateway} --amount MONTANT --on AAAA-MM-JJ "
        f"{whose} {_WHY}"
    )


def _typed(cents: int) -> str:
    """Write an amount as a command takes it; one that is not known is left to fill in."""
    return f"{cents // 100},{cents % 100:02d}" if cents else "MONTANT"
