"""Mails as a phone shows them: nothing wider than the screen, and nothing that axe finds."""

import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Demo, Household, Visitor, open_context
from tests.browser.test_accessibility import AXE_RUN, AXE_SCRIPT, ENHANCED
from tests.browser.test_journey import wait_for_mail

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
    for width in (320, 360):
        with open_context(browser, viewport={"width": width, "height": 740}) as context:
            page = context.new_page()
            for name, html in mails.items():
                page.set_content(html)
                wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert wider <= 0, f"{name} scrolls sideways by {wider} px at {width}"
                page.evaluate(AXE_SCRIPT)
                assert page.evaluate(AXE_RUN, {"rules": ENHANCED}) == [], name


def _html(raw: bytes) -> str:
    message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    body = message.get_body(("html",))
    return str(body.get_content()) if body else ""
