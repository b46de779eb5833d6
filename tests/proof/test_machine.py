"""The whole core against random histories."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.machine import Month, Town
from tests.proof.settings import QUICK


@pytest.mark.slow
@pytest.mark.parametrize("histories", [3, pytest.param(30, marks=pytest.mark.proof)])
def test_whatever_happens_in_whatever_order_the_books_are_right(histories: int) -> None:
    run_state_machine_as_test(Town, settings=settings(QUICK, max_examples=histories))


@pytest.mark.slow
@pytest.mark.parametrize("histories", [2, pytest.param(15, marks=pytest.mark.proof)])
def test_whatever_the_banks_statements_tell_each_line_is_what_it_must_be(histories: int) -> None:
    run_state_machine_as_test(Month, settings=settings(QUICK, max_examples=histories))
