"""Every page has the same frame: the menu, the tab, what a search engine reads."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, Household, Visitor

pytestmark = pytest.mark.browser

#: How wide the picture of the tab is once drawn; nothing for one that cannot be.
DRAWN = """async () => {
  const picture = new Image();
  picture.src = document.querySelector("link[rel=icon]").href;
  await picture.decode();
  return picture.naturalWidth;
}"""


def test_the_menu_leads_everywhere_attestations_included_and_shows_where_one_is(
    visitor: Visitor, household: Callable[[str], Household], town: Demo
) -> None:
    family, page = household("MENU"), visitor.page
    visitor.sign_in(family)
    menu = page.locator("body > header nav")
    below = {
        "Mes factures": f"/factures/{family.invoices[0]}",
        "Ma famille": "/famille/demande",
        "Mon compte": "/compte/adresse",
        "Attestations": "",
    }
    expect(menu.get_by_role("link")).to_have_text(list(below))
    for words, address in below.items():
        menu.get_by_role("link", name=words).click()
        for how in ("page", "true"):
            expect(menu.locator("[aria-current]")).to_have_text([words])
            expect(menu.locator("[aria-current]")).to_have_attribute("aria-current", how)
            visitor.look()
            if not address:
                break
            page.goto(town.url + address)


def test_the_tab_has_a_picture_and_a_search_engine_finds_what_the_site_is(
    visitor: Visitor, town: Demo
) -> None:
    page = visitor.page
    page.goto(f"{town.url}/connexion")
    assert page.evaluate(DRAWN) > 0
    description = page.locator("meta[name=description]").get_attribute("content")
    assert description
    assert "Clairvigne" in description
    robots = page.request.get(f"{town.url}/robots.txt").text()
    assert "User-agent: *" in robots
    assert "/connexion" not in robots
    visitor.look()
