"""Each promise to a parent holds at each kind of bank: Lyra's form, PayFiP, and a bank of JSON by
a stranger's adapter, which leads back to the page that it gave."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect

from gateways.base import PARIS, Gateway, Polls, Resumes
from gateways.registry import configure
from kiosque.db.models import Attempt, Family, Invoice, Session, Settlement
from kiosque.language import clock
from kiosque.mails import delivery
from kiosque.payments import verification
from kiosque.settings import Settings
from tests import sentences
from tests.bank import KEY
from tests.browser.conftest import PHONE, Household, Town, Visitor, open_context
from tests.conftest import PASSWORD, choose_password, free_port, listening, make_invoice
from tests.installation import BANK_PASSWORD, bank_of
from tests.jonquille import SECRET, TOKEN, bank_of_the_daffodils
from tests.mailbox import Mailbox, html_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ADAPTER = Path(__file__).parents[1] / "thirdparty" / "jonquille" / "kiosque_jonquille.py"
#: The headings of a page that opens no payment.
REFUSES = re.compile("ne peut pas commencer|Demande de paiement refusée")
SUMMARY = "/paiement/recapitulatif?invoice=2026-10-0001"
LEAVES_LATE = """
const { submit } = HTMLFormElement.prototype;
HTMLFormElement.prototype.submit = function () {
  addEventListener("load", () => setTimeout(() => submit.call(this)));
};
"""


@dataclass(frozen=True)
class Bank:
    """A bank: the adapter that speaks to it, and what its payers press."""

    gateway: Gateway
    url: str
    accept: str
    leave: str


@contextmanager
def bank_of_forms(data: Path, site: str) -> Iterator[Bank]:
    with bank_of(data, site) as url:
        table = {"adapter": "sandbox", "url": url, "key": KEY, "password": BANK_PASSWORD}
        yield Bank(configured(table), url, accept="Valider", leave="Abandonner")


@contextmanager
def bank_that_nobody_can_ask(data: Path, site: str) -> Iterator[Bank]:
    """The bank of forms, to a shop without its REST service."""
    with bank_of(data, site) as url:
        gateway = configured({"adapter": "sandbox", "url": url, "key": KEY})
        yield Bank(gateway, url, accept="Valider", leave="Abandonner")


@contextmanager
def payfip(data: Path, site: str) -> Iterator[Bank]:
    with bank_of(data, site) as url:
        gateway = configured({"adapter": "sandbox-payfip", "url": url})
        yield Bank(gateway, url, "Carte acceptée", leave="Abandonner, il y a dix minutes")


@contextmanager
def bank_of_json(_data: Path, _site: str) -> Iterator[Bank]:
    with bank_of_the_daffodils() as bank:
        table = {"adapter": "jonquille", "token": TOKEN, "secret": SECRET, "url": bank.url}
        gateway = strangers_adapter().configure("banque", table, environment="test")
        yield Bank(gateway, bank.url, accept="Payer", leave="Abandonner")


def configured(table: dict[str, object]) -> Gateway:
    return configure("banque", table, environment="test")


def strangers_adapter() -> Any:
    spec = spec_from_file_location("kiosque_jonquille", ADAPTER)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.JonquilleGateway


@pytest.fixture
def frozen() -> None:
    """The banks look at the hour, and theirs is the real one: so is ours."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, public_url=f"http://127.0.0.1:{free_port()}")


#: What is tried at one bank in `make test`, and at the others in `make proof`.
AT_ONE = pytest.mark.parametrize(
    "bank",
    [
        payfip,
        *(pytest.param(bank, marks=pytest.mark.proof) for bank in (bank_of_forms, bank_of_json)),
    ],
    indirect=True,
)


@pytest.fixture(params=[bank_of_forms, payfip, bank_of_json])
def bank(
    request: pytest.FixtureRequest, app: Flask, settings: Settings, tmp_path: Path
) -> Iterator[Bank]:
    """A bank in force, and the site that answers."""
    with request.param(tmp_path, settings.public_url) as bank:
        app.extensions["gateways"] = {"banque": bank.gateway}
        with listening(app, settings.public_url):
            yield bank


@pytest.fixture
def october(alices_family: Family) -> Invoice:
    return invoice_of(alices_family, "2026-10-0001", 4520)


@pytest.fixture
def september(alices_family: Family) -> Invoice:
    return invoice_of(alices_family, "2026-09-0001", 4225)


def invoice_of(family: Family, number: str, cents: int) -> Invoice:
    today = clock.today()
    return make_invoice(family, number, cents, issued_on=today, due_on=today + timedelta(days=9))


class Parent(Visitor):
    """Alice, who pays at one of the banks, with a browser that may run no script."""

    def __init__(self, page: Page, town: Town, bank: Bank, *, scripts: bool) -> None:
        super().__init__(page, town)
        self.bank = bank
        self.scripts = scripts

    def open(self, path: str) -> None:
        self.page.goto(self.town.url + path)
        self.look()

    def open_payment(self, *invoices: Invoice) -> None:
        """From the list to the bank's page."""
        self.open("/factures")
        for invoice in invoices:
            box(self.page, invoice).check()
        self.page.click(".bar button")
        self.confirm()

    def confirm(self) -> None:
        self.look()
        self.page.fill("[name=email]", "alice@example.org")
        self.page.click(f"text={sentences.PAY_ONLINE}")
        self.arrive()

    def resume(self, clicks: int = 1) -> None:
        self.look()
        self.page.get_by_role("button", name=sentences.RESUME).click(click_count=clicks)
        self.arrive()

    def arrive(self) -> None:
        """At the bank, without a script by a last button."""
        if not self.scripts:
            self.look()
            self.page.click("text=Continuer vers la banque")
        expect(self.button(self.bank.accept)).to_be_visible()
        self.look()

    def go_back(self) -> None:
        """Back, until the town's site is there."""
        self.page.go_back()
        while not self.page.url.startswith(self.town.url):
            self.page.go_back()
        # A browser may keep the way to the bank whole: it then leaves at once for the payment.
        expect(self.page.locator("[data-way-out]")).to_have_count(0)
        self.look()

    def end(self, words: str) -> str:
        """Pay at the bank, or leave. Return the first line of the page one is led back to."""
        if self.page.locator("#card").count():
            self.page.fill("#card", "4970100000000000")
        self.button(words).click()
        return self.title()

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=words, exact=True)


@dataclass(frozen=True)
class Places:
    url: str
    bank_url: str


@pytest.fixture
def alice(
    request: pytest.FixtureRequest,
    browser: Browser,
    settings: Settings,
    alices_family: Family,
    october: Invoice,
    bank: Bank,
) -> Iterator[Parent]:
    """She is signed in, on the narrowest phone."""
    choose_password(alices_family)
    scripts = getattr(request, "param", True)
    with open_context(browser, viewport=PHONE, java_script_enabled=scripts) as context:
        town = Places(settings.public_url, bank.url)
        alice = Parent(context.new_page(), town, bank, scripts=scripts)
        alice.sign_in(household(alices_family))
        yield alice


def household(family: Family) -> Household:
    return Household(family.code, PASSWORD, ("", ""))


def box(page: Page, invoice: Invoice) -> Locator:
    return page.locator(f'[name=invoice][value="{invoice.number}"]')


def test_a_parent_is_led_back_from_wherever_she_looks_and_pays_once(
    alice: Parent, bank: Bank, october: Invoice
) -> None:
    """To that very page where the bank gave its address, else to another: never a form twice."""
    page = alice.page
    alice.open_payment(october)
    alice.go_back()
    left = page.url
    for where in ("", "/factures", SUMMARY):
        if where:
            left = page.url
            alice.open(where)
        alice.resume()
        if where:
            assert (page.url == left) == isinstance(bank.gateway, Resumes)
    assert alice.end(bank.accept) == sentences.PAID
    alice.open("/factures")
    expect(page.locator(".lead")).to_have_text(sentences.NOTHING_DUE)
    assert Settlement.select().count() == 1
    assert verification.faults() == []


@AT_ONE
def test_what_is_open_at_the_bank_is_counted_and_said_in_one_sentence(
    alice: Parent, october: Invoice, september: Invoice
) -> None:
    alice.open_payment(october)
    since = Attempt.get().started_at.astimezone(PARIS)
    hour = f"{since.hour}\u00a0h\u00a0{since:%M}"
    for path in ("/factures", SUMMARY, f"/paiement/retour/{Attempt.get().reference}"):
        alice.open(path)
        expect(alice.page.locator("main .notice")).to_have_count(1)
        expect(alice.page.locator("main .notice")).to_contain_text(hour)
    alice.open("/factures")
    lead = alice.page.locator(".lead")
    expect(lead).to_contain_text(re.compile(f"2 factures.*87,45.*dont 1 ouverte.*{hour}"))


@pytest.mark.parametrize("bank", [bank_that_nobody_can_ask], indirect=True)
def test_a_bank_that_nobody_can_ask_is_waited_for_and_the_page_says_until_when_and_why(
    alice: Parent, bank: Bank, october: Invoice
) -> None:
    alice.open_payment(october)
    opened = alice.page.url
    alice.go_back()
    until = Attempt.get().live_until.astimezone(PARIS)
    for path in ("", "/factures", SUMMARY):
        if path:
            alice.open(path)
        told = alice.page.locator("main .notice")
        expect(told).to_contain_text(sentences.CANNOT_TELL)
        expect(told).to_contain_text(
            f"{sentences.PAYABLE_AGAIN} {until.hour}\u00a0h\u00a0{until:%M}"
        )
        expect(told.get_by_role("button")).to_have_count(0)
    alice.page.goto(opened)
    assert alice.end(bank.accept) == sentences.PAID


@AT_ONE
def test_once_paid_the_page_says_all_and_back_twice_shows_the_receipt(
    alice: Parent, bank: Bank, october: Invoice, september: Invoice
) -> None:
    page = alice.page
    alice.open_payment(october)
    assert alice.end(bank.accept) == sentences.PAID
    expect(page.locator(".result-paid")).to_be_visible()
    facts = page.locator(".facts")
    for fact in ("45,20", "R000001", "a…@example.org", "42,25"):
        expect(facts).to_contain_text(fact)
    expect(page.get_by_role("link", name="Télécharger le reçu")).to_be_visible()
    expect(page.get_by_role("button", name="Imprimer")).to_be_visible()
    expect(page.get_by_role("link", name="Revenir à mes factures")).to_be_visible()
    alice.go_back()
    page.reload()
    alice.open(SUMMARY)
    expect(page.locator("h1")).to_have_text(sentences.PAID)
    expect(page.get_by_role("link", name=re.compile("reçu R000001")).first).to_be_visible()


@AT_ONE
def test_the_receipt_comes_by_mail_fits_a_phone_and_holds_its_pdf(
    alice: Parent, bank: Bank, october: Invoice, mailbox: tuple[Mailbox, Settings]
) -> None:
    alice.open_payment(october)
    alice.end(bank.accept)
    inbox, settings = mailbox
    assert delivery.deliver(settings) == (1, 0)
    (mail,) = inbox.messages
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["application/pdf"]
    page = alice.page
    page.goto("about:blank")  # away from the site's own policy
    page.set_content(html_of(mail))
    for width in (320, 360):
        page.set_viewport_size({"width": width, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    amount = page.get_by_text("45,20").last.bounding_box()
    assert amount
    assert amount["x"] > 180, "amounts are at the right"


def test_a_payment_is_given_up_only_where_the_bank_says_that_nothing_was_debited(
    alice: Parent, bank: Bank, october: Invoice
) -> None:
    page = alice.page
    alice.open_payment(october)
    opened = page.url
    alice.open("/factures")
    give_up = alice.button("Abandonner ce paiement")
    assert isinstance(bank.gateway, Polls)
    if not bank.gateway.polling.silence_proves_unpaid:
        expect(give_up).to_have_count(0)
        return
    give_up.click()
    expect(page.locator("h1")).to_have_text(sentences.PAYMENT_GIVEN_UP)
    expect(page.locator(".result-paid")).to_have_count(0)
    alice.open("/factures")
    expect(box(page, october)).to_be_enabled()
    # The bank's page stayed open elsewhere: late money is money.
    page.goto(opened)
    assert alice.end(bank.accept) == sentences.PAID
    assert Settlement.select().count() == 1
    assert verification.faults() == []


@AT_ONE
def test_whoever_leaves_by_the_banks_own_button_may_pay_at_once(
    alice: Parent, bank: Bank, october: Invoice
) -> None:
    alice.open_payment(october)
    assert alice.end(bank.leave).startswith(sentences.PAYMENT_GIVEN_UP)
    expect(alice.page.locator(".result-paid")).to_have_count(0)
    alice.open_payment(october)
    assert alice.end(bank.accept) == sentences.PAID


@AT_ONE
def test_a_browser_that_keeps_the_way_to_the_bank_leads_back_to_the_payment(
    alice: Parent, october: Invoice
) -> None:
    """It keeps it where the page was whole before the form left, on a slow phone."""
    page = alice.page
    page.add_init_script(LEAVES_LATE)
    alice.open_payment(october)
    page.go_back()
    expect(page.get_by_role("button", name=sentences.RESUME)).to_be_visible()


@AT_ONE
def test_forward_and_back_and_a_double_click_send_the_bank_nothing_twice(
    alice: Parent, bank: Bank, october: Invoice
) -> None:
    """It would refuse the second: error 03 of Lyra's, P3 of PayFiP's."""
    page = alice.page
    alice.open_payment(october)
    for step in (page.go_back, page.go_forward, page.go_back, page.go_forward):
        step()
        expect(page.locator("h1")).not_to_have_text(REFUSES)
    alice.open("/factures")
    alice.resume(clicks=2)
    assert alice.end(bank.accept) == sentences.PAID
    assert Settlement.select().count() == 1


@AT_ONE
def test_what_is_ticked_outlives_a_look_at_an_invoice_another_language_and_the_session(
    alice: Parent, bank: Bank, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    page = alice.page
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
    page.fill("[name=code]", alices_family.code)
    page.fill("[name=password]", PASSWORD)
    page.click("main button:not([type])")
    page.wait_for_url(f"**{SUMMARY}")
    page.click("text=Modifier mon choix")
    expect(box(page, october)).to_be_checked()
    page.click(".bar button")
    alice.confirm()
    assert alice.end(bank.accept) == sentences.PAID


@AT_ONE
@pytest.mark.parametrize("alice", [False], ids=["no script"], indirect=True)
def test_without_javascript_a_parent_pays_and_resumes_on_the_narrowest_phone(
    alice: Parent, bank: Bank, october: Invoice
) -> None:
    alice.open_payment(october)
    alice.open("/factures")
    alice.resume()
    assert alice.end(bank.accept) == sentences.PAID
