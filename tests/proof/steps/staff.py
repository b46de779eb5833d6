"""Steps of the régie: the counter, cancellations, corrections, a bank that is closed."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from kiosque import payments
from kiosque.db.models import Invoice, InvoiceLine
from kiosque.payments import CounterPayment, Refused
from tests.proof import corrections, elsewhere
from tests.proof.corrections import settlement_of
from tests.proof.stage import GATEWAYS, rows
from tests.proof.steps.common import BILLS, Steps, one, pick

STAFF = ("amount", "amount", "counter", "counter", "cancel", "close", "resolve", "apply",
         "restore", "enter", "withdraw")  # fmt: skip


class StaffSteps(Steps):
    @rule(
        what=st.sampled_from(STAFF),
        number=st.sampled_from([bill[0] for bill in BILLS]),
        which=pick,
    )
    def staff_act(self, what: str, number: str, which: int) -> None:
        paid = [each.number for each in self.books.bills.values() if each.state == "paid"]
        if which % 4 == 0:  # what is at the bank, or paid, is what is worth an accident
            number = one([*self.books.holds, number], which // 4)
        elif which % 4 == 1:
            number = one([*paid, number], which // 4)
        if what == "counter":
            cents = (None, self.books.bills[number].cents, 1000, 1520)[which // 16]
            self.the_counter_is_paid(number, cents, extra=which % 2 == 1)
        elif what == "cancel" and which % 3 == 0:
            self.an_invoice_is_cancelled(number)
        elif what == "amount":
            self.an_open_invoice_changes_its_amount(number, 4520 if which % 8 > 4 else 4600)
        elif what == "close" and self.books.orders:
            self.an_attempt_is_closed(which)
        elif what in ("apply", "restore", "enter", "withdraw"):
            self.something_is_put_right(what, number, which)
        elif what == "resolve" and any(each.listed for each in self.books.parts):
            self.what_came_twice_is_dealt_with(which)

    def something_is_put_right(
        self, what: str, number: str, which: int, cents: int | None = None
    ) -> None:
        debits = [*self.debits(), *self.books.counter]
        if what == "enter" and self.books.orders:
            corrections.enter(self, one(list(self.books.orders.values()), which))
        elif what == "apply" and debits:
            corrections.apply(self, one(debits, which), number)
        elif what == "restore" and debits:
            corrections.restore(self, one(debits, which), cents)
        elif what == "withdraw" and debits:
            used = [(p.debit, p.number or "") for p in self.books.parts if p.before]
            debit, paid = one([*used, (one(debits, which), number)], which)
            corrections.withdraw(self, debit, paid)

    @rule(
        what=st.sampled_from(["transmit", "deduct", "deduct", "take back", "take off"]),
        which=pick,
        cents=st.sampled_from([None, None, 1000, 520, 4520]),
    )
    def it_is_paid_elsewhere(self, what: str, which: int, cents: int | None) -> None:
        elsewhere.act(self, what, which, cents)

    def the_counter_is_paid(
        self, number: str, cents: int | None = None, *, extra: bool = False, mode: str = ""
    ) -> None:
        """All that is still to pay, by default. `extra`: though it is known to be paid. What the
        Treasury collects is paid there, unless a `mode` is given."""
        bill, day = self.books.bills[number], self.clock.at.date()
        reason = f"quittance {len(self.books.counter)}"
        mode = mode or ("treasury" if bill.treasury and extra else "cash")
        payment = CounterPayment(number, cents, mode, day, "Dominique", reason, is_extra=extra)
        possible = bill.state == "open" or (bill.state == "paid" and extra and cents is not None)
        possible |= (bill.state, mode) == ("transmitted", "treasury")
        possible &= cents is None or cents > 0
        try:
            added = payments.settle_at_counter([payment])
        except Refused:
            assert not possible
            return
        assert added, "the counter's money was passed over"
        assert possible, "what is not to be paid was taken at the counter"
        (name,) = rows("SELECT MAX(id) FROM settlement")[0]
        taken = cents or self.books.left(bill, mode)
        self.books.pay_at_counter(bill, str(name), taken, mode=mode)
        assert payments.settle_at_counter([payment]) == [], "one payment was taken twice"

    def an_invoice_is_cancelled(self, number: str) -> None:
        bill = self.books.bills[number]
        unused = bill.state == "nothing_due" and not self.books.paid(bill)
        possible = bill.state == "open" or unused
        try:
            payments.cancel_invoice(number, "Dominique", "double saisie")
        except Refused:
            assert not possible
        else:
            assert possible
            self.books.cancel(bill)

    def an_open_invoice_changes_its_amount(self, number: str, cents: int) -> None:
        """No screen does it: should a file do it one day, money is not to be lost."""
        bill = self.books.bills[number]
        if bill.state == "open" and self.books.paid(bill) < cents:
            changed = Invoice.get(Invoice.number == number)
            Invoice.update(total_cents=cents).where(Invoice.id == changed.id).execute()
            InvoiceLine.update(amount_cents=cents).where(InvoiceLine.invoice == changed).execute()
            bill.cents, bill.altered = cents, True

    @rule(name=st.sampled_from(sorted(GATEWAYS.values())), hours=st.sampled_from([0, 0, 0, 1, 24]))
    def a_bank_closes_or_opens(self, name: str, hours: int) -> None:
        corrections.close_or_open(self, name, hours)

    def an_attempt_is_closed(self, which: int) -> None:
        order = one(list(self.books.orders.values()), which)
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
        point = one(listed, which)
        payments.resolve_anomaly(point.id, "Dominique", "convenu avec la famille")
        number = point.invoice.number
        for debit in {id(each.debit): each.debit for each in self.books.parts}.values():
            if settlement_of(debit).id == point.settlement_id:
                self.books.deal_with(debit, number)
