"""Everything that may happen to payments, in any order, at random; the books after each step.

Alice owns a family and has two tabs, Bob shares it from his phone; Charlie has another. Both owe
invoices to two régies, each with a gateway and books of its own. The bank is `bank.Bank`, what the
portal should hold is `books.Books`; both learn of each step on their own, and are compared with
the database. Each subject's steps are a file of `steps/`.
"""

import sys
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from kiosque.mails import delivery
from tests.conftest import NOW
from tests.proof.agreement import agree
from tests.proof.audit import compare
from tests.proof.stage import dump
from tests.proof.steps.bank import BankSteps
from tests.proof.steps.common import Steps
from tests.proof.steps.deposits import DepositSteps
from tests.proof.steps.families import FamilySteps
from tests.proof.steps.loads import LoadSteps
from tests.proof.steps.merging import MergeSteps
from tests.proof.steps.messages import MessageSteps
from tests.proof.steps.repayments import RepaymentSteps
from tests.proof.steps.staff import StaffSteps
from tests.proof.steps.statements import StatementSteps


class House(Steps):
    """The steps of the machine itself, and what is looked at after each."""

    @rule(mood=st.sampled_from(["true", "true", "true", "down", "other order", "other amount"]))
    def the_timer_asks(self, mood: str) -> None:
        self.reconcile(mood)

    @rule(what=st.sampled_from(["restart", "mails"]))
    def the_house_goes_on(self, what: str) -> None:
        if what == "mails":
            self.the_mails_leave()
        else:
            self.the_portal_restarts()

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
            self.deliver(message)
        for _ in range(3):
            self.clock.advance(days=2)
            self.reconcile("true")
        compare(self)
        agree(self)
        while delivery.deliver(self.stage.settings)[0]:
            pass
        self.the_mails_leave()
        receipts = [key for key in self.stage.carried if key.startswith("receipt")]
        assert len(receipts) == len(self.books.mails)


class Town(
    House,
    FamilySteps,
    BankSteps,
    MessageSteps,
    StaffSteps,
    RepaymentSteps,
    MergeSteps,
    LoadSteps,
    DepositSteps,
    StatementSteps,
):
    """The state machine: the steps of each subject, and those of the machine it runs on."""


class Month(House, FamilySteps, BankSteps, DepositSteps, StatementSteps):
    """Those of a month alone, so that the bank's statements have much to tell."""
