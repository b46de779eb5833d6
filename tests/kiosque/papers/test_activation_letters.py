"""The letters that give families their activation code."""

import dataclasses
from datetime import date

import pytest

from kiosque.papers.activation_letters import Letter, letters
from kiosque.settings import Settings
from tests import pdfs
from tests.conftest import Clock

LETTER = Letter(
    recipient="M. et Mme Martin",
    address=("1 rue des Lilas", "44880 Sautron"),
    family_code="F1001",
    activation_code="K7QM-4WXA-9TBD",
    expires_on=date(2026, 12, 24),
    site="https://kiosque.sautron.example.org/activation",
)


def test_a_letter_says_who_what_where_and_until_when(settings: Settings, frozen: Clock) -> None:
    words = pdfs.text(letters(settings, [LETTER]))
    for expected in (
        "Ville de Sautron",
        "M. et Mme Martin",
        "44880 Sautron",
        "le 24 novembre 2026",
        "F1001",
        "K7QM-4WXA-9TBD",
        "https://kiosque.sautron.example.org/activation",
        "jusqu’au 24 décembre 2026",
        settings.town.contact_email,
    ):
        assert expected in words


def test_the_address_shows_in_the_window_of_the_envelope(settings: Settings) -> None:
    left, height, _ = next(run for run in pdfs.runs(letters(settings, [LETTER])) if "Mme" in run[2])
    top = 297 - height
    assert 108 < left < 112
    assert 45 < top < 60


def test_it_can_be_read_aloud_in_order(settings: Settings) -> None:
    pdf = letters(settings, [LETTER])
    assert not pdfs.faults(pdf)
    catalog = pdfs.reader(pdf).trailer["/Root"]
    assert catalog["/Lang"] == "fr-FR"
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    tags = pdfs.tags(pdf)
    assert [tag for tag in tags if tag.startswith("H")] == ["H1", "H2"]
    assert tags.count("LI") == 3


def test_many_letters_are_one_file_a_page_each(settings: Settings) -> None:
    pdf = letters(
        settings, (dataclasses.replace(LETTER, family_code=f"F{n}") for n in range(1000, 1040))
    )
    pages = pdfs.reader(pdf).pages
    assert len(pages) == 40
    assert all(f"F{n}" in page.extract_text() for n, page in enumerate(pages, 1000))


@pytest.mark.parametrize(
    "name",
    [
        "#panic()[$x$]<b>*_`\\//@a",
        "محمد بن علي",
        "😀 👨\u200d👧 Léa",
        "王小明",
        "\x00\u202eLéa",
        "a" * 200,
        "Jean " * 40,
    ],
)
def test_no_name_spoils_a_letter(settings: Settings, name: str) -> None:
    letter = dataclasses.replace(LETTER, recipient=name, address=(name, name))
    pdf = letters(settings, [letter])
    assert not pdfs.faults(pdf)
    assert len(pdfs.reader(pdf).pages) == 1
    assert "K7QM-4WXA-9TBD" in pdfs.text(pdf)


def test_no_letter_is_no_file(settings: Settings) -> None:
    with pytest.raises(ValueError, match="aucune lettre"):
        letters(settings, [])
