"""Steps of the town hall on families: two codes of one household become one, and two again."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.proof import merging
from tests.proof.steps.common import CODES, Steps


class MergeSteps(Steps):
    @rule(kept=st.sampled_from(CODES), gone=st.sampled_from(CODES), settled=st.booleans())
    def two_codes_become_one(self, kept: str, gone: str, *, settled: bool) -> None:
        """`settled`: once the bank has said all that it has to say."""
        for _ in range(3 if settled else 0):
            self.clock.advance(seconds=timedelta(days=3).total_seconds())
            self.reconcile("true")
        merging.merge(self, kept, gone)

    @precondition(lambda self: self.merges)
    @rule()
    def they_are_two_again(self) -> None:
        merging.undo(self)
