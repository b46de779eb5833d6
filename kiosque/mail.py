"""E-mail: queued in the transaction that needs it, sent by a command, never by a page.

A mail server that is down loses nothing and delays no page: what is queued waits, and is
tried again at growing intervals.
"""

import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

from kiosque import clock, documents
from kiosque.config import Mail, Settings
from kiosque.database import require_write, write
from kiosque.models import OutboxMail

#: Stands for the régisseur's address, which the settings give when the mail leaves.
REGIE = "regie"
#: A mail taken by a process that died is taken again after this.
LEASE = timedelta(minutes=5)
TIMEOUT_SECONDS = 15
BATCH = 50


def queue(key: str, template: str, object_id: int, recipient: str) -> None:
    """Queue a mail once for its key, as part of the transaction under way."""
    require_write()
    now = clock.now()
    OutboxMail.insert(
        key=key,
        template=template,
        object_id=object_id,
        recipient=recipient,
        queued_at=now,
        next_try_at=now,
    ).on_conflict_ignore().execute()


def deliver(settings: Settings, *, stopped: Callable[[], bool] = lambda: False) -> tuple[int, int]:
    """Send what waits, at most BATCH, or until stopped. Returns (sent, failed).

    Safe to run twice at once. Nothing of the network happens inside a transaction: each mail
    is first taken for the time of LEASE, so that two runs do not send it twice.
    """
    sent = failed = 0
    for row in _due():
        if stopped() or not _take(row):
            continue
        try:
            _send(settings, row)
        except Exception as error:  # noqa: BLE001  # one bad mail must not stop the others
            _put_back(row, type(error).__name__)
            failed += 1
        else:
            _done(row)
            sent += 1
    return sent, failed


def waiting() -> int:
    """How many mails are still to be sent."""
    return OutboxMail.select().where(OutboxMail.sent_at.is_null()).count()


def _due() -> list[OutboxMail]:
    return list(
        OutboxMail.select()
        .where(OutboxMail.sent_at.is_null(), OutboxMail.next_try_at <= clock.now())
        .order_by(OutboxMail.next_try_at)
        .limit(BATCH)
    )


def _take(row: OutboxMail) -> bool:
    with write():
        taken: int = (
            OutboxMail.update(next_try_at=clock.now() + LEASE, tries=row.tries + 1)
            .where(OutboxMail.id == row.id, OutboxMail.next_try_at == row.next_try_at)
            .execute()
        )
    return taken == 1


def _put_back(row: OutboxMail, error: str) -> None:
    """Try again after 1, 2, 4... minutes, at most every 6 hours."""
    pause = min(timedelta(minutes=2 ** min(row.tries, 9)), timedelta(hours=6))
    with write():
        OutboxMail.update(next_try_at=clock.now() + pause, last_error=error).where(
            OutboxMail.id == row.id
        ).execute()


def _done(row: OutboxMail) -> None:
    with write():
        OutboxMail.update(sent_at=clock.now(), recipient="", last_error="").where(
            OutboxMail.id == row.id
        ).execute()


def _send(settings: Settings, row: OutboxMail) -> None:
    recipient = settings.regie.email if row.recipient == REGIE else row.recipient
    if not recipient:
        return  # No address for the régisseur: the list of the `todo` command is enough.
    rendered = documents.render_mail(settings, row.template, row.object_id)
    if rendered is None:
        return  # What it was for is over: a link already replaced, or asked for too long ago.
    message = _message(settings, recipient, *rendered, row.queued_at)
    if settings.mail.host:
        _by_smtp(settings.mail, recipient, message)
    else:
        _to_file(settings.data / "outbox", row, message)


def _message(
    settings: Settings, recipient: str, subject: str, body: str, queued_at: datetime
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.mail.sender
    # An Address is taken as it is; plain text would be parsed for encoded words.
    message["To"] = Address(addr_spec=recipient)
    message["Reply-To"] = settings.town.contact_email
    message["Subject"] = subject
    message["Date"] = format_datetime(queued_at)
    message["Message-ID"] = make_msgid(domain=settings.mail.sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def _by_smtp(mail: Mail, recipient: str, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    connect = (
        smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_SECONDS, context=context)
        if mail.security == "tls"
        else smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_SECONDS)
    )
    with connect as smtp:
        if mail.security == "starttls":
            smtp.starttls(context=context)
        if mail.username:
            smtp.login(mail.username, mail.password)
        smtp.send_message(message, to_addrs=[recipient])


def _to_file(folder: Path, row: OutboxMail, message: EmailMessage) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{row.queued_at:%Y-%m-%dT%H%M%S}-{row.key.replace(':', '-')}.eml"
    (folder / name).write_bytes(message.as_bytes())
