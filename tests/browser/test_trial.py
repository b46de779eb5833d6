"""An administrator tries the bank with 1 €: out to the bank's page, back, given back, cancelled."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Demo, Visitor, open_context
from tests.browser.test_office_imports import come_in

pytestmark = pytest.mark.browser


def test_one_euro_goes_to_the_bank_and_comes_back(browser: Browser, town: Demo) -> None:
    with open_context(browser) as context:
        agent = Visitor(context.new_page(), town)
        come_in(agent, town, "administration")
        agent.follow("nav >> text=Réglages")
        agent.follow("main a:has-text('Essayer un paiement')")
        agent.page.fill("[name=reason]", "essai avant l’ouverture")
        agent.page.check("[name=seen]")
        agent.page.click("text=Aller à la banque payer 1 €")
        agent.page.wait_for_url(f"{town.bank_url}/**")
        agent.look()
        agent.pay()
        assert agent.title() == "Paiement effectué"
        agent.page.click("text=Revenir aux réglages de la mairie")
        agent.page.wait_for_url("**/mairie/reglages")
        agent.look()
        agent.follow("main a:has-text('Rendre 1')")
        agent.page.fill("[name=reason]", "essai fait")
        agent.follow("text=Vérifier")
        agent.page.check("[name=seen]")
        agent.page.click("main form button.button:not(.outline)")
        agent.page.wait_for_url("**/mairie/reglages")
        agent.look()
        expect(agent.page.locator("main")).to_contain_text("L’essai est fini")
