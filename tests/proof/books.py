"""Work out what the books must hold from what was heard: a second opinion, in plain Python.

It shares no code with `kiosque`. One thing is taken from the portal rather than worked out: of
which debit a credit is, where the bank names none and several would do; it is then checked that
the choice was open, and that money was not left loose while a debit could take it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.proof.bank import EURO, Message

HELD = timedelta(minutes=15)
EXAMINED = timedelta(days=7)
PENDING = {"UNDER_VERIFICATION", "AUTHORISED_TO_VALIDATE", "INVENTED"}
ACCEPTED = {"AUTHORISED", "CAPTURED"}
UNDONE = {"CANCELLED", "EXPIRED", "CAPTURE_FAILED"}
#: Of the facts of one transaction, the later in this list says what became of it; `held` is money
#: that nobody awaited, there until it leaves.
RANK = ("created", "handed_off", "pending", "expired", "cancelled", "refused", "held", "paid",
        "reversed", "refunded")  # fmt: skip
#: Of the transactions of one order, the first found here says what became of it.
STRONGEST = ("paid", "held", "pending", "refunded", "reversed", "refused", "cancelled", "expired",
             "handed_off", "created")  # fmt: skip


@dataclass
class Bill:
    """An invoice of a régie, or a credit note, below zero. `altered`: its total was changed after
    it was loaded; `treasury`: the Treasury collects it."""

    number: str
    family: str
    cents: int
    regie: str = ""
    state: str = "open"
    altered: bool = False
    treasury: bool = False


@dataclass
class Part:
    """Tell what one part of the money received is for. `listed`: owed back, and told to a human."""

    debit: "Debit"
    number: str | None
    kind: str
    cents: int
    listed: bool = False
    #: Its kind and number before a human had it pay an invoice.
    before: tuple[str, str | None] | None = None


@dataclass(frozen=True)
class Leaving:
    """Money that left: how, and why where we asked for it; `elsewhere` than by the bank."""

    way: str
    cents: int
    reason: str = ""
    elsewhere: bool = False


@dataclass
class Debit:
    """Money that came. `asked` is a refund asked of the bank and not yet known to be done, for
    `reason`, sent last at `sent_at`; `given`, what was given back on our side: how, how much and
    why; `elsewhere`, how much left without the bank, `by_hand` of it as a refund; `undone`, how
    much ever left as if it had not come, `righted`, how much ever came back. At the counter it is
    of a `mode`; no money came where the credit note `note` pays."""

    owner: "Opened | None"
    name: str
    cents: int
    parts: list[Part] = field(default_factory=list)
    returned: int = 0
    asked: int | None = None
    sent_at: datetime | None = None
    reason: str = ""
    given: set[tuple[str, int, str]] = field(default_factory=set)
    elsewhere: int = 0
    by_hand: int = 0
    leavings: list[Leaving] = field(default_factory=list)
    undone: int = 0
    righted: int = 0
    restored: int = 0
    reinstated: bool = False
    family: str = ""
    mode: str = "cash"
    note: str | None = None

    @property
    def left(self) -> int:
        return self.cents - self.returned

    @property
    def called(self) -> str:
        """The name of what became of it: the bank's, and how often it was restored."""
        return f"{self.name}+{self.restored}" if self.restored else self.name

    @property
    def state(self) -> str:
        if self.left:
            return "counted"
        ways = {each.way for each in self.leavings}
        return "refunded" if ways == {"refund"} else "reversed"


def _state_of(said: Message) -> str:
    if said.status == "ABANDONED":
        return "expired" if said.operation else "cancelled"
    if said.status in UNDONE:
        return "reversed"
    return "pending" if said.status in PENDING else "refused"


@dataclass
class Opened:
    """A payment opened at the bank, of one régie, through the gateway that is its contract."""

    reference: str
    gateway: str
    regie: str
    family: str
    items: dict[str, int]
    started_at: datetime
    until: datetime
    email: bool
    facts: set[tuple[str, str, str]] = field(default_factory=set)
    debits: dict[str, Debit] = field(default_factory=dict)
    credits_: dict[str, Message] = field(default_factory=dict)
    matched: dict[str, str] = field(default_factory=dict)
    answered_at: datetime | None = None
    remembered: set[tuple[str, int, str]] = field(default_factory=set)

    @property
    def cents(self) -> int:
        return sum(self.items.values())

    @property
    def state(self) -> str:
        last: dict[str, str] = {}
        for uuid, state, _ in self.facts:
            last[uuid] = max(last.get(uuid, state), state, key=RANK.index)
        strongest = min(last.values(), key=STRONGEST.index)
        return "pending" if strongest == "held" else strongest

    def is_undecided(self) -> bool:
        return self.state in ("created", "handed_off", "pending")


class Books:
    """`debit_of` says, once a step is over, to which debit the portal gave a credit."""

    def __init__(self, now: Callable[[], datetime], debit_of: Callable[[str], str | None]) -> None:
        self._now, self._debit_of = now, debit_of
        self.bills: dict[str, Bill] = {}
        self.orders: dict[str, Opened] = {}
        self.counter: list[Debit] = []
        self.parts: list[Part] = []
        self.holds: dict[str, Opened] = {}
        #: What a human took off the list: the cents of a payment that came for an invoice.
        self.dealt: dict[tuple[str, str | None], int] = {}
        self.told: set[tuple[str, ...]] = set()
        self.given_twice: set[str] = set()
        self.answers: set[str] = set()
        self.receipts: list[Debit] = []
        self.mails: list[Debit] = []
        self.owners: dict[str, Opened] = {}

    # --- Opening, closing ---

    def opened(self, order: Opened) -> None:
        """A family went to the bank; what held its invoices has lapsed."""
        for number in order.items:
            if holder := self.holds.get(number):
                self.learn(holder, "", "expired", "")
                self.release(holder)
        self.orders[order.reference] = order
        order.facts |= {("", "created", ""), ("", "handed_off", "")}
        self.holds |= dict.fromkeys(order.items, order)

    def release(self, order: Opened) -> None:
        self.holds = {number: each for number, each in self.holds.items() if each is not order}

    def learn(self, order: Opened, uuid: str, state: str, status: str) -> bool:
        """A fact; False when it was known."""
        if (uuid, state, status) in order.facts:
            return False
        order.facts.add((uuid, state, status))
        if not order.is_undecided():
            self.release(order)
        elif order.state == "pending":
            order.until = self._now() + EXAMINED
            for number in order.items:
                self.holds.setdefault(number, order)
        return True

    # --- Hearing the bank ---

    def hear(self, said: Message) -> bool:
        """Tell whether it is news."""
        order = self.orders.get(said.reference)
        if order is None or order.gateway != said.gateway:
            return self._tell(
                "unknown", said.gateway, said.reference, said.uuid, said.operation, said.status
            )
        if said.operation == "CREDIT":
            return self._hear_credit(order, said)
        if self.owners.get(said.uuid, order) is not order:
            return self._tell("another's", order.reference, said.uuid, str(said.cents))
        if said.status in ACCEPTED:
            return self._hear_accepted(order, said)
        if said.number and said.status not in UNDONE:
            return self._tell("by hand", order.reference, said.uuid, said.status)
        if said.status in UNDONE and (said.currency, said.cents) != (EURO, self._cents(said)):
            return self._hear_odd_cancellation(order, said)
        return self._hear_other(order, said)

    def _hear_other(self, order: Opened, said: Message) -> bool:
        state = _state_of(said)
        new = self.learn(order, said.uuid, state, said.status)
        if new and said.number:
            self._tell("by hand", order.reference, said.uuid, said.status)
        if new and state == "reversed" and said.uuid in order.debits:
            captured = {(said.uuid, "paid", "CAPTURED"), (said.uuid, "held", "CAPTURED wrong")}
            if captured & order.facts:
                self._tell("again", order.reference, said.uuid)
            elif said.uuid in order.matched.values():  # they were of another debit, then
                self._tell("credited", order.reference, said.uuid)
            self._undo(order.debits[said.uuid])
        return new

    def _cents(self, said: Message) -> int:
        """The amount of the debit that a message is about, or that its order awaits."""
        order = self.orders[said.reference]
        booked = order.debits.get(said.uuid)
        return booked.cents if booked else order.cents

    def _hear_odd_cancellation(self, order: Opened, said: Message) -> bool:
        """One of another amount than the debit's undoes nothing; it may be of one still to come."""
        if said.currency != EURO:
            return self._tell("currency", order.reference, said.uuid, str(said.cents))
        new = self._tell("other cancellation", order.reference, said.uuid, str(said.cents))
        if said.uuid not in order.debits:
            order.remembered.add((said.uuid, said.cents, said.status))
            new |= self.learn(order, said.uuid, "cancelled", said.status)
        return new

    def _tell(self, *what: str) -> bool:
        """Something for a human to look at; False when it was told before."""
        new = what not in self.told
        self.told.add(what)
        return new

    def _hear_accepted(self, order: Opened, said: Message) -> bool:
        booked = order.debits.get(said.uuid)
        if said.currency != EURO:
            return self._tell("currency", order.reference, said.uuid, str(said.cents))
        if booked and booked.cents != said.cents:
            return self._tell("two amounts", order.reference, said.uuid, str(said.cents))
        awaited = said.cents == order.cents and not said.number
        state, status = ("paid", said.status) if awaited else ("held", f"{said.status} wrong")
        if not self.learn(order, said.uuid, state, status):
            return False
        for uuid, cents, undoing in order.remembered:
            if (uuid, cents) == (said.uuid, said.cents) and cents != order.cents:
                self.learn(order, uuid, "reversed", undoing)
        undone = self.is_undone(order, said.uuid)
        if undone and (booked or said.status == "CAPTURED"):
            self._tell("again", order.reference, said.uuid)
        if not booked and not undone:
            self.receive(order, said, awaited=awaited)
        elif booked and awaited and order.state == "paid":
            self._use_as_awaited(order, booked)
        return True

    @staticmethod
    def is_undone(order: Opened, uuid: str) -> bool:
        """Tell whether the bank has said that it took a debit back."""
        return any(
            known == uuid and state == "reversed" and status != "returned"
            for known, state, status in order.facts
        )

    def receive(
        self, order: Opened, said: Message, *, awaited: bool, reinstated: bool = False
    ) -> None:
        debit = Debit(order, said.uuid, said.cents, restored=reinstated, reinstated=reinstated)
        debit.family = order.family
        order.debits[said.uuid] = debit
        self.owners[said.uuid] = order
        if awaited:
            self._pay(order, debit)
        else:
            self._part(debit, None, "unmatched", said.cents)
        self._match(order)

    def _pay(self, order: Opened, debit: Debit, spare: Part | None = None) -> None:
        for number, cents in order.items.items():
            self._allot(debit, self.bills[number], cents, spare)
            spare = None
        self.receipts.append(debit)
        if order.email:
            order.email = False
            self.mails.append(debit)

    def _use_as_awaited(self, order: Opened, debit: Debit) -> None:
        """It was heard of under another number before, and no human has found it a use since."""
        if debit.state == "counted" and [part.kind for part in debit.parts] == ["unmatched"]:
            self._pay(order, debit, debit.parts[0])
            self._match(order)

    def _part(self, debit: Debit, number: str | None, kind: str, cents: int) -> Part:
        part = Part(debit, number, kind, cents)
        debit.parts.append(part)
        self.parts.append(part)
        return part

    def _allot(self, debit: Debit, bill: Bill, cents: int, spare: Part | None = None) -> None:
        """Pay what is still to pay; the rest is owed. A `spare` part takes the first use."""
        paid = min(self.left(bill, debit.mode), cents)
        for kind, part_cents in (("invoice", paid), ("overpayment", cents - paid)):
            if part_cents and spare:
                spare.number, spare.kind, spare.cents, spare = bill.number, kind, part_cents, None
            elif part_cents:
                self._part(debit, bill.number, kind, part_cents)
        self.refresh(bill)
        if paid < cents:
            self.list_owed(debit, bill.number)

    def paid(self, bill: Bill) -> int:
        """The cents of an invoice that are paid; of a credit note, below zero, used."""
        if bill.cents < 0:
            uses = (each for each in self.counter if each.note == bill.number)
            return -sum(each.cents for each in uses if each.state == "counted")
        return sum(
            part.cents
            for part in self.parts
            if (part.number, part.kind) == (bill.number, "invoice")
            if part.debit.state == "counted"
        )

    def left(self, bill: Bill, mode: str = "") -> int:
        """The cents of an invoice that are still to pay by this mode: one that the Treasury
        collects is to pay to it only."""
        is_due = bill.state == "open" or (bill.state, mode) == ("transmitted", "treasury")
        return bill.cents - self.paid(bill) if is_due else 0

    def refresh(self, bill: Bill) -> None:
        if bill.state not in ("cancelled", "nothing_due"):
            due = "transmitted" if bill.treasury else "open"
            bill.state = "paid" if self.paid(bill) == bill.cents else due

    def use(
        self, part: Part, bill: Bill, most: int, before: tuple[str, str | None] | None = None
    ) -> None:
        """Pay an invoice with a part that pays nothing; what is over stays as it was."""
        cents = min(part.cents, most, self.left(bill, part.debit.mode))
        if cents == part.cents:
            part.kind, part.number, part.listed = "invoice", bill.number, False
            part.before = before
        elif cents:
            part.cents -= cents
            self._part(part.debit, bill.number, "invoice", cents).before = before
        self.refresh(bill)

    def withdraw(self, parts: list[Part], bill: Bill) -> set[str | None]:
        """Take these parts off an invoice that a human had them pay. The invoices that they came
        for."""
        for part in parts:
            assert part.before
            (part.kind, part.number), part.before = part.before, None
        self.refresh(bill)
        self.pay_with_what_came_twice(bill)
        return {part.number for part in parts if part.kind == "overpayment"}

    def came_for(self, debit: Debit, number: str | None) -> list[Part]:
        """The parts of a payment that are owed, of what came for an invoice."""
        return [p for p in debit.parts if (p.number, p.kind) == (number, "overpayment")]

    def list_owed(self, debit: Debit, number: str | None) -> None:
        """Tell a human of what is owed, unless as much was dealt with before."""
        parts = self.came_for(debit, number)
        if sum(part.cents for part in parts) > self.dealt.get((debit.name, number), 0):
            self.dealt.pop((debit.name, number), None)
            for part in parts:
                part.listed = True

    def deal_with(self, debit: Debit, number: str | None) -> None:
        parts = self.came_for(debit, number)
        self.dealt[debit.name, number] = sum(part.cents for part in parts)
        for part in parts:
            part.listed = False

    def cancel(self, bill: Bill) -> None:
        """Owe back what was paid of it; a credit note takes back what it paid."""
        for debit in [each for each in self.counter if each.note and each.state == "counted"]:
            if debit.parts[0].number == bill.number:
                self.take_off(debit)
        paying = [
            part
            for part in self.parts
            if (part.number, part.kind) == (bill.number, "invoice")
            if part.debit.state == "counted"
        ]
        for part in paying:
            part.kind = "overpayment"
        bill.state = "cancelled"
        for part in paying:
            self.list_owed(part.debit, bill.number)

    # --- Money that leaves ---

    def _hear_credit(self, order: Opened, said: Message) -> bool:
        if said.status not in ACCEPTED:
            return self._tell("failed credit", order.reference, said.uuid)
        if said.uuid in order.credits_:
            return False
        order.credits_[said.uuid] = said
        self._match(order)
        return True

    def is_guess(self, order: Opened, uuid: str) -> bool:
        """Tell whether a credit given to a debit may be of another, as far as the bank has said."""
        credit = order.credits_[uuid]
        large = [debit for debit in order.debits.values() if debit.cents >= credit.cents]
        alone = credit.parent or uuid in self.answers or len(large) < 2
        return uuid in order.matched and not alone

    def _match(self, order: Opened) -> None:
        for uuid, credit in order.credits_.items():
            if uuid in order.matched:
                continue
            open_to = {
                name
                for name, debit in order.debits.items()
                if debit.left >= credit.cents
                and credit.parent in ("", name)
                and uuid not in self.owners  # the name of a debit: it can be of none
            }
            chosen = self._debit_of(uuid)
            assert chosen in open_to if open_to else chosen is None or chosen not in order.debits, (
                f"credit {uuid} was given to {chosen}, it could go to {open_to}"
            )
            if chosen in open_to:
                order.matched[uuid] = chosen
                debit = order.debits[chosen]
                reason = ""
                if debit.asked == credit.cents:
                    reason = self._answer(debit)
                    self.answers.add(uuid)
                self.give_back(debit, Leaving("refund", credit.cents, reason))

    def _undo(self, debit: Debit) -> None:
        if debit.by_hand:
            self.given_twice.add(debit.name)
        if debit.state == "counted":
            leaving = Leaving("reversal", debit.left)
            if debit.asked == debit.left:
                leaving = Leaving("refund", debit.left, self._answer(debit))
            debit.asked = None
            self.give_back(debit, leaving)

    def _answer(self, debit: Debit) -> str:
        """The refund asked is done. Why it was asked."""
        if debit.asked is not None:
            debit.given.add(("refund", debit.asked, debit.reason))
            debit.asked = None
        return debit.reason

    def give_back(self, debit: Debit, leaving: Leaving) -> None:
        """Money has left. All of it: what it paid is open again, or paid by what came twice."""
        debit.returned += leaving.cents
        debit.undone += leaving.cents if leaving.way != "refund" else 0
        debit.leavings.append(leaving)
        debit.reinstated = debit.reinstated and leaving.way != "reversal"
        reopened: list[Bill] = []
        if not debit.left:
            if debit.owner:
                self.learn(debit.owner, debit.called, debit.state, "returned")
            reopened = [self.bills[p.number or ""] for p in debit.parts if p.kind == "invoice"]
            for bill in reopened:
                self.refresh(bill)
        self._strike(debit)
        for bill in reopened:
            self.pay_with_what_came_twice(bill)

    def _strike(self, debit: Debit) -> None:
        """Take off the list what is owed back no more."""
        together = self.of_one_payment(debit)
        owed = self.owed_back(together, "overpayments")
        for part in self.parts:
            if part.debit in together and (not owed or part.debit.state != "counted"):
                part.listed = False

    def pay_with_what_came_twice(self, bill: Bill) -> None:
        for part in list(self.parts):
            if (part.number, part.kind, part.listed) == (bill.number, "overpayment", True):
                self.use(part, bill, part.cents)

    # --- Staff ---

    def pay_at_counter(
        self, bill: Bill, name: str, cents: int, mode: str = "cash", note: str | None = None
    ) -> None:
        debit = Debit(None, name, cents, family=bill.family, mode=mode, note=note)
        self.counter.append(debit)
        self._allot(debit, bill, cents)

    def take_off(self, debit: Debit) -> None:
        """A credit note pays no more what it paid."""
        self.give_back(debit, Leaving("reversal", debit.left, elsewhere=True))

    # --- What the journal must say ---

    def regie_of(self, debit: Debit) -> str:
        """The régie whose money it is."""
        if debit.owner:
            return debit.owner.regie
        return self.bills[debit.parts[0].number or ""].regie

    def of_one_payment(self, debit: Debit) -> list[Debit]:
        return list(debit.owner.debits.values()) if debit.owner else [debit]

    def payments(self) -> list[list[Debit]]:
        """The debits, together as the journal accounts for them."""
        online = [list(order.debits.values()) for order in self.orders.values()]
        return [each for each in [*online, *([one] for one in self.counter)] if each]

    def owed_back(self, together: list[Debit], account: str) -> int:
        """The cents of one payment in an account of what is owed back."""
        regie = self.regie_of(together[0])
        return -self.accounts(together).get(f"{account}/{regie}" if regie else account, 0)

    def accounts(self, together: list[Debit]) -> dict[str, int]:
        """The balances of one payment, those that are not zero. What was given back comes first
        out of what came twice, then out of what matched nothing; the rest is a refund."""
        owner, regie = together[0].owner, self.regie_of(together[0])
        source = f"bank:{owner.gateway}" if owner else f"counter:{together[0].mode}"
        source = "credits" if together[0].note else source
        there = [debit for debit in together if debit.state == "counted"]
        owed = {kind: sum(part.cents for debit in there for part in debit.parts
                          if part.kind == kind)
                for kind in ("overpayment", "unmatched", "invoice")}  # fmt: skip
        gone = sum(debit.returned for debit in there)
        balances = {source: sum(debit.left for debit in together), "invoices": -owed["invoice"]}
        for kind, account in (("overpayment", "overpayments"), ("unmatched", "unmatched")):
            taken = min(owed[kind], gone)
            balances[account] = taken - owed[kind]
            gone -= taken
        balances["refunds"] = gone
        own = f"/{regie}" if regie else ""
        return {
            name if name.startswith("bank:") else name + own: cents
            for name, cents in balances.items()
            if cents
        }
