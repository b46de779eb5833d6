"""E-mail: queued with what causes it, sent apart, never lost."""

import re
import smtplib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from gateways.base import Callback, Gateway
from kiosque import mail, payments
from kiosque.config import Mail, Settings
from kiosque.database import write
from kiosque.models import Family, OutboxMail
from tests.bank import notice
from tests.conftest import NOW, Clock, free_port, make_invoice


class Mailbox:
    """A real SMTP server's memory."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuse = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[tuple[Mailbox, Settings]]:
    box = Mailbox()
    port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    smtp = Mail(settings.mail.sender, host="127.0.0.1", port=port, security="none")
    yield box, replace(settings, mail=smtp)
    server.stop()


@pytest.fixture
def receipt_queued(alices_family: Family, pay: Any, gateway: Gateway) -> None:
    _, handoff = pay(
        alices_family, make_invoice(alices_family, "2026-10-0001"), email="alice@example.org"
    )
    fields = notice(handoff)
    report = gateway.read_notification(Callback(tuple(fields.items())))
    payments.record(gateway.name, report)


def test_a_receipt_leaves_by_smtp_with_all_it_must_state(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    assert mail.deliver(settings) == (1, 0)
    (message,) = box.messages
    text = message.get_content()
    assert message["To"] == "alice@example.org"
    assert message["From"] == "kiosque@sautron.example.org"
    assert message["Subject"] == "Reçu de paiement R000001\u00a0: 45,20\u00a0€"
    for words in (
        "R000001", "24 novembre 2026 à 20\u00a0h\u00a030", "Régie Enfance", "Dominique Aubry",
        "F1001", "Facture 2026-10-0001, octobre 2026\u00a0: 45,20\u00a0€", "3fe69a", "Acquitté.",
        "http://127.0.0.1:8000/recus/1",
    ):  # fmt: skip
        assert words in text
    assert "Léa" not in text
    assert not re.search(r"\w [:;?!»]|« ", text.replace("https:", ""))


def test_once_sent_it_is_not_sent_again_and_the_address_is_forgotten(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    mail.deliver(settings)
    assert mail.deliver(settings) == (0, 0)
    assert len(box.messages) == 1
    assert OutboxMail.get().recipient == ""


def test_a_server_that_is_down_loses_nothing_and_is_tried_again_later(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    down = replace(settings, mail=replace(settings.mail, port=1))
    assert mail.deliver(down) == (0, 1)
    assert mail.deliver(settings) == (0, 0)
    assert (mail.waiting(), OutboxMail.get().last_error) == (1, "ConnectionRefusedError")
    frozen.advance(minutes=2)
    assert mail.deliver(settings) == (1, 0)
    assert len(box.messages) == 1


def test_a_server_that_refuses_is_tried_at_growing_intervals(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    box.refuse = "451 later"
    for minutes in (0, 2, 4, 8):
        frozen.advance(minutes=minutes)
        assert mail.deliver(settings) == (0, 1)
        assert mail.deliver(settings) == (0, 0)
    box.refuse = ""
    frozen.advance(minutes=16)
    assert mail.deliver(settings) == (1, 0)


def test_two_runs_at_once_send_it_once(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, settings = mailbox
    send = mail._by_smtp

    def while_another_runs(*arguments: Any) -> None:
        assert mail.deliver(settings) == (0, 0)
        send(*arguments)

    monkeypatch.setattr(mail, "_by_smtp", while_another_runs)
    assert mail.deliver(settings) == (1, 0)
    assert len(box.messages) == 1


def test_a_mail_is_taken_by_one_of_two_runs_that_saw_it_waiting(receipt_queued: None) -> None:
    (seen_by_both,) = mail._due()
    assert mail._take(seen_by_both)
    assert not mail._take(seen_by_both)


@pytest.mark.parametrize("address", ["=?utf-8?q??=@x.fr", "=?utf-8?q?a=0Ab?=@x.fr", "nobody", ""])
def test_an_address_that_cannot_be_written_to_stops_no_other_mail(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], address: str
) -> None:
    box, settings = mailbox
    with write():
        mail.queue("receipt:bad", "receipt", 1, address or "\r\n")
    OutboxMail.update(queued_at=NOW - timedelta(days=1), next_try_at=NOW - timedelta(days=1)).where(
        OutboxMail.key == "receipt:bad"
    ).execute()
    sent, failed = mail.deliver(settings)
    assert sent + failed == 2
    assert [m["To"] for m in box.messages if "example.org" in m["To"]] == ["alice@example.org"]


def test_a_month_of_outage_loses_nothing(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    box.refuse = "451 later"
    for _ in range(60):
        frozen.advance(hours=12)
        assert mail.deliver(settings) == (0, 1)
    box.refuse = ""
    frozen.advance(hours=12)
    assert mail.deliver(settings) == (1, 0)


def test_what_is_left_when_told_to_stop_is_sent_the_next_time(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    _, settings = mailbox
    assert mail.deliver(settings, stopped=lambda: True) == (0, 0)
    assert mail.deliver(settings) == (1, 0)


def test_no_network_happens_inside_a_transaction(
    receipt_queued: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def refuse(*_: object) -> None:
        with write():  # fails when a transaction is open
            seen.append("free")
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(mail, "_by_smtp", refuse)
    mail.deliver(replace(settings, mail=replace(settings.mail, host="mail.example.org")))
    assert seen == ["free"]


def test_the_demo_writes_files_instead(receipt_queued: None, settings: Settings) -> None:
    mail.deliver(settings)
    (path,) = (settings.data / "outbox").iterdir()
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["To"] == "alice@example.org"


def test_the_regisseur_is_told_of_what_needs_him(
    alices_family: Family, pay: Any, gateway: Gateway, mailbox: tuple[Mailbox, Settings]
) -> None:
    _, handoff = pay(alices_family, make_invoice(alices_family, "2026-10-0001"))
    fields = notice(handoff, amount="9999", effective_amount="9999")
    payments.record("banque", gateway.read_notification(Callback(tuple(fields.items()))))
    box, settings = mailbox
    mail.deliver(settings)
    (message,) = box.messages
    assert message["To"] == "regie@sautron.example.org"
    assert "99,99\u00a0€" in message.get_content()


def test_without_an_address_for_the_regisseur_the_list_is_enough(
    alices_family: Family, pay: Any, gateway: Gateway, mailbox: tuple[Mailbox, Settings]
) -> None:
    _, handoff = pay(alices_family, make_invoice(alices_family, "2026-10-0001"))
    fields = notice(handoff, trans_status="INVENTED")
    payments.record("banque", gateway.read_notification(Callback(tuple(fields.items()))))
    box, settings = mailbox
    mail.deliver(replace(settings, regie=replace(settings.regie, email="")))
    assert (box.messages, mail.waiting()) == ([], 0)
    assert len(payments.todo()) == 1
