"""The whole core against random histories."""

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.machine import Town
from tests.proof.settings import QUICK


@pytest.mark.slow
def test_whatever_happens_in_whatever_order_the_books_are_right() -> None:
    run_state_machine_as_test(Town, settings=QUICK)
