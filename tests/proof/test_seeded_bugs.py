"""The machine sees: each fault put into the core on purpose is found."""

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.bugs import BUGS, Bug, put_in
from tests.proof.machine import Town
from tests.proof.settings import QUICK

LOOK = settings(QUICK, max_examples=200, phases=[Phase.generate])


def find(bug: Bug, looking: settings = LOOK) -> None:
    """Whatever shows it: a difference with the books of the proof, or the core's own guards."""
    with put_in(bug), pytest.raises(Exception):  # noqa: B017, PT011
        run_state_machine_as_test(Town, settings=looking)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if not bug.slow], ids=lambda bug: bug.name)
def test_a_fault_of_the_core_is_found(bug: Bug) -> None:
    find(bug)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.slow], ids=lambda bug: bug.name)
def test_a_rare_fault_is_still_written_as_the_core_is(bug: Bug) -> None:
    """`make soak` finds it; here, that its words are still those of the core."""
    with put_in(bug):
        pass
