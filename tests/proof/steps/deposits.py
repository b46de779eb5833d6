"""Steps of each régie that pays over to the comptable."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from kiosque.payments.closed_months import is_closed
from tests.proof import closing_months, paying_over
from tests.proof.stage import GATEWAYS
from tests.proof.steps.common import Steps, pick


class DepositSteps(Steps):
    @rule(regie=st.sampled_from(sorted(GATEWAYS)), which=pick)
    def money_is_paid_over_or_kept_back(self, regie: str, which: int) -> None:
        if which % 3:
            how = paying_over.HOWS[which // 3 % len(paying_over.HOWS)]
            paying_over.final(self, regie, how, which)
        else:
            paying_over.keep(self, which // 3)

    @rule(number=st.sampled_from(["A3", "B2", "C2", "D1"]), days=st.integers(0, 40))
    def money_of_a_closed_month_is_found(self, number: str, days: int) -> None:
        if is_closed(self.books.bills[number].regie, self.clock.at.date() - timedelta(days=days)):
            closing_months.pay_late(self, number, days)

    @rule(regie=st.sampled_from(sorted(GATEWAYS)))
    def a_month_is_closed(self, regie: str) -> None:
        closing_months.close(self, regie)
