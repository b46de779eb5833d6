"""The links that mails bring to a family, and how a test opens them."""

import re
from email.message import EmailMessage

from kiosque.db.models import Token
from kiosque.families import own_changes, tokens
from kiosque.families.signin import Visitor
from kiosque.families.tokens import Purpose
from kiosque.mails import delivery
from kiosque.settings import Settings
from tests.conftest import PUBLIC_URL
from tests.mailbox import plain_of

STRANGER = Visitor("203.0.113.9")
OTHER = "une tout autre phrase"


def post(settings: Settings) -> None:
    """Do what the timer does."""
    own_changes.answer_resets()
    assert delivery.deliver(settings)[1] == 0


def link_in(message: EmailMessage) -> str:
    """The secret of the link of a mail."""
    (secret,) = re.findall(
        rf"^{re.escape(PUBLIC_URL)}/lien/([\w-]+)\r?$", plain_of(message), re.MULTILINE
    )
    return str(secret)


def opened(secret: str, purpose: Purpose = Purpose.RESET) -> Token:
    token = tokens.find_link(secret, purpose)
    assert token
    return token


def recipients(messages: list[EmailMessage]) -> list[str]:
    return sorted(str(message["To"]) for message in messages)
