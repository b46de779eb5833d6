"""The steps that are advised about an entry of the régisseur's list. Each is typed as a command at
a terminal, or pressed as a button: the same step."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kiosque.db.models import Anomaly, Attempt, Settlement
from kiosque.language.formats import decimal
from kiosque.payments.payment_names import name_of
from kiosque.payments.reversals import repayments_done

#: The end of most commands: the reason. The command knows who types it.
_WHY = '--reason "…"'


class Act(StrEnum):
    """The kind of a step, by the name of its command."""

    RESOLVE = "todo"
    GATEWAYS = "gateways"
    CLOSE = "close-attempt"
    CANCEL = "cancel-invoice"
    UNTRANSMIT = "untransmit"
    CHARGEBACK = "chargeback"
    DROP_REFUND = "drop-refund"
    REFUND = "refund"
    APPLY = "apply-overpayment"
    RESTORE = "restore-payment"
    ENTER = "enter-payment"


class Whose(StrEnum):
    """Whose debit is entered: the option of the command that says it."""

    ATTEMPT = "attempt"
    INVOICE = "invoice"
    FAMILY = "family"
    UNKNOWN = "family-unknown"


class Blank(StrEnum):
    """A word that a step leaves to fill in, as a command shows it."""

    AMOUNT = "MONTANT"
    INVOICE = "FACTURE"
    FAMILY = "CODE"
    DAY = "AAAA-MM-JJ"
    TRANSACTION = "IDENTIFIANT"
    PAYMENT = "PAIEMENT"


@dataclass(frozen=True)
class Step:
    """Something to do. `about` is what it is done to, as a command calls it: a payment, an
    attempt's reference, an invoice's number, the number of the entry.

    `cents` and `transaction_id` are None where the step has none. `elsewhere` says that a refund
    was made without us. `reference` is that of the attempt whose debit is entered.
    """

    act: Act
    about: str = ""
    cents: int | Blank | None = None
    transaction_id: str | None = None
    elsewhere: bool = False
    gateway: str = ""
    whose: Whose | None = None
    reference: str = ""

    @property
    def blanks(self) -> frozenset[Blank]:
        """Return what is left to fill in, the reason apart."""
        words = (self.about, self.cents, self.transaction_id)
        found = {each for each in words if isinstance(each, Blank)}
        if self.act == Act.APPLY or self.whose == Whose.INVOICE:
            found.add(Blank.INVOICE)
        if self.whose == Whose.FAMILY:
            found.add(Blank.FAMILY)
        if self.act == Act.ENTER:
            found.add(Blank.DAY)
        return frozenset(found)

    @property
    def command(self) -> str:
        """Return the step as it is typed at a terminal; a word in capitals is left to fill in."""
        words = [self.act.value, *self._arguments()]
        return " ".join(word for word in words if word)

    def _arguments(self) -> Iterator[str]:
        if self.act == Act.RESOLVE:
            yield f'--resolve {self.about} --resolution "…"'
            return
        yield self.about
        if self.act == Act.APPLY:
            yield Blank.INVOICE
        if self.act == Act.ENTER:
            yield f"--gateway {self.gateway}"
        if self.cents is not None:
            yield f"--amount {_typed(self.cents)}"
        if self.act == Act.ENTER:
            yield f"--on {Blank.DAY} {self._whose()}"
        yield "--elsewhere" if self.elsewhere else ""
        if self.transaction_id is not None:
            yield f"--transaction {self.transaction_id}"
        yield "" if self.act == Act.GATEWAYS else _WHY

    def _whose(self) -> str:
        value = {
            Whose.ATTEMPT: self.reference,
            Whose.INVOICE: Blank.INVOICE,
            Whose.FAMILY: Blank.FAMILY,
        }
        return f"--{self.whose} {value.get(self.whose or Whose.UNKNOWN, '')}".strip()


def resolve(point: Anomaly) -> Step:
    """Take the entry off the list: there is nothing more to do in the books."""
    return Step(Act.RESOLVE, str(point.id))


def gateways() -> Step:
    """Look at the gateways in use."""
    return Step(Act.GATEWAYS)


def close(attempt: Attempt) -> Step:
    return Step(Act.CLOSE, attempt.reference)


def cancel(number: str) -> Step:
    return Step(Act.CANCEL, number)


def untransmit(number: str) -> Step:
    return Step(Act.UNTRANSMIT, number)


def chargeback(settlement: Settlement) -> Step:
    return Step(Act.CHARGEBACK, name_of(settlement))


def drop_refund(settlement: Settlement) -> Step:
    return Step(Act.DROP_REFUND, name_of(settlement))


def refund_elsewhere(settlement: Settlement, cents: int) -> Step:
    return Step(Act.REFUND, name_of(settlement), _known(cents), elsewhere=True)


def refund_told(point: Anomaly, payment: str) -> Step:
    """Enter the refund that the bank told of as one of this payment."""
    return Step(
        Act.REFUND,
        payment,
        _known(point.amount_cents),
        transaction_id=point.transaction_id or Blank.TRANSACTION,
        elsewhere=True,
    )


def ways_to_empty(settlement: Settlement, cents: int) -> Iterator[Step]:
    """Give back money that is owed, or find it a use."""
    name, at_counter = name_of(settlement), settlement.attempt_id is None
    yield Step(Act.REFUND, name, _known(cents), elsewhere=at_counter)
    yield Step(Act.APPLY, name)


def ways_to_restore(settlement: Settlement, cents: int | None = None) -> Iterator[Step]:
    """Restore repayments. If the payment has wholly left, the last one must come back first;
    without `cents`, propose that one only."""
    done = repayments_done(settlement)
    last = done[-1].amount_cents if done and not settlement.remaining_cents else None
    amounts = dict.fromkeys(each for each in (last, cents) if each is not None)
    yield from (Step(Act.RESTORE, name_of(settlement), _known(amount)) for amount in amounts)


def ways_to_enter(point: Anomaly) -> Iterator[Step]:
    """Enter a debit that is not in the books, if the bank has its money."""
    whose = (Whose.ATTEMPT,) if point.attempt else (Whose.INVOICE, Whose.FAMILY, Whose.UNKNOWN)
    for each in whose:
        yield Step(
            Act.ENTER,
            point.transaction_id or Blank.TRANSACTION,
            _known(point.amount_cents),
            gateway=point.gateway,
            whose=each,
            reference=point.attempt.reference if point.attempt else "",
        )


def enter_its_debit(point: Anomaly) -> Step:
    """Enter the debit that a refund gives back: the refund then finds it."""
    return Step(
        Act.ENTER,
        Blank.TRANSACTION,
        Blank.AMOUNT,
        gateway=point.gateway,
        whose=Whose.ATTEMPT if point.attempt else Whose.UNKNOWN,
        reference=point.attempt.reference if point.attempt else "",
    )


def _known(cents: int) -> int | Blank:
    """Return an amount, or the blank to fill in if it is not known, which is written 0."""
    return cents or Blank.AMOUNT


def _typed(cents: int | Blank) -> str:
    """Write an amount as a command takes it."""
    return cents if isinstance(cents, Blank) else decimal(cents)
