"""What a new password must be, and what it need not be."""

import pytest

from kiosque import passwords
from kiosque.config import Settings
from kiosque.models import Child, Family, Guardian


@pytest.fixture
def family(alices_family: Family) -> Family:
    Guardian.create(
        family=alices_family,
        first_name="Alice",
        last_name="Martin",
        email="alice.dupuis@example.org",
    )
    Child.create(family=alices_family, name="Léandre Martin", born_on="2019-05-02")
    return alices_family


@pytest.mark.parametrize(
    "password",
    [
        "quatre mots sans rapport",
        "aaa bbb citron velours",  # no figure, no capital, no sign is asked for
        "é" * 3 + "toile filante d’août",
        "🌊🏔️🎻🪁 les vacances",
        "correct cheval pile agrafe",
        "Zt7#qLw9!vRp",
        "x" * 11 + " mille feuilles" * 60,
    ],
)
def test_a_long_one_that_nobody_would_guess_is_taken(
    family: Family, settings: Settings, password: str
) -> None:
    assert passwords.faults(password, family, settings.town) == []


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "au moins 12"),
        ("onze carac.", "au moins 12"),
        ("mon code est f1001 voila", "code famille"),
        ("F1001F1001F1001", "code famille"),
    ],
)
def test_a_short_one_or_the_code_is_refused(
    family: Family, settings: Settings, password: str, words: str
) -> None:
    assert words in passwords.faults(password, family, settings.town)[0]


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "motdepasse123",
        "azertyuiop123",
        "qwertyuiop[]",
        "123456789012",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "iloveyou1234",
        "alice.dupuis",
        "martinmartin",
        "Martin44880!",
        "Sautron44880",
        "kiosquefamille",
        "cantine sautron",
        "leandre martin",
        "Léandre Martin",
        "alice02052019",
    ],
)
def test_a_common_one_or_the_familys_own_words_are_refused(
    family: Family, settings: Settings, password: str
) -> None:
    assert "trop facile à deviner" in passwords.faults(password, family, settings.town)[0]


def test_judging_a_hostile_one_stays_quick(family: Family, settings: Settings) -> None:
    """Only the first characters are judged, and there is a longest one."""
    guesses = passwords._guesses
    assert guesses("abcdefgh" * 4 + "🎻 velours citron", []) == guesses("abcdefgh" * 4, [])
    assert "au plus 1000" in passwords.faults("a1b2" * 251, family, settings.town)[0]
