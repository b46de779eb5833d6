"""Steps of the town hall on its files: one is loaded by mistake."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.proof import loads
from tests.proof.steps.common import CODES, Steps


class LoadSteps(Steps):
    @rule(kind=st.sampled_from(loads.KINDS), code=st.sampled_from(CODES))
    def a_file_is_loaded_by_mistake(self, kind: str, code: str) -> None:
        loads.load_by_mistake(self, kind, code)
