"""The proof sees: each fault put into the core on purpose is found."""

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.bugs import BUGS, Bug, put_in
from tests.proof.histories import HISTORIES, play
from tests.proof.machine import Month, Town
from tests.proof.settings import QUICK

LOOK = settings(QUICK, max_examples=200, phases=[Phase.generate])


def find(bug: Bug, looking: settings = LOOK) -> None:
    """Meet the fault at random, by a difference with the books of the proof or by the core's own
    guards."""
    of_a_month = bug.module.__name__.startswith("kiosque.statements")
    with put_in(bug), pytest.raises(Exception):  # noqa: B017, PT011
        run_state_machine_as_test(Month if of_a_month else Town, settings=looking)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_history_shows_the_fault(bug: Bug) -> None:
    assert bug.history in HISTORIES  # without the fault, it is played by test_histories.py
    with put_in(bug), pytest.raises(Exception):  # noqa: B017, PT011  # the core's guards may raise
        play(bug.history)


COMMON = [bug for bug in BUGS if not bug.rare]


@pytest.mark.slow
@pytest.mark.proof
@pytest.mark.parametrize("bug", COMMON, ids=lambda bug: bug.name)
def test_random_histories_meet_the_fault(bug: Bug) -> None:
    find(bug)
