"""The rules that every PDF of ours keeps, whatever the names in it and whatever the machine."""

import dataclasses
from pathlib import Path

import pytest

from kiosque.papers import typesetting
from kiosque.papers.typesetting import printable, typeset
from kiosque.settings import Settings
from tests import pdfs

LOGO = Path(__file__).parents[3] / "data" / "demo" / "logo.svg"


def test_no_break_spaces_and_accents_are_kept() -> None:
    words = "Payé\u00a0: 1\u202f234,56\u00a0€, l’été «\u00a0œuvre\u00a0»"
    assert printable(words) == words


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("Le\u0301a", "Léa"),
        ("Léa\nMartin\tPetit", "Léa Martin Petit"),
        ("a\x00b\u202ec\u200ed", "abcd"),
        ("王\ud800\ue000", "\ufffd\ufffd\ufffd"),
        ("a" * 45, "\u200b".join(["a" * 10] * 4 + ["a" * 5])),
        ("Jean-" * 20, "Jean-" * 20),
        ("https://kiosque.example.org/" + "a" * 40, "https://kiosque.example.org/" + "a" * 40),
    ],
)
def test_any_text_is_made_printable(written: str, printed: str) -> None:
    assert printable(written) == printed


def test_our_fonts_draw_every_character_that_is_let_through(settings: Settings) -> None:
    every = [chr(code) for first, last in typesetting._DRAWN for code in range(first, last + 1)]
    kept = [character for character in every if printable(character) not in ("", "\ufffd")]
    assert len(kept) > 2000
    letter = {**LETTER, "opening": [" ".join(kept)]}
    pdf = typeset(
        "letters", settings, {"title": "Caractères", "numbered": False, "letters": [letter]}
    )
    assert not pdfs.faults(pdf)


def test_a_character_that_our_fonts_lack_would_be_refused(settings: Settings) -> None:
    data = {"title": "王", "town": settings.town.letterhead, "language": "fr"}
    letters = {"numbered": False, "letters": [{**LETTER, "opening": ["王"]}]}
    with pytest.raises(RuntimeError, match="could not be displayed"):
        typesetting._compile("letters", data | letters, None)


def test_the_logo_is_drawn_and_a_broken_or_absent_one_left_out(
    settings: Settings, tmp_path: Path
) -> None:
    broken = tmp_path / "logo.png"
    broken.write_bytes(b"not a picture")
    sizes = []
    for logo in (str(LOGO), str(broken), str(tmp_path / "absent.svg"), ""):
        town = dataclasses.replace(settings.town, logo=logo)
        content = {"title": "Lettre", "numbered": False, "letters": [LETTER]}
        pdf = typeset("letters", dataclasses.replace(settings, town=town), content)
        assert not pdfs.faults(pdf)
        sizes.append(len(pdf))
    assert sizes[0] > sizes[1] == sizes[2] == sizes[3]


LETTER = {
    "language": "fr",
    "recipient": ["Famille Martin"],
    "dated": "",
    "title": "Titre",
    "opening": [],
    "codes": [],
    "steps_title": "Étapes",
    "steps": [["Une", ""]],
    "closing": [],
    "signed": "",
}
