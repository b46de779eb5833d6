"""Two families whose parents have addresses, and a mail server that keeps what comes."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from kiosque.db.models import Child, Family, Guardian
from kiosque.settings import Mail, Settings
from tests.conftest import free_port


@pytest.fixture
def parents(alices_family: Family, charlies_family: Family) -> None:
    for family, name, email in (
        (alices_family, "Alice", "alice@example.org"),
        (alices_family, "Bob", "bob@example.org"),
        (charlies_family, "Charlie", "charlie@example.org"),
    ):
        Guardian.create(family=family, first_name=name, last_name="", email=email)
    Child.create(family=alices_family, name="Léa Martin")


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[list[EmailMessage]]:
    """Return the mails that a real SMTP server receives; `settings.mail` points to it."""
    received: list[EmailMessage] = []

    class Keep:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            message = message_from_bytes(envelope.content, policy=policy.default)
            message["X-RcptTo"] = ", ".join(envelope.rcpt_tos)
            received.append(message)  # type: ignore[arg-type]
            return "250 OK"

    port = free_port()
    server = Controller(Keep(), hostname="127.0.0.1", port=port)
    server.start()
    smtp = Mail(settings.mail.sender, host="127.0.0.1", port=port, security="none")
    object.__setattr__(settings, "mail", smtp)
    yield received
    server.stop()
