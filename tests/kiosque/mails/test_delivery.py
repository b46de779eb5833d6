"""E-mail: queued with what causes it, sent apart, never lost."""

import re
import smtplib
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from gateways.base import Callback, Gateway
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Family, OutboxMail
from kiosque.mails import delivery
from kiosque.outbox import queue
from kiosque.settings import Settings
from tests import sentences
from tests.bank import notice
from tests.conftest import ISSUERS, NOW, Clock, make_invoice
from tests.mailbox import Mailbox, html_of, plain_of, text_of


@pytest.fixture
def receipt_queued(alices_family: Family, pay: Any, gateway: Gateway) -> None:
    _, handoff = pay(
        alices_family, make_invoice(alices_family, "2026-10-0001"), email="alice@example.org"
    )
    fields = notice(handoff)
    report = gateway.read_notification(Callback.of_form(fields.items()))
    payments.record(gateway.name, report, ISSUERS)


def test_a_receipt_leaves_by_smtp_with_all_it_must_state(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    assert delivery.deliver(settings) == (1, 0)
    (message,) = box.messages
    text = plain_of(message)
    assert message["To"] == "alice@example.org"
    assert message["From"] == "Ville de Sautron <kiosque@sautron.example.org>"
    assert message["Subject"] == f"{sentences.RECEIPT} R000001\u00a0: 45,20\u00a0€"
    for words in (
        "R000001", "24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030", "Régie Enfance",
        "Dominique Aubry",
        "Payeur\u00a0: famille Martin",
        "Octobre 2026, Léa Martin\u00a0: Restauration scolaire. ",
        "Facture 2026-10-0001, 45,20\u00a0€.",
        "3fe69a", "Acquitté.",
        "http://127.0.0.1:8000/recus/1",
    ):  # fmt: skip
        assert words in text
    assert not re.search(r"\w [:;?!»]|« ", text.replace("https:", ""))


def test_once_sent_it_is_not_sent_again_and_the_address_is_forgotten(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    delivery.deliver(settings)
    assert delivery.deliver(settings) == (0, 0)
    assert len(box.messages) == 1
    assert OutboxMail.get().recipient == ""


def test_a_server_that_is_down_loses_nothing_and_is_tried_again_later(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    down = replace(settings, mail=replace(settings.mail, port=1))
    assert delivery.deliver(down) == (0, 1)
    assert delivery.deliver(settings) == (0, 0)
    assert (queue.count_waiting(), OutboxMail.get().last_error) == (1, "ConnectionRefusedError")
    frozen.advance(minutes=2)
    assert delivery.deliver(settings) == (1, 0)
    assert len(box.messages) == 1


def test_a_server_that_refuses_is_tried_at_growing_intervals(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    box.refuse = "451 later"
    for minutes in (0, 2, 4, 8):
        frozen.advance(minutes=minutes)
        assert delivery.deliver(settings) == (0, 1)
        assert delivery.deliver(settings) == (0, 0)
    box.refuse = ""
    frozen.advance(minutes=16)
    assert delivery.deliver(settings) == (1, 0)


def test_two_runs_at_once_send_it_once(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, settings = mailbox
    send = smtplib.SMTP.sendmail

    def while_another_runs(*arguments: Any, **options: Any) -> Any:
        assert delivery.deliver(settings) == (0, 0)
        return send(*arguments, **options)

    monkeypatch.setattr(smtplib.SMTP, "sendmail", while_another_runs)
    assert delivery.deliver(settings) == (1, 0)
    assert len(box.messages) == 1


def test_a_mail_is_taken_by_one_of_two_runs_that_saw_it_waiting(receipt_queued: None) -> None:
    (seen_by_both,) = queue.due(delivery.BATCH, last=())
    assert queue.take(seen_by_both)
    assert not queue.take(seen_by_both)


@pytest.mark.parametrize("address", ["=?utf-8?q??=@x.fr", "=?utf-8?q?a=0Ab?=@x.fr", "nobody", ""])
def test_an_address_that_cannot_be_written_to_stops_no_other_mail(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], address: str
) -> None:
    box, settings = mailbox
    with write():
        queue.add("receipt:bad", "receipt", 1, address or "\r\n")
    OutboxMail.update(queued_at=NOW - timedelta(days=1), next_try_at=NOW - timedelta(days=1)).where(
        OutboxMail.key == "receipt:bad"
    ).execute()
    sent, failed = delivery.deliver(settings)
    assert sent + failed == 2
    assert [m["To"] for m in box.messages if "example.org" in m["To"]] == ["alice@example.org"]


def test_accents_before_the_at_sign_are_written_to_through_a_server_that_takes_them(
    alices_family: Family, mailbox: tuple[Mailbox, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, settings = mailbox
    with write():
        queue.add("change", "password_changed", alices_family.id, "He\u0301lène@École.fr")
    has_extn = smtplib.SMTP.has_extn
    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda _smtp, name: name != "smtputf8")
    assert delivery.deliver(settings) == (0, 1)
    assert OutboxMail.get().last_error == sentences.ACCENTED_ADDRESS
    monkeypatch.setattr(smtplib.SMTP, "has_extn", has_extn)
    queue.requeue()
    assert delivery.deliver(settings) == (1, 0)
    assert "To: Hélène@xn--cole-9oa.fr\r\n".encode() in box.raw[0]


def test_a_towns_own_accented_domain_is_written_as_servers_want_it(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a server that takes no accents would refuse every mail."""
    box, settings = mailbox
    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda _smtp, name: name != "smtputf8")
    settings = replace(
        settings,
        mail=replace(settings.mail, sender="kiosque@Orléans.example.org"),
        town=replace(settings.town, contact_email="enfance@orléans.example.org"),
    )
    assert delivery.deliver(settings) == (1, 0)
    (message,) = box.messages
    assert message["From"].addresses[0].addr_spec == "kiosque@xn--orlans-dva.example.org"
    assert message["Reply-To"] == "enfance@xn--orlans-dva.example.org"
    assert message["Message-ID"].endswith("@xn--orlans-dva.example.org>")


@pytest.mark.slow
def test_weeks_of_outage_lose_nothing_and_delay_nothing_afterwards(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    _, settings = mailbox
    down = replace(settings, mail=replace(settings.mail, port=1))
    for _ in range(58):
        frozen.advance(hours=12)
        assert delivery.deliver(down) == (0, 1)
        queue.forget_old_addresses()
    assert (OutboxMail.get().tries, queue.count_given_up()) == (0, 0)
    frozen.advance(minutes=1)
    assert delivery.deliver(settings) == (1, 0)


def test_no_address_is_kept_more_than_thirty_days(receipt_queued: None, frozen: Clock) -> None:
    frozen.advance(days=30, seconds=1)
    queue.forget_old_addresses()
    row = OutboxMail.get()
    assert (row.recipient, row.state, row.last_error) == ("", "failed", "TooLate")
    assert queue.requeue() == 0


def test_what_the_server_puts_off_for_days_is_given_up_and_can_be_sent_again(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    box.refuse = "451 4.3.0 alice@example.org later"
    for _ in range(10):
        assert delivery.deliver(settings) == (0, 1)
        assert queue.count_given_up() == 0
        frozen.advance(hours=12)
    delivery.deliver(settings)
    assert (queue.count_waiting(), queue.count_given_up()) == (0, 1)
    assert OutboxMail.get().last_error == "451 4.3.0"
    frozen.advance(hours=12)
    assert delivery.deliver(settings) == (0, 0)
    box.refuse = ""
    assert queue.requeue([OutboxMail.get().id]) == 1
    assert delivery.deliver(settings) == (1, 0)
    assert box.recipients() == ["alice@example.org"]


def test_an_address_refused_for_good_is_given_up_at_once_and_stops_no_other(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    box.unknown["nobody@example.org"] = "550 5.1.1 <nobody@example.org> unknown"
    with write():
        queue.add("receipt:bad", "receipt", 1, "nobody@example.org")
    OutboxMail.update(next_try_at=NOW - timedelta(days=1)).where(
        OutboxMail.key == "receipt:bad"
    ).execute()
    assert delivery.deliver(settings) == (1, 1)
    (row,) = queue.troubled()
    assert (row.key, row.state, row.last_error) == ("receipt:bad", "failed", "550 5.1.1")
    assert box.recipients() == ["alice@example.org"]


def test_a_refusal_that_is_about_us_is_tried_again(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    box.unknown["alice@example.org"] = "554 5.7.1 Relay access denied"
    assert delivery.deliver(settings) == (0, 1)
    assert (queue.count_given_up(), OutboxMail.get().last_error) == (0, "554 5.7.1")
    box.unknown.clear()
    frozen.advance(minutes=2)
    assert delivery.deliver(settings) == (1, 0)


def test_each_try_of_a_mail_bears_the_same_name_and_no_other_mail_bears_it(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    delivery.deliver(settings)
    OutboxMail.update(state="waiting", recipient="alice@example.org").execute()
    with write():
        queue.add("receipt:other", "receipt", 1, "alice@example.org")
    frozen.advance(minutes=10)
    delivery.deliver(settings)
    names = [message["Message-ID"] for message in box.messages]
    assert len(names) == 3
    assert len(set(names)) == 2


def test_one_connection_carries_a_whole_run_and_a_cut_one_is_made_again(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    with write():
        for number in range(10):
            queue.add(f"receipt:more{number}", "receipt", 1, f"more{number}@example.org")
    box.unknown["more4@example.org"] = "421 4.7.0 too many messages"
    assert delivery.deliver(settings) == (10, 1)
    assert box.connections == 2


def test_an_overlong_run_leaves_the_rest_to_the_next(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, settings = mailbox
    monkeypatch.setattr(delivery, "RUN_SECONDS", -1)
    assert delivery.deliver(settings) == (0, 0)
    assert queue.count_waiting() == 1


def test_a_receipt_is_text_and_html_that_fetches_nothing(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    delivery.deliver(settings)
    (message,) = box.messages
    html = html_of(message)
    (paper,) = message.iter_attachments()
    assert paper.get_filename() == "recu-R000001.pdf"
    assert paper.get_content().startswith(b"%PDF-")
    for words in ('<html lang="fr">', "R000001", "45,20\u00a0€", "famille Martin", "Acquitté."):
        assert words in html
    assert not re.search(r"<img|<script|<link|src=|url\(|@import", html)
    assert message["List-Unsubscribe"] is None
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_familys_name_cannot_forge_a_header_nor_a_tag(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    Family.update(name="<b>X\r\nBcc: charlie@example.org\r\n\r\n").execute()
    assert delivery.deliver(settings) == (1, 0)
    (message,) = box.messages
    assert message["Bcc"] is None
    assert "<b>" not in html_of(message)
    assert box.recipients() == ["alice@example.org"]


def test_what_is_left_when_told_to_stop_is_sent_the_next_time(
    receipt_queued: None, mailbox: tuple[Mailbox, Settings]
) -> None:
    _, settings = mailbox
    assert delivery.deliver(settings, stopped=lambda: True) == (0, 0)
    assert delivery.deliver(settings) == (1, 0)


def test_no_network_happens_inside_a_transaction(
    receipt_queued: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def refuse(*_: object) -> None:
        with write():  # fails when a transaction is open
            seen.append("free")
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(smtplib.SMTP, "connect", refuse)
    delivery.deliver(replace(settings, mail=replace(settings.mail, host="mail.example.org")))
    assert seen == ["free"]


def test_the_demo_writes_files_instead(receipt_queued: None, settings: Settings) -> None:
    delivery.deliver(settings)
    (path,) = (settings.data / "outbox").iterdir()
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["To"] == "alice@example.org"


def test_the_regisseur_is_told_of_what_needs_him(
    alices_family: Family, pay: Any, gateway: Gateway, mailbox: tuple[Mailbox, Settings]
) -> None:
    _, handoff = pay(alices_family, make_invoice(alices_family, "2026-10-0001"))
    fields = notice(handoff, amount="9999", effective_amount="9999")
    payments.record("banque", gateway.read_notification(Callback.of_form(fields.items())), ISSUERS)
    box, settings = mailbox
    delivery.deliver(settings)
    (message,) = box.messages
    assert message["To"] == "regie@sautron.example.org"
    assert "99,99\u00a0€" in text_of(message)


def test_without_an_address_for_the_regisseur_the_list_is_enough(
    alices_family: Family, pay: Any, gateway: Gateway, mailbox: tuple[Mailbox, Settings]
) -> None:
    _, handoff = pay(alices_family, make_invoice(alices_family, "2026-10-0001"))
    fields = notice(handoff, trans_status="INVENTED")
    payments.record("banque", gateway.read_notification(Callback.of_form(fields.items())), ISSUERS)
    box, settings = mailbox
    delivery.deliver(replace(settings, regie=replace(settings.regie, email="")))
    assert (box.messages, queue.count_waiting()) == ([], 0)
    assert len(payments.open_anomalies()) == 1
