"""A bank of JSON, by a stranger's adapter: what was ticked is kept on the way there; back to its
page, out of it, back after paying."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect

from kiosque.db.models import Attempt, Family, Invoice, Session
from kiosque.payments import verification
from kiosque.settings import Settings
from tests import sentences
from tests.browser.conftest import open_context
from tests.conftest import PASSWORD, choose_password, free_port, listening
from tests.jonquille import SECRET, TOKEN, Daffodils, bank_of_the_daffodils

pytestmark = pytest.mark.browser

ADAPTER = Path(__file__).parents[1] / "thirdparty" / "jonquille" / "kiosque_jonquille.py"


@pytest.fixture
def daffodils() -> Iterator[Daffodils]:
    with bank_of_the_daffodils() as bank:
        yield bank


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, public_url=f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def alices_page(
    app: Flask, settings: Settings, daffodils: Daffodils, alices_family: Family, browser: Browser
) -> Iterator[Page]:
    """Alice's list, in her browser."""
    choose_password(alices_family)
    table = {"adapter": "jonquille", "token": TOKEN, "secret": SECRET, "url": daffodils.url}
    app.extensions["gateways"] = {
        "banque": _adapter().configure("banque", table, environment="test")
    }
    with listening(app, settings.public_url), open_context(browser) as context:
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(f"{settings.public_url}/connexion")
        sign_in(page, alices_family)
        page.wait_for_url("**/factures")
        yield page


def _adapter() -> Any:
    spec = spec_from_file_location("kiosque_jonquille", ADAPTER)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.JonquilleGateway


def sign_in(page: Page, family: Family) -> None:
    page.fill("[name=code]", family.code)
    page.fill("[name=password]", PASSWORD)
    page.click("main button:not([type])")


def box(page: Page, invoice: Invoice) -> Locator:
    return page.locator(f'[name=invoice][value="{invoice.number}"]')


def test_what_is_ticked_outlives_a_look_at_an_invoice_another_language_and_the_session(
    alices_page: Page, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    page = alices_page
    page.reload()
    box(page, october).check()
    page.click(f"text=Facture {october.number}")
    page.click("text=Revenir à mes factures")
    expect(box(page, october)).to_be_checked()
    page.click("button[value=en]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(box(page, october)).to_be_checked()
    expect(box(page, september)).not_to_be_checked()
    page.click("button[value=fr]")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    Session.delete().execute()
    page.click(".bar button")
    expect(page.locator("main")).to_contain_text(sentences.SESSION_OVER)
    sign_in(page, alices_family)
    page.wait_for_url(f"**/paiement/recapitulatif?invoice={october.number}")
    page.click("text=Modifier mon choix")
    expect(box(page, october)).to_be_checked()


def go_to_bank(page: Page, invoice: Invoice) -> None:
    box(page, invoice).check()
    page.click(".bar button")
    page.click(f"text={sentences.PAY_ONLINE}")
    page.wait_for_url("**/pay/*")


def test_a_parent_is_led_back_to_that_very_page_pays_once_and_gives_another_payment_up(
    alices_page: Page, settings: Settings, october: Invoice, september: Invoice
) -> None:
    page, list_ = alices_page, f"{settings.public_url}/factures"
    page.reload()
    go_to_bank(page, october)
    opened = page.url
    page.go_back()
    expect(page.get_by_role("button", name=sentences.RESUME)).to_be_visible()
    page.goto(list_)
    expect(page.locator(".lead")).to_contain_text("dont 1 ouverte")
    page.get_by_role("button", name=sentences.RESUME).click()
    page.wait_for_url(opened)
    page.click("text=Payer")
    expect(page.locator("h1")).to_have_text(sentences.PAID)
    expect(page.locator(".result-paid")).to_be_visible()
    for _ in range(2):  # Back, over the bank's page, to where she had resumed it
        page.go_back()
    page.goto(f"{settings.public_url}/paiement/recapitulatif?invoice={october.number}")
    expect(page.locator("h1")).to_have_text(sentences.PAID)

    page.goto(list_)
    go_to_bank(page, september)
    page.goto(list_)
    page.get_by_role("button", name="Abandonner ce paiement").click()
    expect(page.locator("h1")).to_have_text(sentences.PAYMENT_GIVEN_UP)
    page.goto(list_)
    expect(page.locator("[name=invoice]")).to_have_count(1)
    states = [each.state for each in Attempt.select().order_by(Attempt.id)]
    assert states == ["paid", "cancelled"]
    assert verification.faults() == []
