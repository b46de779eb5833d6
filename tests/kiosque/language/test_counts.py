import pytest

from kiosque.language.formats import counted


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 courriel abandonné"),
        (1, "1 courriel abandonné"),
        (2, "2 courriels abandonnés"),
        (1000, "1000 courriels abandonnés"),
    ],
)
def test_the_plural_begins_at_two_and_takes_every_word(number: int, said: str) -> None:
    assert counted(number, "courriel abandonné") == said
