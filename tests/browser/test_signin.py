"""The sign-in page is easy: passwords that can be read, and nothing asked twice."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests import sentences
from tests.browser.conftest import Demo, Household, Visitor, open_context
from tests.browser.test_credentials import FAMILY, link_to

pytestmark = pytest.mark.browser


def test_a_password_is_shown_and_hidden_by_the_keyboard_and_leaves_hidden(
    visitor: Visitor, town: Demo
) -> None:
    page = visitor.page
    page.goto(f"{town.url}/connexion")
    field, state = (
        page.get_by_label("Mot de passe", exact=True),
        page.locator(".secret [role=status]"),
    )
    page.fill("[name=code]", "F9999")
    field.fill("essai")
    field.press("Tab")
    expect(page.get_by_role("button", name="Afficher Mot de passe")).to_be_focused()
    page.keyboard.press("Space")
    expect(field).to_have_attribute("type", "text")
    expect(field).to_have_value("essai")
    expect(state).to_have_text(sentences.PASSWORD_SHOWN)
    expect(page.get_by_role("button", name="Masquer Mot de passe")).to_be_focused()
    visitor.look()
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("type", "password")
    expect(state).to_have_text(sentences.PASSWORD_HIDDEN)
    page.keyboard.press("Enter")
    sent_as = page.evaluate("""() => new Promise((tell) => {
      const form = document.querySelector("main form");
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        tell(form.password.type);
      });
      form.requestSubmit();
    })""")
    assert sent_as == "password"


def test_each_password_of_a_page_has_a_button_of_its_own(
    visitor: Visitor, town: Demo, household: Callable[[str], Household]
) -> None:
    visitor.sign_in(household("SHOWN"))
    page = visitor.page
    page.goto(f"{town.url}/compte/mot-de-passe")
    page.get_by_role("button", name="Afficher Nouveau mot de passe").click()
    expect(page.locator("[name=new]")).to_have_attribute("type", "text")
    expect(page.locator("[name=current]")).to_have_attribute("type", "password")
    expect(page.locator("[name=username]")).to_have_value("SHOWN")
    visitor.look()


def test_without_javascript_no_button_promises_to_show_anything(
    browser: Browser, town: Demo
) -> None:
    with open_context(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{town.url}/connexion")
        expect(page.locator("[name=password]")).to_be_visible()
        expect(page.locator("[data-reveal]")).to_be_hidden()


def test_a_given_password_is_copied_as_one_likes_and_typed_once(
    visitor: Visitor, household: Callable[[str], Household], town: Demo
) -> None:
    household("GIVEN")
    (given,) = re.findall(r"mot de passe : (\S+)", town.command("password", "GIVEN"))
    page = visitor.page
    page.goto(f"{town.url}/connexion")
    page.fill("[name=code]", "given")
    page.fill("[name=password]", given.upper().replace("-", " "))
    page.keyboard.press("Enter")
    page.wait_for_url("**/compte/mot-de-passe")
    expect(page.locator(".lead")).to_contain_text(sentences.FIRST_SIGN_IN)
    visitor.look()
    expect(page.locator("input[type=password]")).to_have_count(1)
    page.fill("[name=new]", "court")
    page.keyboard.press("Enter")
    expect(page.locator("#erreurs")).to_be_focused()
    expect(page.locator("input[type=password]")).to_have_count(1)
    visitor.look()
    page.fill("[name=new]", "le chat dort sous la lune")
    page.keyboard.press("Enter")
    page.wait_for_url("**/factures")
    (another,) = re.findall(r"mot de passe : (\S+)", town.command("password", "GIVEN"))
    page.goto(f"{town.url}/connexion")
    page.fill("[name=code]", "given")
    page.fill("[name=password]", another)
    page.keyboard.press("Enter")
    page.wait_for_url("**/compte/mot-de-passe")
    expect(page.locator(".lead")).to_contain_text(sentences.REPLACE_THE_GIVEN_ONE)
    expect(page.locator(".lead")).not_to_contain_text(sentences.FIRST_SIGN_IN)


def test_a_browser_that_lost_its_cookies_is_told_what_has_ended_the_session_or_the_page(
    visitor: Visitor, household: Callable[[str], Household], town: Demo
) -> None:
    family, page = household("COOKIES"), visitor.page
    page.goto(f"{town.url}/connexion")
    page.context.clear_cookies()
    page.fill("[name=code]", family.code)
    page.fill("[name=password]", family.password)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(sentences.PAGE_EXPIRED)
    visitor.look()
    visitor.sign_in(family)
    page.click(f"text=Facture {family.invoices[0]}")
    page.click("main button:has-text('Payer')")
    page.wait_for_url("**/recapitulatif?**")
    page.context.clear_cookies()
    page.click(f"text={sentences.PAY_ONLINE}")
    page.wait_for_url("**/connexion**")
    expect(page.locator("main")).to_contain_text(sentences.SESSION_OVER)
    expect(page.locator("h1")).not_to_have_text(sentences.PAGE_EXPIRED)
    visitor.look()


def test_a_parent_answers_that_it_was_not_she_and_chooses_a_new_password(
    visitor: Visitor,
    browser: Browser,
    household: Callable[[str], Household],
    town: Demo,
    tmp_path: Path,
) -> None:
    family, record, email = household("NOTME"), tmp_path / "f.csv", "notme@example.org"
    record.write_text(FAMILY.format(code="NOTME", email=email), encoding="utf-8")
    town.command("import", "--allow-removals", str(record))
    visitor.sign_in(family)
    with open_context(browser) as context:
        thief = Visitor(context.new_page(), town)
        thief.sign_in(family)
        page = visitor.page
        page.goto(link_to(town, email, "new-browser"))
        visitor.look()
        page.get_by_role("button", name="Ce n’était pas moi").click()
        page.wait_for_url("**/mot-de-passe/nouveau")
        expect(page.locator("[role=status]").first).to_have_text(sentences.ALL_SIGNED_OUT)
        thief.page.reload()
        thief.page.wait_for_url("**/connexion**")
        page.fill("[name=new]", "le chat dort sous la lune")
        page.keyboard.press("Enter")
        page.wait_for_url("**/factures")
