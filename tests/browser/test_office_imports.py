"""An agent loads the file of a month, doubts a line of it, has the family see it, and undoes it."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosque.language import clock
from tests.browser.conftest import COLUMNS, Demo, Household, Visitor, open_context
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.browser


def agent_of(town: Demo, who: str) -> tuple[str, str, str]:
    """Return the address, the password and the key of one of the agents that the demo prints."""
    found = re.search(
        rf"mairie : ({who}@\S+)  mot de passe : (\S+)  clé TOTP : (\w+)\n", town.output
    )
    assert found
    return found[1], found[2], found[3]


def come_in(agent: Visitor, town: Demo, who: str) -> None:
    email, password, key = agent_of(town, who)
    agent.page.goto(f"{town.url}/mairie/connexion")
    agent.page.fill("[name=email]", email)
    agent.page.fill("[name=password]", password)
    agent.page.click("main button:not([type])")
    agent.page.wait_for_url("**/mairie/code*")
    agent.page.fill("[name=code]", town.code_of(email, key))
    agent.page.click("main button:not([type])")
    agent.page.wait_for_url(f"{town.url}/mairie")
    agent.look()


def month_of(household: Household) -> str:
    dates = f"{clock.today()};{clock.today() + timedelta(days=90)}"
    row = f"{household.code};{household.code}-9;{dates};2026-11;Mercredi;Zoé;Journée;1;8,45;8,45;"
    return f"{COLUMNS}\n{row}\n{row}\n"


def test_a_month_is_loaded_judged_seen_and_undone(
    browser: Browser, town: Demo, household: Callable[[str], Household], tmp_path: Path
) -> None:
    family, path = household("F7301"), tmp_path / "novembre.csv"
    path.write_text(month_of(family), encoding="utf-8")
    with open_context(browser) as at_the_town_hall, open_context(browser) as at_home:
        agent = Visitor(at_the_town_hall.new_page(), town)
        parent = Visitor(at_home.new_page(), town)
        come_in(agent, town, "facturation")
        agent.follow("nav >> text=Charger")
        agent.page.set_input_files("[name=file]", path)
        agent.page.click("text=Déposer pour vérifier")
        agent.page.wait_for_url(re.compile(r"/mairie/imports/\d+$"))
        agent.look()
        expect(agent.page.locator("main")).to_contain_text("Ligne 3")  # the same line twice
        agent.page.click(f"summary:has-text('{family.code}-9')")
        parent.sign_in(family)
        expect(parent.page.locator("main")).not_to_contain_text("16,90")
        agent.follow("button:has-text('Charger 1 facture (16,90')")
        expect(agent.page.locator("main")).to_contain_text("C’est chargé")
        parent.page.reload()
        parent.look()
        expect(parent.page.locator("main")).to_contain_text("16,90")
        agent.follow("text=Annuler ce chargement")
        agent.page.fill("[name=reason]", "la ligne est deux fois")
        agent.page.check("[name=seen]")
        agent.page.click("button:has-text('Annuler ce chargement')")
        agent.page.wait_for_url("**/mairie/imports")
        agent.look()
        expect(agent.page.locator("main")).to_contain_text("la ligne est deux fois")
        parent.page.reload()
        expect(parent.page.locator("main")).not_to_contain_text("16,90")


@pytest.mark.slow
def test_a_month_is_loaded_and_undone_with_the_keyboard_alone(
    browser: Browser, town: Demo, household: Callable[[str], Household], tmp_path: Path
) -> None:
    path = tmp_path / "novembre.csv"
    path.write_text(month_of(household("F7302")), encoding="utf-8")
    email, password, key = agent_of(town, "facturation")
    with open_context(browser) as at_the_town_hall:
        agent = Visitor(at_the_town_hall.new_page(), town)
        page, hands = agent.page, Keyboard(agent)
        page.goto(f"{town.url}/mairie/connexion")
        hands.press(page.locator("a.skip"))
        hands.fill(page.locator("[name=email]"), email)
        hands.fill(page.locator("[name=password]"), password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/mairie/code*")
        hands.fill(page.locator("[name=code]"), town.code_of(email, key))
        page.keyboard.press("Enter")
        _is_at(page, "/mairie")
        hands.press(page.get_by_role("link", name="Charger", exact=True))
        _is_at(page, "/mairie/imports")
        hands.press(page.locator("a.skip"))
        with page.expect_file_chooser() as chooser:
            hands.press(page.locator("[name=file]"), "Enter")
        chooser.value.set_files(path)
        hands.press(page.get_by_role("button", name="Déposer pour vérifier"))
        _is_at(page, r"/mairie/imports/\d+")
        hands.press(page.locator("a.skip"))
        hands.press(page.get_by_role("button", name=re.compile("Charger 1 facture")))
        expect(page.locator("main")).to_contain_text("C’est chargé")
        hands.press(page.get_by_role("link", name="Annuler ce chargement"))
        _is_at(page, r"/mairie/imports/annuler/\d+")
        hands.press(page.locator("a.skip"))
        hands.fill(page.locator("[name=reason]"), "la ligne est deux fois")
        hands.press(page.locator("[name=seen]"), "Space")
        hands.press(page.get_by_role("button", name="Annuler ce chargement"))
        _is_at(page, "/mairie/imports")
        agent.look()
        expect(page.locator("main")).to_contain_text("la ligne est deux fois")


def _is_at(page: Page, path: str) -> None:
    """Wait for a page. The part that the way past the menu led to stays in the address."""
    page.wait_for_url(re.compile(rf"{path}(#\w+)?$"))
