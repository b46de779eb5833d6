"""The whole journey, in Chromium, through the portal and the bank as two processes."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import sentences
from tests.browser.conftest import Demo, Household, Visitor, open_context
from tests.mailbox import plain_of

pytestmark = pytest.mark.browser
Make = Callable[[str], Household]


@pytest.mark.slow
def test_a_family_pays_two_invoices_and_keeps_a_receipt(
    visitor: Visitor, household: Make, town: Demo
) -> None:
    family, page = household("JOURNEY"), visitor.page
    visitor.sign_in(family)
    expect(page.locator(".lead")).to_have_text(re.compile("2 factures à régler, 87,45\u00a0€"))
    page.click("text=Tout sélectionner")
    expect(page.locator("output")).to_have_text(re.compile("87,45"))
    visitor.go_to_bank(family, email="alice@example.org")
    expect(page.locator(".detail")).to_contain_text(f"Factures {', '.join(family.invoices)}")
    visitor.pay()
    assert visitor.title() == sentences.PAID
    page.click("text=Voir et imprimer le reçu")
    expect(page.locator("article")).to_contain_text("Acquitté.")
    visitor.look()
    page.emulate_media(media="print")
    expect(page.locator("body > header")).to_be_hidden()
    expect(page.locator("article")).to_be_visible()
    page.emulate_media(media="screen")
    page.goto(f"{town.url}/factures")
    expect(page.locator(".lead")).to_have_text(sentences.NOTHING_DUE)
    expect(page.get_by_role("link", name=re.compile("Reçu R"))).to_have_count(2)
    receipt = wait_for_mail(town, "alice@example.org")
    assert "87,45" in receipt
    town.command("verify")


def wait_for_mail(town: Demo, recipient: str, about: str = "") -> str:
    """The text of the mail for this address that says so. The demo sends it by itself; asking for
    it too spares the wait, and shows that two senders at once do no harm."""
    for _ in range(10):
        town.command("send-mail")
        for path in (town.data / "outbox").glob("*.eml"):
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            if message["To"] == recipient and about in (text := plain_of(message)):
                return text
    raise AssertionError("no mail came")


@pytest.mark.slow
def test_a_late_notice_is_awaited_and_the_page_updates_by_itself(
    visitor: Visitor, household: Make, town: Demo
) -> None:
    family = household("LATE")
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    with town.silent_bank():
        visitor.pay(delivery="late")
        assert visitor.title() == sentences.WAITING
        expect(visitor.page.locator("h1")).to_have_text("Paiement effectué", timeout=15_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    "delivery", ["lost", *(pytest.param(it, marks=pytest.mark.proof) for it in ("late", "key"))]
)
def test_a_parent_who_is_back_before_the_notice_sees_what_the_bank_answers_us(
    visitor: Visitor, household: Make, delivery: str
) -> None:
    family = household(f"ASKED{delivery.upper()}")
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    visitor.pay(delivery=delivery)
    assert visitor.title() == sentences.PAID


@pytest.mark.slow
def test_the_regisseur_gives_money_back_at_the_bank_whose_answer_is_lost_and_once_only(
    visitor: Visitor, household: Make, town: Demo
) -> None:
    family, page = household("REFUND"), visitor.page
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    visitor.pay()
    page.click("text=Voir et imprimer le reçu")
    receipt = page.locator("h1").inner_text().rpartition(" ")[2]
    refund = ("refund", receipt, "--author", "D. Aubry", "--reason", "double saisie")
    with (
        town.broken_bank("lost"),
        pytest.raises(AssertionError, match=f"{sentences.NOT_KNOWN_IF} 87,45"),
    ):
        town.command(*refund)
    with pytest.raises(AssertionError, match=sentences.ALREADY_ASKED):
        town.command(*refund)
    page.reload()
    expect(page.locator("article")).to_contain_text("Acquitté.")
    page.goto(f"{town.bank_url}")
    page.locator("tr", has_text="CANCELLED").get_by_role("button", name="Renvoyer").first.click()
    page.goto(f"{town.url}/factures")
    expect(page.locator(".lead")).to_have_text(re.compile("2 factures à régler, 87,45"))
    town.command("verify")


@pytest.mark.slow
def test_a_lost_notice_leaves_the_invoices_waiting_until_the_bank_sends_it_again(
    visitor: Visitor, household: Make, town: Demo
) -> None:
    family, page = household("LOST"), visitor.page
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    with town.silent_bank():
        visitor.pay(delivery="lost")
        assert visitor.title() == sentences.WAITING
        address = page.url
        page.goto(f"{town.url}/factures")
        expect(page.locator(".tag-bank, .tag-opened")).to_have_count(2)
        assert page.locator("[name=invoice]").count() == 0
        page.goto(town.bank_url)
        page.locator("tr", has_text=address.rpartition("/")[2].partition("?")[0]).get_by_text(
            "Renvoyer"
        ).click()
        page.goto(address)
        expect(page.locator("h1")).to_have_text("Paiement effectué")


@pytest.mark.slow
def test_a_notice_sent_twice_counts_once(visitor: Visitor, household: Make, town: Demo) -> None:
    family = household("TWICE")
    visitor.sign_in(family)
    visitor.go_to_bank(family, email="twice@example.org")
    visitor.pay(delivery="twice")
    assert visitor.title() == sentences.PAID
    wait_for_mail(town, "twice@example.org")
    mails = [p for p in (town.data / "outbox").glob("*.eml") if b"twice@" in p.read_bytes()]
    assert len(mails) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("delivery", "answer", "title"),
    [
        ("key", "KO signature fausse", sentences.WAITING),
        pytest.param("amount", "OK", sentences.TO_CHECK, marks=pytest.mark.proof),
    ],
)
def test_a_forged_notice_or_one_of_another_amount_pays_nothing(
    visitor: Visitor, household: Make, town: Demo, delivery: str, answer: str, title: str
) -> None:
    family, page = household(f"WRONG{delivery.upper()}"), visitor.page
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    with town.silent_bank():
        visitor.pay(delivery=delivery)
        assert visitor.title() == title
        page.goto(f"{town.url}/factures")
        expect(page.locator(".tag-bank, .tag-opened")).to_have_count(2)
    page.goto(town.bank_url)
    expect(page.locator("table >> nth=1").locator("tbody tr >> nth=0")).to_contain_text(answer)
    told = "montant inattendu" in town.command("todo")
    assert told == (delivery == "amount")


@pytest.mark.slow
def test_a_refused_card_is_said_to_have_debited_nothing_and_can_be_tried_again(
    visitor: Visitor, household: Make
) -> None:
    family, page = household("REFUSED"), visitor.page
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    visitor.pay(card="4970100000000055")
    expect(page.locator(".message")).to_contain_text("Carte refusée")
    visitor.look()
    page.click("text=Revenir au site")
    assert visitor.title() == sentences.REFUSED_BY_BANK
    page.click("text=Payer 87,45")
    page.click("text=Régler votre facture en ligne")
    page.wait_for_url(f"{visitor.town.bank_url}/**")
    visitor.pay()
    assert visitor.title() == sentences.PAID


def test_a_card_refused_then_another_accepted_is_paid(visitor: Visitor, household: Make) -> None:
    family = household("RETRY")
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    visitor.pay(card="4970100000000099")
    visitor.pay()
    assert visitor.title() == sentences.PAID


@pytest.mark.parametrize(
    ("button", "title"),
    [
        ("Abandonner", "Paiement abandonné\u00a0: aucun débit n’a été effectué"),
        pytest.param("Laisser expirer", "Le délai pour payer est dépassé", marks=pytest.mark.proof),
    ],
)
def test_a_parent_who_gives_up_finds_the_invoices_to_pay_again(
    visitor: Visitor, household: Make, button: str, title: str
) -> None:
    family, page = household(f"LEFT{button[:3].upper()}"), visitor.page
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    page.click(f"text={button}")
    assert visitor.title() == title
    page.click("text=Revenir à mes factures")
    expect(page.locator("[name=invoice]")).to_have_count(2)


def test_a_payment_the_bank_must_validate_is_awaited(visitor: Visitor, household: Make) -> None:
    family = household("VALIDATE")
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    visitor.pay(card="4970100000000001")
    assert visitor.title() == sentences.WAITING
    expect(visitor.page.locator("main")).to_contain_text("La banque examine votre paiement")


def test_a_second_tab_is_told_to_wait_and_the_back_button_does_not_pay_again(
    visitor: Visitor, household: Make, town: Demo
) -> None:
    family, page = household("TABS"), visitor.page
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    other = Visitor(page.context.new_page(), town)
    other.page.goto(f"{town.url}/paiement/recapitulatif?invoice={family.invoices[0]}")
    expect(other.page.locator("main")).to_contain_text("ouvert à la banque")
    other.look()
    page.go_back()
    expect(page).to_have_url(re.compile(re.escape(town.url)))


def sign_in(page: Page, family: Household) -> None:
    page.fill("[name=code]", family.code)
    page.fill("[name=password]", family.password)
    page.click("main button:not([type])")


def give_card(page: Page) -> None:
    page.fill("#card", "4970100000000000")
    page.click("button.main")


def test_the_whole_journey_works_without_javascript(
    browser: Browser, household: Make, town: Demo
) -> None:
    family = household("NOSCRIPT")
    with open_context(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{town.url}/connexion")
        sign_in(page, family)
        page.click("text=Tout sélectionner")
        page.click(".bar button")
        page.click("text=Régler votre facture en ligne")
        page.click("text=Continuer vers la banque")
        page.goto(f"{town.url}/factures")
        page.click(f"text={sentences.RESUME}")
        page.click("text=Continuer vers la banque")
        give_card(page)
        expect(page.locator("h1")).to_have_text("Paiement effectué")


def test_a_family_reads_english_from_the_first_page_to_the_receipt_without_javascript(
    browser: Browser, household: Make, town: Demo
) -> None:
    family = household("ENGLISH")
    with open_context(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{town.url}/connexion")
        page.get_by_role("button", name="English").click()
        expect(page).to_have_title(re.compile("^Sign in"))
        sign_in(page, family)
        page.click("text=Select all")
        page.click("text=Check and pay")
        page.click("text=Pay your invoice online")
        page.click("text=Continue to the bank")
        give_card(page)
        expect(page.locator("h1")).to_have_text("Payment complete")
        page.click("text=View and print receipt")
        expect(page.locator("article")).to_contain_text("Paid in full (acquitté).")
        page.get_by_role("button", name="Français").click()
        expect(page.locator("article")).to_contain_text("Acquitté.")


def test_the_running_total_speaks_the_language_of_the_page(
    visitor: Visitor, household: Make
) -> None:
    family, page = household("RUNNING"), visitor.page
    visitor.sign_in(family)
    page.get_by_role("button", name="English").click()
    page.click("text=Select all")
    expect(page.locator("[data-tick-all]")).to_have_text("Clear all")
    expect(page.locator("output")).to_have_text("€87.45")
    expect(page.locator(".bar button")).to_have_text("Check and pay €87.45")
    visitor.look()


def test_a_signed_out_browser_returning_sees_the_result_and_nothing_private(
    visitor: Visitor, browser: Browser, household: Make, town: Demo
) -> None:
    family = household("RETURN")
    visitor.sign_in(family)
    visitor.go_to_bank(family)
    visitor.pay()
    visitor.title()
    with open_context(browser) as context:
        stranger = Visitor(context.new_page(), town)
        stranger.page.goto(visitor.page.url)
        assert stranger.title() == sentences.PAID
        expect(stranger.page.locator("main")).not_to_contain_text("RETURN-1")
        expect(stranger.page.locator("main")).not_to_contain_text("87,45")
