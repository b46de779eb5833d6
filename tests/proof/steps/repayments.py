"""How money leaves: refunds asked of the bank, what was given back elsewhere."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from kiosque import payments
from kiosque.db.states import RepaymentKind
from kiosque.payments import Refused
from tests.conftest import PUBLIC_URL
from tests.proof import corrections
from tests.proof.bank import FullContract
from tests.proof.books import Debit, Leaving
from tests.proof.corrections import settlement_of
from tests.proof.stage import dump
from tests.proof.steps.common import Steps, one, pick

why = st.sampled_from(["absence", "fermeture", "erreur"])
wanted_back = st.sampled_from([None, 1000, 3000, 520, 7521, 0])


class RepaymentSteps(Steps):
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
        self.ask(mood, lambda: payments.send_refund(asked, gateway, PUBLIC_URL, self.issuers))

    @precondition(lambda self: self.books.owners or self.books.counter)
    @rule(which=pick, cents=wanted_back, kind=st.sampled_from(["refund", "chargeback"]), reason=why)
    def money_leaves_elsewhere(self, which: int, cents: int | None, kind: str, reason: str) -> None:
        debits = [*self.books.counter, *(self.debits())]
        debit = one(debits, which)
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

    def _debit(self, which: int) -> Debit:
        return one(self.debits(), which)

    def _may_leave(self, debit: Debit, cents: int | None, kind: str, reason: str) -> bool:
        """Neither more than there is, nor twice the same thing."""
        amount = debit.left if cents is None else cents
        again = (kind, amount, reason) in debit.given
        if debit.note:  # no money came
            return False
        return debit.asked is None and 0 < amount <= debit.left and not again

    @precondition(lambda self: any(debit.asked for debit in self.debits()))
    @rule(which=pick)
    def a_refund_is_dropped(self, which: int) -> None:
        corrections.drop(self, one([each for each in self.debits() if each.asked], which))
