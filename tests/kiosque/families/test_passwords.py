"""A new password must be long and hard to guess; it need not hold signs or figures."""

import pytest
from zxcvbn import matching

from kiosque.db.models import Account, Child, Family, Guardian
from kiosque.families import accounts, hashing, passwords
from kiosque.families.passwords import NewPassword, Unsuitable
from kiosque.settings import Settings
from tests import sentences


@pytest.fixture
def family(alices_family: Family) -> Family:
    Guardian.create(
        family=alices_family,
        first_name="Alice",
        last_name="Martin",
        email="alice.dupuis@example.org",
        phone="06 40 17 52 83",
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
    assert NewPassword(password, family, settings.town).text == password


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "au moins 12"),
        ("onze carac.", "au moins 12"),
        ("e\u0301" * 11, "au moins 12"),  # as many characters as one reads
        ("mon code est f1001 voila", "code famille"),
        ("F1001F1001F1001", "code famille"),
    ],
)
def test_a_short_one_or_the_code_is_refused(
    family: Family, settings: Settings, password: str, words: str
) -> None:
    with pytest.raises(Unsuitable, match=words):
        NewPassword(password, family, settings.town)


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
        "Mot de passe 1",
        "mot-de-passe-2026",
        "M o t d e p a s s e 1",
        "Alice.Martin1",
        "alice_martin_44880",
        "ALICE martin LEANDRE sautron",
        "mairie@sautron1",
        "alice.dupuis@example.org",
        "Alice.Dupuis.Example.Org.1",
        "0640175283 mairie",
        "enfance@sautron.example.org",
        "Info.Sautron.Example.Org!",
        "restauration scolaire",
        "Multi-accueil.2026",
        "Régie Enfance 1",
        "Mairie de Sautron",
        "44880 Sautron!",
        "Léandre 02/05/2019",
        "lilas—Sautron…12",
        "k-i-o-s-q-u-e f a m i l l e",
    ],
)
def test_a_common_one_or_the_familys_own_words_are_refused(
    family: Family, settings: Settings, password: str
) -> None:
    with pytest.raises(Unsuitable, match=sentences.TOO_EASY):
        NewPassword(password, family, settings.town)


@pytest.mark.parametrize(
    "hostile",
    [
        "![9200(%[@3(+26$4|{565$<@<787+31",  # the slowest found: 417 ms as it is
        "4@8({[<3690!1|$5+7%2",
        "4@({[<69!1|$57+2%038" * 2,
    ],
)
def test_signs_that_stand_for_letters_are_read_in_few_ways(hostile: str) -> None:
    """Each way to read them costs a search of every dictionary: as they are, hundreds."""
    ways = [
        matching.enumerate_l33t_subs(matching.relevant_l33t_subtable(text, matching.L33T_TABLE))
        for text in (hostile, passwords._judged(hostile))
    ]
    assert len(ways[0]) > 200
    assert len(ways[1]) <= 16


@pytest.mark.parametrize(
    ("password", "judged"),
    [
        ("p@ssw0rd[kiosque]", "p@ssw0rd[kiosque]"),
        ("azertyuiop^$qsdfghjklm", "azertyuiop^$qsdfghjklm"),
        ("$ 15/06/2015 $", "5 15/06/2015 5"),
        ("p@ss4us {c[", "p4ss4us {c{"),
    ],
)
def test_signs_are_replaced_only_by_one_of_the_same_meaning_that_is_there(
    password: str, judged: str
) -> None:
    assert passwords._judged(password) == judged


def test_a_flood_of_new_passwords_is_judged_one_at_a_time(
    family: Family, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As each is hashed: in the same gate, that turns the others away. What the judge knows of a
    family, it holds in one place for the whole process."""
    monkeypatch.setattr(hashing, "changes", hashing.Gate(at_once=1, waiting=0))
    with hashing.changes.enter():
        with pytest.raises(Unsuitable, match="12"):
            NewPassword("court", family, settings.town)
        with pytest.raises(hashing.Busy):
            NewPassword("quatre mots sans rapport", family, settings.town)
    assert NewPassword("quatre mots sans rapport", family, settings.town)


def test_judging_a_hostile_one_stays_quick(family: Family, settings: Settings) -> None:
    """Only the first characters are judged, and there is a longest one."""
    guesses = passwords._guesses
    assert guesses("abcdefgh" * 4 + "🎻 velours citron", []) == guesses("abcdefgh" * 4, [])
    with pytest.raises(Unsuitable, match="1000"):
        NewPassword("a1b2" * 251, family, settings.town)


def test_no_password_is_set_that_was_not_judged(alices_family: Family) -> None:
    with pytest.raises(AttributeError):
        accounts.set_password("a")  # type: ignore[arg-type]
    assert not Account.select().exists()


def test_a_new_password_does_not_show_itself(family: Family, settings: Settings) -> None:
    new = NewPassword("quatre mots sans rapport", family, settings.town)
    assert new.text not in f"{new!r} {new}"
