"""The town's colour stays readable, whatever the town chose."""

import re
from dataclasses import replace

import pytest

from kiosque.settings import Settings
from kiosque.settings.colours import READABLE, contrast, is_colour, readable_on
from kiosque.web import assets
from kiosque.web.assets import DARK_GROUNDS, LIGHT_GROUNDS

YELLOW, SKY, WHITE, BLACK, GREY = "#ffd400", "#99ccff", "#ffffff", "#000000", "#808080"


def test_contrast_is_measured_as_wcag_says() -> None:
    assert contrast(WHITE, BLACK) == contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, WHITE) == pytest.approx(1)
    assert contrast("#767676", WHITE) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("text", ["", "bleu", "#fff", "#12345g", "#0b4a75\n", "0b4a75"])
def test_only_six_hexadecimal_digits_make_a_colour(text: str) -> None:
    assert not is_colour(text)


@pytest.mark.parametrize("colour", [YELLOW, SKY, WHITE, BLACK, GREY, "#0b4a75", "#e2001a"])
def test_any_colour_of_a_towns_is_read_by_day_and_by_night(settings: Settings, colour: str) -> None:
    coloured = replace(settings, town=replace(settings.town, colour=colour))
    sheet = assets.build(coloured).stylesheet.content.decode()
    light, dark = re.findall(r"--town-on-(?:light|dark):(#[0-9a-f]{6})", sheet)
    assert min(contrast(light, ground) for ground in LIGHT_GROUNDS) >= READABLE
    assert min(contrast(dark, ground) for ground in DARK_GROUNDS) >= READABLE


def test_a_colour_that_can_be_read_is_left_as_it_is() -> None:
    assert readable_on("#0b4a75", LIGHT_GROUNDS, towards=BLACK) == "#0b4a75"


def test_a_colour_moves_no_further_than_it_must() -> None:
    assert contrast(readable_on(YELLOW, [WHITE], towards=BLACK), WHITE) < READABLE + 0.3


def test_the_grounds_are_those_of_the_stylesheet() -> None:
    """Otherwise the town's colour would be measured on grounds that no page has."""
    sheet = (assets.STATIC / "kiosque.css").read_text(encoding="utf-8")
    grounds = re.findall(r"--(?:ground|wash): (#[0-9a-f]+);", sheet)
    assert grounds == ["#fff", "#f4f5f7", *DARK_GROUNDS]
    assert LIGHT_GROUNDS == (WHITE, "#f4f5f7")
