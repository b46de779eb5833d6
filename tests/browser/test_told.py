"""Pages tell a parent what she needs, and she tells the town, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import sentences
from tests.browser.conftest import Demo, Household, Visitor, called
from tests.browser.test_journey import wait_for_mail
from tests.pages.stage import BANK_URL, Seen

pytestmark = pytest.mark.browser

Show = Callable[[Seen], Page]


def top(found: Locator) -> float:
    box = found.bounding_box()
    assert box
    return box["y"]


def test_the_summary_leads_with_what_is_bought_and_says_cards_and_where_one_goes(
    show: Show, pages: list[Seen]
) -> None:
    page = show(called(pages, "the summary"))
    bought = page.locator("tbody th").first
    expect(bought).to_contain_text("Octobre 2026, Léa Martin")
    assert top(bought.locator("xpath=..")) < top(bought.locator(".muted"))
    leaving = top(page.get_by_role("button", name=sentences.PAY_ONLINE))
    for told in (sentences.CARDS_TAKEN, BANK_URL):
        assert top(page.get_by_text(told).first) < leaving
    expect(page.locator("main a[href='/paiement-securise']")).to_be_visible()


def test_nothing_ticked_is_said_beside_the_first_box_which_has_the_focus(
    show: Show, pages: list[Seen]
) -> None:
    page = show(called(pages, "invoices of which none was ticked"))
    expect(page.locator("[name=invoice]").first).to_be_focused()
    expect(page.locator("main")).to_contain_text(sentences.TICK_ONE)


def test_many_open_invoices_are_said_to_be_fifty_before_the_first_of_them(
    show: Show, pages: list[Seen]
) -> None:
    page = show(called(pages, "too many invoices"))
    assert top(page.get_by_text("Les 50 plus anciennes")) < top(page.locator(".invoices li").first)


def test_a_card_says_the_last_day_or_that_it_is_past_once(show: Show, pages: list[Seen]) -> None:
    page = show(called(pages, "two invoices one late"))
    late, other = page.locator(".invoices li").first, page.locator(".invoices li").last
    expect(other).to_contain_text("au plus tard le 30 novembre 2026")
    expect(late.locator(".tag-late")).to_have_count(1)
    expect(late).not_to_contain_text("au plus tard")


def test_what_the_town_owes_is_seen_on_the_list(show: Show, pages: list[Seen]) -> None:
    page = show(called(pages, "invoices while the town owes"))
    expect(page.get_by_text(sentences.TOWN_OWES)).to_be_visible()


def test_whoever_tried_too_often_is_led_to_a_new_password(show: Show, pages: list[Seen]) -> None:
    page = show(called(pages, "too many tries to sign in"))
    expect(page.locator("main a[href='/mot-de-passe/oublie']")).to_be_visible()


@pytest.mark.slow
def test_a_parent_asks_for_a_change_and_tells_of_an_error_which_reach_the_service(
    visitor: Visitor, household: Callable[[str], Household], town: Demo
) -> None:
    family, page = household("ASKING"), visitor.page
    visitor.sign_in(family)
    for start, link, message in (
        ("/famille", "Demander une modification", "Nous déménageons au 4 rue du Bac."),
        (f"/factures/{family.invoices[0]}", "Signaler une erreur", "Zoé était malade le 12."),
    ):
        page.goto(town.url + start)
        visitor.follow(f"main a:has-text('{link}')")
        page.locator("[name=topic]").first.check()
        page.fill("[name=message]", message)
        page.click("main form button")
        expect(page.locator("main [role=status]")).to_be_visible()
        assert page.url == town.url + start
        visitor.look()
    wait_for_mail(town, "enfance@clairvigne.example.org", "ASKING")
