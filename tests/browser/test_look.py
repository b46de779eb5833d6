"""How pages look: the first screen of a phone, narrow or enlarged screens, paper."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import called
from tests.browser.test_accessibility import BROKEN
from tests.pages.stage import Seen

pytestmark = pytest.mark.browser

Show = Callable[[Seen], Page]

#: What lies outside the card, the cell or the bar that holds it.
OUT_OF_ITS_CARD = """() => [...document.querySelectorAll(".invoices li *, td *, dd *, .bar *")]
  .filter((node) => !node.closest(".sr") && node.getClientRects().length)
  .filter((node) => {
    const card = node.parentElement.closest("li, td, dd, .bar").getBoundingClientRect();
    const box = node.getBoundingClientRect();
    return box.right > card.right + 1 || box.left < card.left - 1;
  }).map((node) => node.outerHTML.slice(0, 100))"""


def test_a_phones_first_screen_shows_the_steps_the_total_and_a_whole_invoice(
    show: Show, pages: list[Seen]
) -> None:
    page = show(called(pages, "two invoices one late"))
    page.set_viewport_size({"width": 360, "height": 740})
    steps = [step.bounding_box() for step in page.locator(".steps li").all()]
    assert len({box["y"] for box in steps if box}) == 1
    for shown in (page.locator(".toolbar .total"), page.locator(".invoices li").first):
        box = shown.bounding_box()
        assert box
        assert box["y"] + box["height"] <= 740


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("state", ["one invoice", "the summary", "the way to the bank"])
def test_the_steps_are_on_one_line_and_so_is_the_menu(
    show: Show, pages: list[Seen], state: str, width: int
) -> None:
    page = show(called(pages, state))
    page.set_viewport_size({"width": width, "height": 740})
    for entries in (".steps li", "body > header nav li"):
        boxes = [entry.bounding_box() for entry in page.locator(entries).all()]
        assert len(boxes) == 3
        assert len({box["y"] for box in boxes if box}) == 1


def test_the_pay_bar_comes_with_the_first_tick_and_goes_with_the_last(
    show: Show, pages: list[Seen]
) -> None:
    page = show(called(pages, "one invoice"))
    bar, box = page.locator(".bar"), page.locator("[name=invoice]").first
    expect(bar).to_be_hidden()
    box.check()
    expect(bar).to_be_visible()
    expect(bar.locator("button")).to_contain_text("45,20")
    box.uncheck()
    expect(bar).to_be_hidden()


@pytest.mark.parametrize(
    "state",
    ["very long names and amounts", "an invoice with very long words", "too many invoices"],
)
def test_nothing_leaves_its_card_on_a_narrow_screen(
    show: Show, pages: list[Seen], state: str
) -> None:
    page = show(called(pages, state))
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate(OUT_OF_ITS_CARD) == []


def test_an_amount_that_would_break_the_month_beside_it_goes_beneath(
    show: Show, pages: list[Seen]
) -> None:
    page = show(called(pages, "very long names and amounts"))
    page.set_viewport_size({"width": 320, "height": 640})
    line = page.locator(".invoices label").first
    month, amount = line.locator("strong").bounding_box(), line.locator(".amount").bounding_box()
    assert month
    assert amount
    assert amount["y"] >= month["y"] + month["height"]
    page.set_viewport_size({"width": 640, "height": 640})
    assert line.locator("strong").bounding_box()["y"] == line.locator(".amount").bounding_box()["y"]


def test_what_is_told_above_a_list_touches_nothing(show: Show, pages: list[Seen]) -> None:
    for state, told in (
        ("too many invoices", ".notice"),
        ("invoices of which none was ticked", ".errors"),
    ):
        page = show(called(pages, state))
        above, box = page.locator(".toolbar").bounding_box(), page.locator(told).bounding_box()
        assert above
        assert box
        assert box["y"] - above["y"] - above["height"] >= 8


@pytest.mark.parametrize("state", ["one invoice", "a full record", "a change to ask for"])
def test_enlarged_four_times_the_header_leaves_most_of_the_screen(
    show: Show, pages: list[Seen], state: str
) -> None:
    page = show(called(pages, state))
    page.set_viewport_size({"width": 320, "height": 200})
    box = page.locator("body > header").bounding_box()
    assert box
    assert box["height"] <= 100


def test_the_band_is_of_the_towns_colour_by_day_and_by_night(show: Show, pages: list[Seen]) -> None:
    page = show(called(pages, "one invoice"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        style = "node => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"
        assert page.locator("body > header").evaluate(style) == [
            "rgb(11, 74, 117)",
            "rgb(255, 255, 255)",
        ]


@pytest.mark.parametrize(
    "state", ["a file with doubts to judge", "payments received", "points to treat", "the journal"]
)
def test_no_number_nor_address_of_the_town_hall_is_broken_in_two(
    show: Show, pages: list[Seen], state: str
) -> None:
    page = show(called(pages, state))
    for width in (320, 360, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate(BROKEN) == []


def test_a_number_is_broken_at_no_hyphen_and_an_address_after_a_dot(
    show: Show, pages: list[Seen]
) -> None:
    page = show(called(pages, "an invoice to pay"))
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.locator("h1 .whole").evaluate("node => node.getClientRects().length") == 1
    line = "node => parseFloat(getComputedStyle(node).lineHeight)"
    height = page.locator("h1 .whole").evaluate("node => node.getBoundingClientRect().height")
    assert height < 1.5 * page.locator("h1").evaluate(line)


def test_the_steps_of_a_month_are_beside_what_they_stand_on_where_there_is_room(
    show: Show, pages: list[Seen]
) -> None:
    page = show(called(pages, "a month with all to do"))
    parts = page.locator(".proof > div")
    page.set_viewport_size({"width": 1280, "height": 800})
    steps, ground = (part.bounding_box() for part in parts.all())
    assert steps["y"] == ground["y"]
    assert steps["x"] + steps["width"] < ground["x"]
    page.set_viewport_size({"width": 360, "height": 740})
    steps, ground = (part.bounding_box() for part in parts.all())
    assert steps["y"] + steps["height"] <= ground["y"]
    assert steps["x"] == ground["x"]


def test_a_proven_step_is_green_and_a_step_to_do_red(show: Show, pages: list[Seen]) -> None:
    page = show(called(pages, "a month that has ended"))
    colour = "node => getComputedStyle(node).color"
    for scheme, green, red in (
        ("light", "rgb(13, 84, 35)", "rgb(138, 15, 15)"),
        ("dark", "rgb(151, 220, 171)", "rgb(255, 180, 171)"),
    ):
        page.emulate_media(color_scheme=scheme)
        found = [page.locator(f".{kind} > strong").first for kind in ("done", "to-do")]
        assert [each.evaluate(colour) for each in found] == [green, red]
