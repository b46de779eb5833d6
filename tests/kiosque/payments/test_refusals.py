"""Whoever decides of money is named, and says why, in one line of so many letters."""

import pytest

from kiosque.payments import refusals
from kiosque.payments.refusals import LONGEST_AUTHOR, LONGEST_REASON

AUTHOR, REASON = "D" * LONGEST_AUTHOR, "r" * LONGEST_REASON


def test_the_longest_name_and_reason_are_taken() -> None:
    refusals.require_author_and_reason(AUTHOR, REASON)
    assert refusals.why_no_author(AUTHOR) == ""


@pytest.mark.parametrize(
    ("author", "reason"),
    [
        (AUTHOR + "D", REASON),
        (AUTHOR, REASON + "r"),
        (" ", REASON),
        (AUTHOR, " "),
        ("\x1b", REASON),
        (AUTHOR, "\x1b"),
    ],
)
def test_anything_else_is_refused_whichever_of_the_two_it_is(author: str, reason: str) -> None:
    with pytest.raises(refusals.Refused):
        refusals.require_author_and_reason(author, reason)
    assert bool(refusals.why_no_author(author)) == (author != AUTHOR)
