"""Mails as a phone shows them: nothing wider than the screen, and nothing that axe finds."""

import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from playwright.sync_api import Browser

from gateways.base import Gateway
from kiosque.db.models import Family, FamilyRequest, Guardian, OutboxMail
from kiosque.db.states import RequestTopic
from kiosque.families import answers, requests
from kiosque.language.templates import TEMPLATES
from kiosque.mails import rendering
from kiosque.mails.rendering import RenderedMail
from kiosque.settings import Settings
from tests.browser.conftest import PHONE, Demo, Household, Visitor, open_context
from tests.browser.test_accessibility import AXE_RUN, AXE_SCRIPT, ENHANCED, LOST
from tests.browser.test_journey import wait_for_mail
from tests.conftest import TOWN, make_invoice
from tests.kiosque.invoices.test_announcements import CAUSES
from tests.pages.stage import LONG_EMAIL, LONG_NAME, LONG_NUMBER, LONG_WORD

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_every_mail_fits_the_narrowest_phones_and_can_be_read_aloud(
    browser: Browser, visitor: Visitor, household: Callable[[str], Household], town: Demo
) -> None:
    family = household("A-CODE-AS-LONG-AS-IT")
    visitor.sign_in(family)
    visitor.go_to_bank(family, email="narrow@example.org")
    visitor.pay()
    visitor.title()
    wait_for_mail(town, "narrow@example.org")
    read = {path.name: _html(path.read_bytes()) for path in (town.data / "outbox").glob("*.eml")}
    mails = {name: html for name, html in read.items() if html}
    kinds = {kind for kind in ("receipt", "new-invoices") for name in mails if kind in name}
    assert kinds == {"receipt", "new-invoices"}
    with open_context(browser) as context:
        page = context.new_page()
        for name, html in mails.items():
            page.set_content(html)
            for width in (360, 320):
                page.set_viewport_size({"width": width, "height": 740})
                assert page.evaluate(LOST) == [], f"{name} at {width} px"
            page.evaluate(AXE_SCRIPT)
            assert page.evaluate(AXE_RUN, {"rules": ENHANCED}) == [], name


def ask_for_a_change(family: Family, *_others: Any) -> None:
    requests.ask(family, RequestTopic.ADDRESS, LONG_EMAIL, TOWN)


def answer_it(family: Family, *_others: Any) -> None:
    ask_for_a_change(family)
    answers.refuse(FamilyRequest.get(), "marie@example.org", LONG_EMAIL)


def test_every_kind_of_mail_with_the_longest_words_fits_the_narrowest_phones(
    browser: Browser, alices_family: Family, settings: Settings, pay: Any, gateway: Gateway
) -> None:
    Family.update(name=LONG_NAME).execute()
    family = Family.get()
    Guardian.create(family=family, first_name="", last_name="", email="alice@example.org")
    mails: dict[str, RenderedMail | None] = {}
    for count, cause in enumerate([*CAUSES.values(), ask_for_a_change, answer_it]):
        due = make_invoice(
            family, f"{LONG_NUMBER}-{count}", 99_999_999, period=LONG_WORD, children=LONG_NAME
        )
        cause(Family.get(), due, pay, gateway)
        for row in OutboxMail.select():  # what comes after may take back what a link was for
            mails[row.template] = rendering.render_mail(settings, row, "0123456789abcdef" * 4)
        OutboxMail.delete().execute()
    in_html = {path.stem for path in (TEMPLATES / "mail").glob("[a-z]*.html")}
    assert set(mails) >= in_html
    with open_context(browser, viewport=PHONE) as context:
        page = context.new_page()
        for kind, mail in mails.items():
            assert mail, kind
            page.set_content(mail.html)
            assert page.evaluate(LOST) == [], kind


def _html(raw: bytes) -> str:
    message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    body = message.get_body(("html",))
    return str(body.get_content()) if body else ""
