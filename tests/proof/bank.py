"""The bank of the proof: what truly happened there, told truly, late, or not at all.

The town has two contracts with it, each a gateway of the portal: one can be asked, the other only
notifies. Each names its transactions by itself, so that one name may be of a debit in both.

It knows nothing of the portal's code: it keeps orders, debits and credits, writes the signed
notices that Lyra's platform would post of them, and answers questions.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateways.base import (
    Callback,
    Declined,
    Gateway,
    Handoff,
    Order,
    Polling,
    RefundRequest,
    Report,
    Unreachable,
)  # fmt: skip
from tests.bank import ABANDONED, REFUSED, notice

#: What may become of a debit, by itself or by the bank's back office.
NEXT = {
    "UNDER_VERIFICATION": ("AUTHORISED", "REFUSED", "CANCELLED"),
    "AUTHORISED_TO_VALIDATE": ("AUTHORISED", "CANCELLED", "EXPIRED"),
    "AUTHORISED": ("CAPTURED", "CANCELLED", "EXPIRED", "CAPTURE_FAILED"),
    "CAPTURE_FAILED": ("CAPTURED",),
}
#: What a card may go through.
STORIES = (
    ("AUTHORISED",),
    ("AUTHORISED", "CAPTURED"),
    ("CAPTURED",),
    ("AUTHORISED", "CANCELLED"),
    ("AUTHORISED", "CAPTURE_FAILED", "CAPTURED"),
    ("UNDER_VERIFICATION", "AUTHORISED"),
    ("UNDER_VERIFICATION", "REFUSED"),
    ("REFUSED",),
)
STANDING = ("AUTHORISED", "CAPTURED")
EURO, DOLLAR = "978", "840"


@dataclass(frozen=True)
class Message:
    """Tell of one transaction at one moment as the bank does, under the contract of `gateway`,
    whose key signs it. `parent` is the debit that a credit gives back, by its `uuid`; a notice
    does not name it, an answer does."""

    gateway: str
    reference: str
    transaction: str
    operation: str
    status: str
    cents: int
    currency: str = EURO
    parent: str = ""
    number: str = ""

    @property
    def uuid(self) -> str:
        """The name that no other transaction of the town has."""
        return self.transaction and f"{self.gateway}:{self.transaction}"


@dataclass
class Account:
    """One order at the bank: its contract, its form, and its transactions by their ids, as they are
    now."""

    gateway: str
    handoff: Handoff
    cents: int
    transactions: dict[str, Message] = field(default_factory=dict)

    def given_back(self, debit: str) -> int:
        """The cents given back of a debit."""
        return sum(
            each.cents
            for each in self.transactions.values()
            if each.operation == "CREDIT" and each.parent == debit and each.status in STANDING
        )


class Bank:
    """The bank behind the gateways that the portal sees. `sent` holds every notice ever written;
    `log`, what it was asked and answered since the list was last emptied.

    `mood` says how it answers: truly, not at all, of another amount or another order.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` has the signing key of each contract, by its gateway's name."""
        self._keys = keys
        self.accounts: dict[str, Account] = {}
        self.sent: list[Message] = []
        self.log: list[tuple[str, str, Sequence[Message] | Exception]] = []
        self.mood = "true"
        self.lie: Callable[[Message], Message] = lambda message: message
        self._ids: Counter[str] = Counter()

    # --- What the payer and the bank do ---

    def debit(
        self,
        reference: str,
        status: str,
        cents: int,
        currency: str = EURO,
        *,
        by_hand: bool = False,
    ) -> None:
        """A card is presented; or, by hand, the debit is made again at the back office, where it
        has a number of its own."""
        gateway = self.accounts[reference].gateway
        transaction, count = self._id(gateway)
        number = f"{800_000 + count}" if by_hand else ""
        self._tell(
            Message(gateway, reference, transaction, "DEBIT", status, cents, currency, "", number)
        )

    def leave(self, reference: str, *, timed_out: bool) -> None:
        """The payer leaves the page, or its time runs out. The bank keeps no transaction."""
        operation = "TIMEOUT" if timed_out else ""
        gateway = self.accounts[reference].gateway
        self.sent.append(Message(gateway, reference, "", operation, "ABANDONED", 0))

    def advance(self, reference: str, uuid: str, status: str) -> None:
        self._tell(replace(self.accounts[reference].transactions[uuid], status=status))

    def credit(self, reference: str, parent: str, cents: int, status: str = "CAPTURED") -> None:
        """Money of a captured debit is given back, or could not be."""
        gateway = self.accounts[reference].gateway
        transaction, count = self._id(gateway)
        number = f"{900_000 + count}"
        self._tell(
            Message(gateway, reference, transaction, "CREDIT", status, cents, EURO, parent, number)
        )

    def _tell(self, message: Message) -> None:
        self.accounts[message.reference].transactions[message.uuid] = message
        self.sent.append(replace(message, parent=""))

    def _id(self, gateway: str) -> tuple[str, int]:
        """The contract's next transaction, and how many it has."""
        self._ids[gateway] += 1
        return hashlib.md5(str(self._ids[gateway]).encode()).hexdigest(), self._ids[gateway]

    # --- What it says ---

    def fields(self, message: Message) -> dict[str, str]:
        """The notice, signed."""
        changes: dict[str, str | None] = {
            "trans_status": message.status,
            "trans_uuid": message.transaction,
            "amount": str(message.cents),
            "currency": message.currency,
            "operation_type": message.operation,
        }
        if message.status == "ABANDONED":
            changes = {**ABANDONED, "payment_error": "149" if message.operation else None}
        elif message.status == "REFUSED":
            changes |= {**REFUSED}
        if message.number:
            changes["trans_id"] = message.number
        known = self.accounts.get(message.reference) or next(iter(self.accounts.values()))
        key = self._keys[message.gateway]
        return notice(known.handoff, key, order_id=message.reference, **changes)

    def give_back(self, debit_uuid: str, reference: str, request: RefundRequest) -> list[Message]:
        """Give back once, as the contract says; the answer may be lost before or after."""
        what = f"refund {debit_uuid}"
        if self.mood == "down":
            return self.answer(what, reference)
        account = self.accounts[reference]
        debit = account.transactions[debit_uuid]
        given = account.given_back(debit.uuid)
        if debit.status in STANDING and given <= request.returned_cents:
            if request.cents > debit.cents - given:
                return self._fail(what, reference, Declined("plus que le reste"))
            if debit.status == "CAPTURED":
                self.credit(reference, debit.uuid, request.cents)
            elif request.cents == debit.cents:
                self.advance(reference, debit.uuid, "CANCELLED")
            else:
                return self._fail(what, reference, Declined("pas encore remis"))
        if self.mood == "lost":
            return self._fail(what, reference, Unreachable("coupée"))
        return self.answer(what, reference)

    def answer(self, what: str, reference: str) -> list[Message]:
        if self.mood in ("down", "lost"):
            return self._fail(what, reference, Unreachable("panne"))
        others = [
            each
            for each, account in self.accounts.items()
            if each != reference and account.gateway == self.accounts[reference].gateway
        ]
        about = others[0] if self.mood == "other order" and others else reference
        said = list(self.accounts[about].transactions.values())
        if self.mood == "other amount":
            said = [self.lie(message) for message in said]
        self.log.append((what, reference, said))
        return said

    def _fail(self, what: str, reference: str, error: Exception) -> Any:
        self.log.append((what, reference, error))
        raise error


class Contract:
    """A gateway that the portal sees: the bank under one of its contracts, which only notifies."""

    def __init__(self, bank: Bank, gateway: Gateway) -> None:
        self.bank, self._gateway = bank, gateway
        self.name, self.label = gateway.name, gateway.label
        self.form_origin, self.limits = gateway.form_origin, gateway.limits
        self.read_notification = gateway.read_notification

    def start(self, order: Order) -> Handoff:
        handoff = self._gateway.start(order)
        self.bank.accounts[order.reference] = Account(self.name, handoff, order.cents)
        return handoff

    def report(self, message: Message) -> Report:
        """Read what the bank says, with the debit that it names only in an answer."""
        report = self.read_notification(Callback.of_form(self.bank.fields(message).items()))
        return replace(report, parent_id=message.parent.removeprefix(f"{self.name}:"))


class FullContract(Contract):
    """One that can be asked besides, and told to give money back."""

    polling = Polling()

    def poll(self, order: Order) -> list[Report]:
        return [self.report(said) for said in self.bank.answer("poll", order.reference)]

    def refund(self, order: Order, request: RefundRequest) -> list[Report]:
        debit = f"{self.name}:{request.transaction_id}"
        said = self.bank.give_back(debit, order.reference, request)
        return [self.report(message) for message in said]
