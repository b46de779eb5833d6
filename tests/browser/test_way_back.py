"""To the bank in one's own language and back again, with the bank's answer in the address."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Household, Visitor, start_demo

pytestmark = pytest.mark.browser
Make = Callable[[str], Household]

CHOSEN = """
confirm = true
return_mode = "GET"
return_seconds = 1
cards = ["VISA", "E-CARTE"]
"""


@pytest.fixture(scope="module")
def town(first_run: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A town like the others', that chose another page of the bank's and another way back."""
    data = tmp_path_factory.mktemp("back") / "data"
    shutil.copytree(first_run.data, data)
    path = data / "kiosque.toml"
    table = "[gateways.banque]\n"
    before, after = path.read_text(encoding="utf-8").split(table)
    path.write_text(before + table + CHOSEN.lstrip() + after, encoding="utf-8")
    demo = start_demo(data)
    yield demo
    demo.stop()


@pytest.fixture
def addresses(visitor: Visitor) -> list[str]:
    """Every address of the town's that the browser asked for."""
    found: list[str] = []
    visitor.page.on("request", lambda request: found.append(request.url))
    return found


def go_to_the_banks_page_in_english(visitor: Visitor, family: Household) -> Page:
    page = visitor.page
    visitor.sign_in(family)
    page.click("button[value=en]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    for number in family.invoices:
        page.check(f'[name=invoice][value="{number}"]')
    page.click(".bar button")
    page.wait_for_url("**/paiement/recapitulatif*")
    page.click("main form[action='/paiement/banque'] button")
    page.wait_for_url(f"{visitor.town.bank_url}/**")
    visitor.look()
    return page


def is_back_in_english(visitor: Visitor, title: str, addresses: list[str]) -> None:
    """On the clean address, though the browser brought the bank's answer, once."""
    page, town = visitor.page, visitor.town
    page.wait_for_url(f"{town.url}/paiement/retour/**")
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    visitor.look()
    assert page.url.partition("?")[2].partition("=")[0] in ("", "essai")
    (brought,) = [url for url in addresses if url.startswith(town.url) and "vads_" in url]
    assert "vads_hash" not in brought
    assert page.evaluate("document.referrer").partition("?")[2] == ""
    assert "vads_" not in page.content()


@pytest.mark.slow
def test_an_english_parent_pays_on_an_english_page_and_comes_back_to_one(
    visitor: Visitor, household: Make, addresses: list[str], town: Demo
) -> None:
    page = go_to_the_banks_page_in_english(visitor, household("ENPAID"))
    expect(page.locator("h1")).to_have_text("Payment by card")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("main")).to_contain_text("Cards accepted: Visa, e-Carte Bleue")
    page.click("[data-card='4973010000000004']")
    page.click("button.main")
    expect(page.locator("h1")).to_have_text("Payment recorded")
    visitor.look()
    is_back_in_english(visitor, "Payment complete", addresses)
    page.click("text=View and print receipt")
    expect(page.locator("article")).to_contain_text("E-CARTEBLEUE")
    page.go_back()
    assert "vads_" not in page.url, "no history keeps it"
    town.command("verify")


def test_an_english_parent_who_gives_up_comes_back_to_an_english_page(
    visitor: Visitor, household: Make, addresses: list[str]
) -> None:
    page = go_to_the_banks_page_in_english(visitor, household("ENLEFT"))
    page.get_by_role("button", name="Cancel", exact=True).click()
    is_back_in_english(visitor, "Payment cancelled: no money has been taken", addresses)
