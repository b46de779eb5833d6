"""A parent who left the page of the demo's bank: back to it, and back after paying."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import sentences
from tests.browser.conftest import Demo, Household, Visitor

pytestmark = pytest.mark.browser
Make = Callable[[str], Household]
#: What Back may lead to once all is paid: the payment, the one it took the place of, the list.
TITLES = (sentences.PAID, sentences.PAYMENT_GIVEN_UP, "Mes factures")


@pytest.fixture
def left(visitor: Visitor, household: Make) -> Callable[[str], Household]:
    """A family that went to the bank, and pressed Back."""

    def go(code: str) -> Household:
        family, page = household(code), visitor.page
        visitor.sign_in(family)
        visitor.go_to_bank(family)
        for _ in range(3):
            if page.url.startswith(visitor.town.url):
                break
            page.go_back()
        expect(page.locator("[data-way-out]")).to_have_count(0)
        visitor.look()
        return family

    return go


def test_back_from_the_bank_leads_to_the_payment_which_is_resumed_and_paid_once(
    left: Make, visitor: Visitor, town: Demo
) -> None:
    left("BACK")
    page = visitor.page
    expect(page.get_by_role("button", name=sentences.RESUME)).to_be_visible()
    page.goto(f"{town.url}/factures")
    expect(page.locator(".lead")).to_contain_text(re.compile("2 factures.*2 ouvertes"))
    visitor.look()
    page.get_by_role("button", name=sentences.RESUME).click()
    page.wait_for_url(f"{town.bank_url}/**")
    visitor.look()
    visitor.pay()
    assert visitor.title() == sentences.PAID
    for _ in range(4):
        page.go_back()
        if page.url.startswith(town.url):
            visitor.look()
            assert page.locator("h1").inner_text() in TITLES
    page.goto(f"{town.url}/factures")
    expect(page.locator(".lead")).to_have_text(sentences.NOTHING_DUE)
    town.command("verify")


def test_a_silent_bank_lets_go_of_nothing(left: Make, visitor: Visitor, town: Demo) -> None:
    with town.silent_bank():
        left("SILENT")
        visitor.page.get_by_role("button", name=sentences.RESUME).click()
        expect(visitor.page.locator("main")).to_contain_text(sentences.NO_ANSWER)
        visitor.look()
