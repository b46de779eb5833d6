"""Everything that may happen to payments, in any order, at random; the books after each step.

Alice owns a family and has two tabs, Bob shares it from his phone; Charlie has another. Both owe
invoices to two régies, each with a gateway and books of its own. The bank is `bank.Bank`, what the
portal should hold is `books.Books`; both learn of each step on their own, and are compared with
the base.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateways.base import BadCallback, Callback, Unreachable
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice, InvoiceLine
from kiosque.db.states import RepaymentKind
from kiosque.mails import delivery
from kiosque.payments import CounterPayment, Purchase, Refused, reconcile
from tests.conftest import NOW, PUBLIC_URL, make_family, make_invoice
from tests.proof import corrections
from tests.proof.agreement import agree
from tests.proof.audit import compare
from tests.proof.bank import DOLLAR, EURO, NEXT, STANDING, STORIES, FullContract, Message
from tests.proof.books import Bill, Books, Debit, Leaving, Opened
from tests.proof.corrections import settlement_of
from tests.proof.stage import GATEWAYS, Crash, Stage, crash_at, debit_of, dump, rows

BILLS = (
    ("A1", "F1001", 4520, ""), ("A2", "F1001", 4520, ""), ("A3", "F1001", 3000, ""),
    ("A4", "F1001", 4520, ""), ("A5", "F1001", 1000, ""),
    ("B1", "F1001", 4520, "creche"), ("B2", "F1001", 3000, "creche"),
    ("C1", "F2002", 4520, ""), ("C2", "F2002", 3000, ""), ("D1", "F2002", 4520, "creche"),
)  # fmt: skip
ALICES = [number for number, code, _, _ in BILLS if code == "F1001"]
#: What Alice chooses together: mostly of one régie, the only way to pay them in one payment.
CHOICES = st.one_of(
    st.lists(st.sampled_from(["A1", "A2", "A3", "A4", "A5"]), min_size=1, max_size=3),
    st.sampled_from([["B1"], ["B2"], ["B1", "B2"], ["A1", "B1"]]),
)
#: Which of several: taken modulo how many there are, so that small ones stay the simple ones.
pick = st.integers(0, 63)
part = st.sampled_from([None, 1000, 3000, 520])
why = st.sampled_from(["absence", "fermeture", "erreur"])
wanted_back = st.sampled_from([None, 1000, 3000, 520, 7521, 0])
STAFF = ("amount", "amount", "counter", "counter", "cancel", "close", "resolve", "apply",
         "restore", "enter")  # fmt: skip
FORGERIES = {
    "unsigned": lambda fields: {k: v for k, v in fields.items() if k != "signature"},
    "wrong signature": lambda fields: fields | {"signature": "A" * 43 + "="},
    "other amount": lambda fields: fields | {"vads_effective_amount": "77"},
    "accepted after all": lambda fields: fields | {"vads_trans_status": "CAPTURED!"},
    "cut": lambda fields: dict(list(fields.items())[: len(fields) // 2]),
    "moved": lambda fields: fields | {"vads_amount": fields["vads_amount"] + "0"},
    "production": lambda fields: fields | {"vads_ctx_mode": "PRODUCTION"},
}


#: An answer of the bank's this young allows a payer to give a payment up.
JUST_NOW = timedelta(seconds=7)


class Town(RuleBasedStateMachine):
    """The state machine."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.bank, self.clock = self.stage.bank, self.stage.clock
        self.issuers, self.gateways = self.stage.issuers, self.stage.gateways
        self.books = Books(lambda: self.clock.at, debit_of)
        self.entries = self.known = self.corrected = 0
        self.closed: dict[str, datetime] = {}
        self.balances: dict[str, dict[str, int]] = {}
        families = {code: make_family(code, code) for code in ("F1001", "F2002")}
        for number, code, cents, regie in BILLS:
            make_invoice(families[code], number, cents, regie=regie)
            self.books.bills[number] = Bill(number, code, cents, regie)

    # --- The families ---

    @initialize(numbers=st.sampled_from([["A1"], ["A1", "A3"], ["B1"]]), email=st.booleans())
    def alice_begins(self, numbers: list[str], *, email: bool) -> None:
        self._open("F1001", numbers, email=email)

    @rule(
        numbers=CHOICES,
        email=st.booleans(),
        at_once=st.sampled_from(["", "AUTHORISED", "CAPTURED"]),
    )
    def alice_or_bob_pays(self, numbers: list[str], at_once: str, *, email: bool) -> None:
        if (order := self._open("F1001", numbers, email=email)) and at_once:
            self.bank.debit(order.reference, at_once, order.cents)
            self._deliver_last(1)

    @rule(
        numbers=st.sampled_from(
            [["C1"], ["C2"], ["C1", "C2"], ["A1"], ["C1", "A2"], ["D1"], ["D1", "C1"]]
        )
    )
    def charlie_pays(self, numbers: list[str]) -> None:
        self._open("F2002", numbers, email=True)

    @precondition(lambda self: self.books.holds)
    @rule(mood=st.sampled_from(["true", "true", "down", "other order"]))
    def a_parent_is_back(self, mood: str) -> None:
        family = Family.get(Family.code == "F1001")
        self._ask(
            mood,
            lambda: payments.ask_about_holders(
                family, ALICES, self.gateways, PUBLIC_URL, self.issuers
            ),
        )

    @precondition(lambda self: self.books.orders)
    @rule(which=pick, mood=st.sampled_from(["true", "true", "down", "other order"]))
    def a_payment_is_given_up(self, which: int, mood: str) -> None:
        order = _one(list(self.books.orders.values()), which)
        attempt = Attempt.get(Attempt.reference == order.reference)
        given_up: list[bool] = []
        self._ask(
            mood,
            lambda: given_up.append(
                payments.give_up(attempt, self.gateways, PUBLIC_URL, self.issuers)
            ),
        )
        said = order.answered_at is not None and order.answered_at >= self.clock.at - JUST_NOW
        waits = order.state == "handed_off" and order.until > self.clock.at
        assert given_up == [said and waits]
        if given_up[0]:
            self.books.learn(order, "", "cancelled", "")

    def _open(self, code: str, numbers: list[str], *, email: bool) -> Opened | None:
        """Refused exactly when the books of the proof say so."""
        numbers = list(dict.fromkeys(numbers))
        bills = [self.books.bills[number] for number in numbers]
        gateway = self.gateways[GATEWAYS[bills[0].regie]]
        total = sum(map(self.books.left, bills))
        holders = [self.books.holds[n] for n in numbers if n in self.books.holds]
        now = self.clock.at
        wrong = any(bill.family != code or bill.state != "open" for bill in bills)
        wrong |= len({bill.regie for bill in bills}) > 1
        wrong |= any(holder.until > now for holder in holders)
        # The time of one is over, and the bank, which can say what became of it, has not.
        mute = _mute()
        wrong |= any(
            holder.reference not in mute
            and (holder.answered_at is None or holder.answered_at < holder.until)
            for holder in holders
        )
        wrong |= self.closed.get(gateway.name, now) > now
        purchase = Purchase(
            Family.get(Family.code == code), numbers, total, "alice@example.org" if email else None
        )
        before = dump()
        try:
            attempt, _ = payments.start(purchase, gateway, PUBLIC_URL)
        except Refused:
            assert wrong, "refused without a reason"
            assert dump() == before
            return None
        assert not wrong, "two live attempts, or an invoice that cannot be paid"
        ordered = sorted(bills, key=lambda each: each.number)
        items = {bill.number: self.books.left(bill) for bill in ordered}
        until = now + timedelta(minutes=15)
        order = Opened(
            attempt.reference, gateway.name, bills[0].regie, code, items, now, until, email
        )
        self.books.opened(order)
        return order

    # --- At the bank ---

    @precondition(lambda self: self.books.orders)
    @rule(
        which=pick,
        status=st.sampled_from(
            ["AUTHORISED"] * 4
            + ["CAPTURED", "REFUSED", "UNDER_VERIFICATION", "AUTHORISED_TO_VALIDATE", "INVENTED"]
        ),
        off=st.sampled_from([0] * 6 + [-1, 480]),
        dollars=st.sampled_from([False] * 9 + [True]),
        by_hand=st.sampled_from([False] * 7 + [True]),
        heard=st.sampled_from([1, 1, 2, 0]),
    )
    def a_card_is_presented(
        self, which: int, status: str, off: int, *, dollars: bool, by_hand: bool, heard: int
    ) -> None:
        order = _one(list(self.books.orders.values()), which)
        currency = DOLLAR if dollars and status in STANDING else EURO
        self.bank.debit(order.reference, status, order.cents + off, currency, by_hand=by_hand)
        self._deliver_last(heard)

    @precondition(lambda self: self.books.orders)
    @rule(which=pick, timed_out=st.booleans(), heard=st.sampled_from([1, 0]))
    def the_payer_leaves(self, which: int, *, timed_out: bool, heard: int) -> None:
        order = _one(list(self.books.orders.values()), which)
        self.bank.leave(order.reference, timed_out=timed_out)
        self._deliver_last(heard)

    @precondition(lambda self: self._movable())
    @rule(which=pick, choice=pick, heard=st.sampled_from([1, 1, 2, 0]))
    def the_bank_decides(self, which: int, choice: int, heard: int) -> None:
        message = _one(self._movable(), which)
        status = _one(list(NEXT[message.status]), choice)
        self.bank.advance(message.reference, message.uuid, status)
        self._deliver_last(heard)

    @precondition(lambda self: self._captured())
    @rule(
        which=pick,
        cents=part,
        status=st.sampled_from(["CAPTURED", "CAPTURED", "AUTHORISED", "REFUSED"]),
        heard=st.sampled_from([1, 2, 0]),
    )
    def the_back_office_gives_back(
        self, which: int, cents: int | None, status: str, heard: int
    ) -> None:
        debit = _one(self._captured(), which)
        left = debit.cents - self.bank.accounts[debit.reference].given_back(debit.uuid)
        self.bank.credit(debit.reference, debit.uuid, min(cents or left, left), status)
        self._deliver_last(heard)

    @precondition(lambda self: self.books.orders)
    @rule(
        which=pick,
        story=st.sampled_from(STORIES),
        off=st.sampled_from([0, 0, 480]),
        back=st.sampled_from([None, 1000, 3000]),
        order=st.permutations(range(4)),
    )
    def a_whole_story_arrives_in_any_order(
        self, which: int, story: tuple[str, ...], off: int, back: int | None, order: list[int]
    ) -> None:
        opened = _one(list(self.books.orders.values()), which)
        reference, first = opened.reference, len(self.bank.sent)
        self.bank.debit(reference, story[0], opened.cents + off)
        uuid = self.bank.sent[-1].uuid
        for status in story[1:]:
            self.bank.advance(reference, uuid, status)
        if back and story[-1] == "CAPTURED":
            self.bank.credit(reference, uuid, back)
        messages = self.bank.sent[first:]
        for place in order:
            if place < len(messages):
                self._deliver(messages[place])

    def _movable(self) -> list[Message]:
        return [
            each
            for each in self._transactions()
            if each.operation == "DEBIT" and each.status in NEXT
        ]

    def _captured(self) -> list[Message]:
        return [
            each
            for each in self._transactions()
            if (each.operation, each.status) == ("DEBIT", "CAPTURED")
            and each.currency != DOLLAR
            and self.bank.accounts[each.reference].given_back(each.uuid) < each.cents
        ]

    def _transactions(self) -> list[Message]:
        accounts = self.bank.accounts.values()
        return [each for account in accounts for each in account.transactions.values()]

    # --- What arrives ---

    def _deliver_last(self, times: int) -> None:
        for _ in range(times):
            self._deliver(self.bank.sent[-1])

    def _deliver(self, message: Message) -> None:
        report = self.gateways[message.gateway].report(message)
        before, audit = dump(), _audit()
        payments.record(message.gateway, report, self.issuers)
        assert _audit() == audit + 1, "a message that left no trace"
        if not self.books.hear(message):
            assert dump() == before, "a repetition changed something"

    @precondition(lambda self: self.bank.sent)
    @rule(which=pick, times=st.integers(1, 3))
    def a_message_arrives_again_or_at_last(self, which: int, times: int) -> None:
        message = _one(self.bank.sent, which)
        for _ in range(times):
            self._deliver(message)

    @precondition(lambda self: self.bank.sent)
    @rule(which=pick, how=st.sampled_from([*sorted(FORGERIES), "our own form", "other address"]))
    def a_forged_message_arrives(self, which: int, how: str) -> None:
        """Or a true one at the other gateway's address: its contract has another key."""
        message = _one(self.bank.sent, which)
        name = message.gateway
        if how == "other address":
            fields, name = self.bank.fields(message), self._other(message)
        elif how == "our own form":
            fields = dict(self.bank.accounts[message.reference].handoff.fields or ())
        else:
            fields = FORGERIES[how](self.bank.fields(message))
        before, audit = dump(), _audit()
        callback = Callback.of_form(fields.items())
        with pytest.raises(BadCallback) as refused:
            self.gateways[name].read_notification(callback)
        payments.record_rejected(name, str(refused.value), callback)
        assert dump() == before
        assert _audit() == audit + 1

    def _other(self, message: Message) -> str:
        """The gateway that a message is not of."""
        return next(name for name in self.gateways if name != message.gateway)

    @precondition(lambda self: self.books.owners)
    @rule(
        which=pick,
        how=st.sampled_from(
            ["amount", "order", "unknown", "credit", "cent", "gateway", "number", "refusal"]
        ),
    )
    def the_bank_contradicts_itself(self, which: int, how: str) -> None:
        """Genuine words about a debit in the books already, that cannot be true."""
        message = self._as_booked(_one(list(self.books.owners), which))
        if how == "amount":
            self._deliver(replace(message, cents=message.cents + 1))
        elif how == "refusal":
            self._deliver(replace(message, status="REFUSED"))
        elif how == "cent":
            self._deliver(replace(message, status="CANCELLED", cents=1))
        elif how == "credit":
            self.a_credit_is_named_as_its_debit(which)
        elif how == "number":
            self.a_debit_is_told_under_another_number(which)
        elif how == "unknown":
            self._deliver(replace(message, reference="KF000000000000000000"))
        elif how == "gateway":
            self.a_notice_goes_astray(which)
        else:
            for reference in self.books.orders:
                if reference != message.reference:
                    self._deliver(replace(message, reference=reference))

    def a_credit_is_named_as_its_debit(self, which: int) -> None:
        """It can be of no debit: the money stays where it is, and a human is told."""
        message = self._as_booked(_one(list(self.books.owners), which))
        self._deliver(replace(message, operation="CREDIT", status="CAPTURED", number="912345"))

    def a_debit_is_told_under_another_number(self, which: int) -> None:
        """One transaction, heard of as made by hand and as awaited, in any order."""
        debits = [each for each in self.bank.sent if each.operation == "DEBIT"]
        if debits:
            message = _one(debits, which)
            self._deliver(replace(message, number="" if message.number else "654321"))

    def a_notice_goes_astray(self, which: int) -> None:
        """It comes by the other gateway, signed with its key: no order of its own is meant, so it
        pays nothing, and a human is told."""
        message = _one(self.bank.sent, which)
        self._deliver(replace(message, gateway=self._other(message)))

    def _as_booked(self, uuid: str) -> Message:
        return replace(
            self.bank.accounts[self.books.owners[uuid].reference].transactions[uuid],
            status="AUTHORISED",
            currency="978",
        )

    @precondition(lambda self: self.bank.sent)
    @rule(which=pick, statement=st.integers(1, 40))
    def the_process_dies_while_a_message_is_recorded(self, which: int, statement: int) -> None:
        message = _one(self.bank.sent, which)
        report = self.gateways[message.gateway].report(replace(message, parent=""))
        before, audit = dump(), _audit()
        try:
            with crash_at(statement):
                payments.record(message.gateway, report, self.issuers)
        except Crash:
            self.stage.restart()
            assert (dump(), _audit()) == (before, audit), "half a message was kept"
        else:
            self.books.hear(message)

    # --- Asking ---

    @rule(mood=st.sampled_from(["true", "true", "true", "down", "other order", "other amount"]))
    def the_timer_asks(self, mood: str) -> None:
        self._reconcile(mood)

    def _reconcile(self, mood: str) -> reconcile.Summary:
        lapsed = self.clock.at - timedelta(minutes=15)
        mute = _mute()
        found: list[reconcile.Summary] = []
        self._ask(
            mood,
            lambda: found.append(reconcile.run(self.gateways, PUBLIC_URL, self.issuers)),
            before=lambda: [
                self.books.learn(order, "", "expired", "")
                for order in self.books.orders.values()
                if not found[0].busy
                and order.state == "handed_off"
                and order.reference in mute
                and order.until < lapsed
            ],
        )  # fmt: skip
        return found[0]

    def _ask(
        self, mood: str, ask: Callable[[], object], before: Callable[[], object] = lambda: None
    ) -> None:
        """Have the portal ask, then let the books hear what the bank answered, in order."""
        self.bank.mood, self.bank.lie = mood, self._lie
        self.bank.log.clear()
        try:
            ask()
        finally:
            self.bank.mood = "true"
        before()
        for what, reference, said in self.bank.log:
            order = self.books.orders[reference]
            if what != "poll":
                order.debits[what.removeprefix("refund ")].sent_at = self.clock.at
            if isinstance(said, Exception):
                if not isinstance(said, Unreachable):
                    order.debits[what.removeprefix("refund ")].asked = None
                continue
            if any(message.reference != reference for message in said):
                continue
            for message in said:
                self.books.hear(message)
            if what == "poll":
                age = self.clock.at - order.started_at
                if not said and order.state == "handed_off" and age >= timedelta(minutes=30):
                    self.books.learn(order, "", "expired", "")
                order.answered_at = self.clock.at

    def _lie(self, message: Message) -> Message:
        """Another amount, about what is in the books already: it cannot be believed."""
        booked = message.uuid in self.books.owners
        return replace(message, cents=message.cents + 7) if booked else message

    # --- Staff ---

    @rule(
        what=st.sampled_from(STAFF),
        number=st.sampled_from([bill[0] for bill in BILLS]),
        which=pick,
    )
    def staff_act(self, what: str, number: str, which: int) -> None:
        paid = [each.number for each in self.books.bills.values() if each.state == "paid"]
        if which % 4 == 0:  # what is at the bank, or paid, is what is worth an accident
            number = _one([*self.books.holds, number], which // 4)
        elif which % 4 == 1:
            number = _one([*paid, number], which // 4)
        if what == "counter":
            cents = (None, self.books.bills[number].cents, 1000, 1520)[which // 16]
            self.the_counter_is_paid(number, cents, extra=which % 2 == 1)
        elif what == "cancel" and which % 3 == 0:
            self.an_invoice_is_cancelled(number)
        elif what == "amount":
            self.an_open_invoice_changes_its_amount(number, 4520 if which % 8 > 4 else 4600)
        elif what == "close" and self.books.orders:
            self.an_attempt_is_closed(which)
        elif what in ("apply", "restore", "enter"):
            self.something_is_put_right(what, number, which)
        elif what == "resolve" and any(each.listed for each in self.books.parts):
            self.what_came_twice_is_dealt_with(which)

    def something_is_put_right(
        self, what: str, number: str, which: int, cents: int | None = None
    ) -> None:
        debits = [*self._debits(), *self.books.counter]
        if what == "enter" and self.books.orders:
            corrections.enter(self, _one(list(self.books.orders.values()), which))
        elif what == "apply" and debits:
            corrections.apply(self, _one(debits, which), number)
        elif what == "restore" and debits:
            corrections.restore(self, _one(debits, which), cents)

    @rule(what=st.sampled_from(["restart", "mails"]))
    def the_house_goes_on(self, what: str) -> None:
        if what == "mails":
            self.the_mails_leave()
        else:
            self.the_portal_restarts()

    def the_counter_is_paid(
        self, number: str, cents: int | None = None, *, extra: bool = False
    ) -> None:
        """All that is still to pay, by default. `extra`: though it is known to be paid."""
        bill, day = self.books.bills[number], self.clock.at.date()
        reason = f"quittance {len(self.books.counter)}"
        payment = CounterPayment(number, cents, "cash", day, "Dominique", reason, is_extra=extra)
        possible = bill.state == "open" or (bill.state == "paid" and extra and cents is not None)
        try:
            added = payments.settle_at_counter([payment])
        except Refused:
            assert not possible
            return
        assert added, "the counter's money was passed over"
        assert possible, "what is not to be paid was taken at the counter"
        (name,) = rows("SELECT MAX(id) FROM settlement")[0]
        self.books.pay_at_counter(bill, str(name), cents or self.books.left(bill))
        assert payments.settle_at_counter([payment]) == [], "one payment was taken twice"

    def an_invoice_is_cancelled(self, number: str) -> None:
        bill = self.books.bills[number]
        try:
            payments.cancel_invoice(number, "Dominique", "double saisie")
        except Refused:
            assert bill.state != "open"
        else:
            assert bill.state == "open"
            self.books.cancel(bill)

    def an_open_invoice_changes_its_amount(self, number: str, cents: int) -> None:
        """No screen does it: should a file do it one day, money is not to be lost."""
        bill = self.books.bills[number]
        if bill.state == "open" and self.books.paid(bill) < cents:
            changed = Invoice.get(Invoice.number == number)
            Invoice.update(total_cents=cents).where(Invoice.id == changed.id).execute()
            InvoiceLine.update(amount_cents=cents).where(InvoiceLine.invoice == changed).execute()
            bill.cents, bill.altered = cents, True

    @precondition(lambda self: self.books.owners)
    @rule(
        which=pick,
        cents=wanted_back,
        reason=why,
        mood=st.sampled_from(["true", "true", "lost", "down"]),
    )
    def a_refund_is_asked(self, which: int, cents: int | None, reason: str, mood: str) -> None:
        debit = self._debit(which)
        assert debit.owner
        gateway = self.gateways[debit.owner.gateway]
        possible = self._may_leave(debit, cents, "refund", reason)
        possible &= isinstance(gateway, FullContract)
        settlement = settlement_of(debit)
        before = dump()
        try:
            asked = payments.ask_refund(settlement, cents, "Dominique", reason, gateway)
        except Refused:
            assert not possible
            assert dump() == before
            return
        assert possible, "more is asked back than there is, or twice"
        debit.asked, debit.reason = cents or debit.left, reason
        self._ask(mood, lambda: payments.send_refund(asked, gateway, PUBLIC_URL, self.issuers))

    @precondition(lambda self: self.books.owners or self.books.counter)
    @rule(which=pick, cents=wanted_back, kind=st.sampled_from(["refund", "chargeback"]), reason=why)
    def money_leaves_elsewhere(self, which: int, cents: int | None, kind: str, reason: str) -> None:
        debits = [*self.books.counter, *(self._debits())]
        debit = _one(debits, which)
        possible = self._may_leave(debit, cents, kind, reason)
        before = dump()
        left = debit.left
        try:
            payments.record_repayment(
                settlement_of(debit), RepaymentKind(kind), cents, "Dominique", reason
            )
        except Refused:
            assert not possible
            assert dump() == before
            return
        assert possible, "more has left than had come"
        debit.elsewhere += cents or left
        debit.by_hand += (cents or left) if kind == "refund" else 0
        debit.given.add((kind, cents or left, reason))
        self.books.give_back(debit, Leaving(kind, cents or left, reason, elsewhere=True))

    def _debits(self) -> list[Debit]:
        return [owner.debits[uuid] for uuid, owner in self.books.owners.items()]

    def _debit(self, which: int) -> Debit:
        return _one(self._debits(), which)

    def _may_leave(self, debit: Debit, cents: int | None, kind: str, reason: str) -> bool:
        """Neither more than there is, nor twice the same thing."""
        amount = debit.left if cents is None else cents
        again = (kind, amount, reason) in debit.given
        return debit.asked is None and 0 < amount <= debit.left and not again

    @precondition(lambda self: any(debit.asked for debit in self._debits()))
    @rule(which=pick)
    def a_refund_is_dropped(self, which: int) -> None:
        corrections.drop(self, _one([each for each in self._debits() if each.asked], which))

    @rule(name=st.sampled_from(sorted(GATEWAYS.values())), hours=st.sampled_from([0, 0, 0, 1, 24]))
    def a_bank_closes_or_opens(self, name: str, hours: int) -> None:
        corrections.close_or_open(self, name, hours)

    def an_attempt_is_closed(self, which: int) -> None:
        order = _one(list(self.books.orders.values()), which)
        over = order.state == "pending" or order.until <= self.clock.at
        try:
            payments.close_attempt(order.reference, "Dominique", "vu avec la banque")
        except Refused:
            assert not (order.is_undecided() and over)
        else:
            assert order.is_undecided()
            assert over, "closed while the family may still pay"
            self.books.learn(order, "", "expired", "closed")
            self.books.release(order)

    def what_came_twice_is_dealt_with(self, which: int) -> None:
        listed = [point for point in payments.open_anomalies() if point.kind == "overpayment"]
        point = _one(listed, which)
        payments.resolve_anomaly(point.id, "Dominique", "convenu avec la famille")
        number = point.invoice.number
        for debit in {id(each.debit): each.debit for each in self.books.parts}.values():
            if settlement_of(debit).id == point.settlement_id:
                self.books.deal_with(debit, number)

    # --- The machine it runs on ---

    @rule(seconds=st.sampled_from([16, 60, 15 * 60, 16 * 60, 31 * 60, 86_400, 8 * 86_400,
                                   61 * 86_400, -5, -50]))  # fmt: skip
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    def the_portal_restarts(self) -> None:
        before = dump()
        self.stage.restart()
        assert dump() == before

    def the_mails_leave(self) -> None:
        delivery.deliver(self.stage.settings)
        assert all(times == 1 for times in self.stage.carried.values()), "a mail left twice"

    # --- After each step ---

    @invariant()
    def the_books_are_right(self) -> None:
        compare(self)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # a step that failed is what there is to say
                self._end()
        finally:
            self.stage.close()

    def _end(self) -> None:
        """All that was lost arrives, the bank is asked until it has no more to say: both agree."""
        self.clock.at = max(self.clock.at, NOW) + timedelta(hours=3)
        for message in self.bank.sent:
            self._deliver(message)
        for _ in range(3):
            self.clock.advance(days=2)
            self._reconcile("true")
        compare(self)
        agree(self)
        while delivery.deliver(self.stage.settings)[0]:
            pass
        self.the_mails_leave()
        receipts = [key for key in self.stage.carried if key.startswith("receipt")]
        assert len(receipts) == len(self.books.mails)


def _one(things: list[Any], which: int) -> Any:
    return things[which % len(things)]


def _mute() -> set[str]:
    """The orders that the portal asks nothing about any more."""
    return {name for (name,) in rows("SELECT reference FROM attempt WHERE ask_at IS NULL")}


def _audit() -> int:
    return int(rows("SELECT COUNT(*) FROM bank_message")[0][0])
