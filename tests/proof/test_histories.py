"""Short histories, each with one thing that must not go wrong."""

import pytest

from tests.proof.histories import HISTORIES, History, play


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_the_books_are_right_all_along(history: History) -> None:
    play(history)
