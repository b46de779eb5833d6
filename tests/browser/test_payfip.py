"""The journey through the mock PayFiP, chosen by `make run BANK=payfip`."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests import sentences
from tests.browser.conftest import Demo, Household, Visitor, start_demo

pytestmark = pytest.mark.browser
Make = Callable[[str], Household]


@pytest.fixture(scope="module")
def town(first_run: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A town like the others', whose bank is PayFiP."""
    data = tmp_path_factory.mktemp("payfip") / "data"
    shutil.copytree(first_run.data, data)
    demo = start_demo(data, "BANK=payfip")
    yield demo
    demo.stop()


@pytest.fixture
def go(visitor: Visitor, household: Make) -> Callable[[str], Household]:
    """A family of its own, up to PayFiP's page."""

    def start(code: str) -> Household:
        family = household(code)
        visitor.sign_in(family)
        visitor.go_to_bank(family, email="alice@example.org")
        expect(visitor.page.locator("h1")).to_have_text("PayFiP de démonstration")
        return family

    return start


def end(visitor: Visitor, button: str, *, delivery: str = "normal", known: str = "now") -> str:
    """At PayFiP: what the payer does, how the notification and the result travel."""
    visitor.page.select_option("#delivery", delivery)
    visitor.page.select_option("#known", known)
    visitor.page.get_by_role("button", name=button, exact=True).click()
    return visitor.title()


def test_a_card_is_paid_whose_notification_never_comes_and_the_books_are_sound(
    go: Make, visitor: Visitor, town: Demo
) -> None:
    go("TPCARD")
    expect(visitor.page.locator(".detail")).to_contain_text("alice@example.org")
    opened = visitor.page.url
    assert end(visitor, "Carte acceptée", delivery="lost") == sentences.PAID
    visitor.page.click("text=Voir et imprimer le reçu")
    expect(visitor.page.locator("article")).to_contain_text("Carte bancaire en ligne")
    town.command("verify")
    visitor.page.goto(opened)
    expect(visitor.page.locator("h1")).to_have_text("Cette page de paiement n’est plus active")


@pytest.mark.slow
def test_a_direct_debit_refused_then_accepted_and_told_twice_counts_once(
    go: Make, visitor: Visitor
) -> None:
    family = go("TPDEBIT")
    refused = sentences.REFUSED_BY_BANK
    assert end(visitor, "Prélèvement refusé") == refused
    visitor.go_to_bank(family, email="alice@example.org")
    assert end(visitor, "Prélèvement accepté", delivery="twice") == sentences.PAID
    visitor.page.click("text=Voir et imprimer le reçu")
    expect(visitor.page.locator("article")).to_contain_text("Prélèvement, autorisé en ligne")


def test_a_parent_who_gave_up_finds_the_invoices_to_pay_again(go: Make, visitor: Visitor) -> None:
    go("TPLEFT")
    abandoned = "Paiement abandonné\u00a0: aucun débit n’a été effectué"
    assert end(visitor, "Abandonner, il y a dix minutes") == abandoned
    visitor.page.click("text=Revenir à mes factures")
    expect(visitor.page.locator("[name=invoice]")).to_have_count(2)


@pytest.mark.slow
def test_a_result_unknown_for_a_while_holds_the_invoices_then_pays_them(
    go: Make, visitor: Visitor, town: Demo
) -> None:
    go("TPLATER")
    page = visitor.page
    assert end(visitor, "Carte acceptée", delivery="late", known="later") == sentences.WAITING
    address = page.url.partition("?")[0]
    page.goto(f"{town.url}/factures")
    expect(page.locator(".tag-bank, .tag-opened")).to_have_count(2)
    for _ in range(80):
        town.command("reconcile")
        if "Paiement effectué" in page.request.get(address).text():
            break
        page.wait_for_timeout(100)  # the bank knows the result some seconds later
    page.goto(address)
    expect(page.locator("h1")).to_have_text("Paiement effectué")


def test_a_parent_who_left_payfip_resumes_on_a_page_of_its_own_and_pays_once(
    go: Make, visitor: Visitor, town: Demo
) -> None:
    """PayFiP opens an address once: Back, then the same address again, would be its error P3."""
    go("TPBACK")
    page = visitor.page
    page.goto(f"{town.url}/factures")
    page.get_by_role("button", name=sentences.RESUME).click()
    page.wait_for_url(f"{town.bank_url}/**")
    expect(page.locator("h1")).to_have_text("PayFiP de démonstration")
    assert end(visitor, "Carte acceptée") == sentences.PAID
    page.goto(f"{town.url}/factures")
    expect(page.locator(".lead")).to_have_text(sentences.NOTHING_DUE)
    town.command("verify")
