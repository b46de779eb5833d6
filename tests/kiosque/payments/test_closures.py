"""A bank takes no new payment for a time, and the others do."""

from datetime import timedelta

import pytest

from kiosque.language import clock, formats
from kiosque.payments import Refused, closures
from kiosque.payments.closures import LONGEST, LONGEST_SENTENCE
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")


def close(gateway: str = "banque", sentence: str = "", after: timedelta = LONGEST) -> None:
    closures.close_bank(gateway, sentence, NOW + after, "Dominique")


def test_a_bank_is_closed_for_a_month_at_most_and_never_in_the_past() -> None:
    latest = formats.short_date(clock.paris_date(NOW + LONGEST))
    for after in (timedelta(0), LONGEST + timedelta(seconds=1)):
        with pytest.raises(Refused, match=latest):
            close(after=after)
    close()
    assert list(closures.closed_banks()) == ["banque"]


def test_a_sentence_is_of_one_line_and_of_so_many_letters() -> None:
    for sentence in ("a" * (LONGEST_SENTENCE + 1), "une\ndeux"):
        with pytest.raises(Refused):
            close(sentence=sentence)
    close(sentence="a" * LONGEST_SENTENCE)
    assert closures.closure_words()["banque"].startswith("a" * LONGEST_SENTENCE)


def test_opening_or_closing_a_bank_changes_nothing_of_another() -> None:
    close("autre")
    close()
    assert closures.open_bank("banque")
    assert list(closures.closed_banks()) == ["autre"]
    assert not closures.open_bank("banque")
