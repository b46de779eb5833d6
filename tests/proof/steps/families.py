"""Steps of the families: they go to the bank, come back, give up."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from kiosque import payments
from kiosque.db.models import Attempt, Family
from kiosque.payments import Purchase, Refused
from tests.conftest import PUBLIC_URL
from tests.proof.books import Opened
from tests.proof.stage import GATEWAYS, dump
from tests.proof.steps.common import BILLS, Steps, one, pick, unasked

ALICES = [number for number, code, _, _ in BILLS if code == "F1001"]
#: What Alice chooses together: mostly of one régie, the only way to pay them in one payment.
CHOICES = st.one_of(
    st.lists(st.sampled_from(["A1", "A2", "A3", "A4", "A5"]), min_size=1, max_size=3),
    st.sampled_from([["B1"], ["B2"], ["B1", "B2"], ["A1", "B1"]]),
)

#: An answer of the bank's this young allows a payer to give a payment up.
JUST_NOW = timedelta(seconds=7)


class FamilySteps(Steps):
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
            self.deliver_last(1)

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
        family = Family.get(Family.code == self.code_of("F1001"))
        self.ask(
            mood,
            lambda: payments.ask_about_holders(
                family, ALICES, self.gateways, PUBLIC_URL, self.issuers
            ),
        )

    @precondition(lambda self: self.books.orders)
    @rule(which=pick, mood=st.sampled_from(["true", "true", "down", "other order"]))
    def a_payment_is_given_up(self, which: int, mood: str) -> None:
        order = one(list(self.books.orders.values()), which)
        attempt = Attempt.get(Attempt.reference == order.reference)
        given_up: list[bool] = []
        self.ask(
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
        code, numbers = self.code_of(code), list(dict.fromkeys(numbers))
        bills = [self.books.bills[number] for number in numbers]
        gateway = self.gateways[GATEWAYS[bills[0].regie]]
        total = sum(map(self.books.left, bills))
        holders = [self.books.holds[n] for n in numbers if n in self.books.holds]
        now = self.clock.at
        wrong = any(bill.family != code or bill.state != "open" for bill in bills)
        wrong |= len({bill.regie for bill in bills}) > 1
        wrong |= any(holder.until > now for holder in holders)
        # The time of one is over, and the bank, which can say what became of it, has not.
        mute = unasked()
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
