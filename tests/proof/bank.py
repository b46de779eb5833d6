"""The bank of the proof: what truly happened there, told truly, late, or not at all.

It knows nothing of the portal's code: it keeps orders, debits and credits, writes the signed
notices that Lyra's platform would post of them, and answers questions.
"""

import hashlib
from collections.abc import Callable, Sequence
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
    """What the bank says of one transaction at one moment. `parent` is the debit that a credit
    gives back; a notice does not name it, an answer does."""

    reference: str
    uuid: str
    operation: str
    status: str
    cents: int
    currency: str = EURO
    parent: str = ""
    number: str = ""


@dataclass
class Account:
    """One order at the bank: its form, and its transactions by their ids, as they are now."""

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
    """The gateway that the portal sees, and the bank behind it. `sent` holds every notice ever
    written; `log`, what it was asked and answered since the list was last emptied.

    `mood` says how it answers: truly, not at all, of another amount or another order.
    """

    polling = Polling()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.name, self.label = gateway.name, gateway.label
        self.form_origin, self.limits = gateway.form_origin, gateway.limits
        self.accounts: dict[str, Account] = {}
        self.sent: list[Message] = []
        self.log: list[tuple[str, str, Sequence[Message] | Exception]] = []
        self.mood = "true"
        self.lie: Callable[[Message], Message] = lambda message: message
        self._ids = 0

    # --- What the payer and the bank do ---

    def start(self, order: Order) -> Handoff:
        handoff = self._gateway.start(order)
        self.accounts[order.reference] = Account(handoff, order.cents)
        return handoff

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
        uuid = self._id()
        number = f"{800_000 + self._ids}" if by_hand else ""
        self._tell(Message(reference, uuid, "DEBIT", status, cents, currency, "", number))

    def leave(self, reference: str, *, timed_out: bool) -> None:
        """The payer leaves the page, or its time runs out. The bank keeps no transaction."""
        operation = "TIMEOUT" if timed_out else ""
        self.sent.append(Message(reference, "", operation, "ABANDONED", 0))

    def advance(self, reference: str, uuid: str, status: str) -> None:
        self._tell(replace(self.accounts[reference].transactions[uuid], status=status))

    def credit(self, reference: str, parent: str, cents: int, status: str = "CAPTURED") -> None:
        """Money of a captured debit is given back, or could not be."""
        uuid, number = self._id(), f"{900_000 + self._ids}"
        self._tell(Message(reference, uuid, "CREDIT", status, cents, EURO, parent, number))

    def _tell(self, message: Message) -> None:
        self.accounts[message.reference].transactions[message.uuid] = message
        self.sent.append(replace(message, parent=""))

    def _id(self) -> str:
        self._ids += 1
        return hashlib.md5(str(self._ids).encode()).hexdigest()

    # --- What it says ---

    def fields(self, message: Message) -> dict[str, str]:
        """The notice, signed."""
        changes: dict[str, str | None] = {
            "trans_status": message.status,
            "trans_uuid": message.uuid,
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
        return notice(known.handoff, order_id=message.reference, **changes)

    def report(self, message: Message) -> Report:
        callback = Callback.of_form(self.fields(message).items())
        return replace(self._gateway.read_notification(callback), parent_id=message.parent)

    def read_notification(self, callback: Callback) -> Report:
        return self._gateway.read_notification(callback)

    def poll(self, order: Order) -> list[Report]:
        return self._answer("poll", order.reference)

    def refund(self, order: Order, request: RefundRequest) -> list[Report]:
        """Give back once, as the contract says; the answer may be lost before or after."""
        what = f"refund {request.transaction_id}"
        if self.mood == "down":
            return self._answer(what, order.reference)
        account = self.accounts[order.reference]
        debit = account.transactions[request.transaction_id]
        given = account.given_back(debit.uuid)
        if debit.status in STANDING and given <= request.returned_cents:
            if request.cents > debit.cents - given:
                return self._fail(what, order.reference, Declined("plus que le reste"))
            if debit.status == "CAPTURED":
                self.credit(order.reference, debit.uuid, request.cents)
            elif request.cents == debit.cents:
                self.advance(order.reference, debit.uuid, "CANCELLED")
            else:
                return self._fail(what, order.reference, Declined("pas encore remis"))
        if self.mood == "lost":
            return self._fail(what, order.reference, Unreachable("coupée"))
        return self._answer(what, order.reference)

    def _answer(self, what: str, reference: str) -> list[Report]:
        if self.mood in ("down", "lost"):
            return self._fail(what, reference, Unreachable("panne"))
        others = [each for each in self.accounts if each != reference]
        about = others[0] if self.mood == "other order" and others else reference
        said = list(self.accounts[about].transactions.values())
        if self.mood == "other amount":
            said = [self.lie(message) for message in said]
        self.log.append((what, reference, said))
        return [self.report(message) for message in said]

    def _fail(self, what: str, reference: str, error: Exception) -> Any:
        self.log.append((what, reference, error))
        raise error
