"""Send mails: by a command, never by a page. What is queued is in `outbox`.

A mail server that is down loses nothing and delays no page: what is queued waits. A mail that
the server puts off is tried again at growing intervals; one that it refuses for good is given
up, shown by the command `mails`, and stops no other.
"""

import contextlib
import hashlib
import re
import smtplib
import ssl
import time
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol

from kiosque.db import require_no_write
from kiosque.db.models import OutboxMail
from kiosque.invoices import announcements
from kiosque.mails import rendering
from kiosque.mails.rendering import KINDS, OPTIONAL, RenderedMail
from kiosque.outbox import addresses, queue
from kiosque.settings import Mail, Settings

#: Under this name `leases` keeps when mails were last sent; no run waits for another.
LEASE = "send-mail"
TIMEOUT_SECONDS = 15
BATCH = 50
#: The timer starts a run each minute: a long run stops taking mails before the next begins.
RUN_SECONDS = 45


class ServerDown(Exception):
    """No mail can leave now, whoever it is for; the text is the failure in a word."""


class Rejected(Exception):
    """The server will never take this mail; the text is its code, without any address."""


class Carrier(Protocol):
    """Something that takes messages away."""

    def send(self, row: OutboxMail, recipient: str, message: EmailMessage) -> None:
        """Take one message. Raises ServerDown, Rejected, or whatever may pass with time."""

    def close(self) -> None: ...


class _Policy(EmailPolicy):
    """Keep addresses and identifiers on one line: the library would fold a long one into encoded
    words, which no mail program reads there."""

    _WHOLE = frozenset({"List-Unsubscribe", "Message-ID"})

    def fold(self, name: str, value: str) -> str:
        if name in self._WHOLE:
            return f"{name}: {value}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        if name in self._WHOLE:
            return self.fold(name, value).encode("ascii")
        return bytes(super().fold_binary(name, value))


def deliver(settings: Settings, *, stopped: Callable[[], bool] = lambda: False) -> tuple[int, int]:
    """Send what waits, at most BATCH, for RUN_SECONDS, or until stopped. Returns (sent, failed).

    Safe to run twice at once. Nothing of the network happens inside a transaction: each mail
    is first taken for a while, so that two runs do not send it twice.
    """
    require_no_write()
    sent = failed = 0
    end = time.monotonic() + RUN_SECONDS
    carrier = _carrier(settings)
    # A file, which the demo writes, wakes nobody.
    wait = OPTIONAL if settings.mail.host and announcements.is_quiet() else ()
    with contextlib.closing(carrier):
        for row in queue.due(BATCH, last=OPTIONAL, without=wait):
            if stopped() or time.monotonic() > end:
                break
            if not queue.take(row):
                continue
            try:
                sent += _send(settings, row, carrier)
            except ServerDown as error:
                queue.release(row, str(error))
                failed += 1
                break
            except Rejected as error:
                queue.give_up(row, str(error))
                failed += 1
            except Exception as error:  # noqa: BLE001  # one bad mail must not stop the others
                queue.retry_later(row, word_of(error))
                failed += 1
    return sent, failed


def _send(settings: Settings, row: OutboxMail, carrier: Carrier) -> bool:
    """Send one mail. Returns False if it no longer has anything to say, or has no recipient."""
    regie = queue.regie_in(row.recipient)
    recipient = row.recipient if regie is None else settings.regie_named(regie).email
    # No address for the régisseur: the list of the `todo` command is enough.
    mail = _render(settings, row) if recipient else None
    if mail is None:
        queue.drop(row)
        return False
    recipient = addresses.kept(recipient)  # one queued by an earlier version may be in another form
    carrier.send(row, recipient, _message(settings, row, recipient, mail))
    queue.mark_sent(row)
    return True


def _render(settings: Settings, row: OutboxMail) -> RenderedMail | None:
    """Draw the secret of the mail's link, if it has one, and render it. Returns None if the link is
    no longer valid, or if the mail no longer has anything to say."""
    draw = KINDS[row.template].link
    if draw is None:
        return rendering.render_mail(settings, row)
    secret = draw(row.object_id)
    return rendering.render_mail(settings, row, secret) if secret else None


def _message(
    settings: Settings, row: OutboxMail, recipient: str, mail: RenderedMail
) -> EmailMessage:
    message = EmailMessage(policy=_Policy())
    sender = addresses.kept(settings.mail.sender)
    message["From"] = Address(settings.town.name, addr_spec=sender)
    message["To"] = _to(recipient)
    message["Reply-To"] = addresses.kept(settings.town.contact_email)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(row.queued_at)
    # The same at each try: if an earlier one left without our knowing it, readers show it once.
    domain = sender.partition("@")[2]
    again = row.tries if KINDS[row.template].link else ""  # each try has a link of its own
    secret = f"{settings.secret_key}:{row.key}:{again}".encode()
    message["Message-ID"] = f"<{hashlib.sha256(secret).hexdigest()[:40]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # Exchange does not know RFC 3834
    if mail.stop_url:  # RFC 8058
        message["List-Unsubscribe"] = f"<{mail.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Quoted-printable passes every relay unchanged: a signature made on the way stays valid.
    message.set_content(mail.text, cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.paper:
        message.add_attachment(
            mail.paper.content, maintype="application", subtype="pdf", filename=mail.paper.name
        )
    return message


def _to(recipient: str) -> Address:
    """Return the recipient as an Address, which the library does not parse: in a plain text it
    would look for encoded words."""
    try:
        if recipient.isascii() or addresses.normal(recipient) != recipient:
            return Address(addr_spec=recipient)
        # The library cannot parse an address with accents, but can write it for a server that takes
        # them.
        username, _, domain = recipient.rpartition("@")
        return Address(username=username, domain=domain)
    except Exception:  # noqa: BLE001  # the library raises a dozen kinds for a wrong address
        raise Rejected("adresse invalide") from None


def _carrier(settings: Settings) -> Carrier:
    return _Smtp(settings.mail) if settings.mail.host else _Folder(settings.data / "outbox")


def connect(mail: Mail, seconds: float = TIMEOUT_SECONDS) -> smtplib.SMTP:
    """Return a server ready to take mails: encrypted, its certificate verified, signed in, as the
    settings say. Raises OSError, of which every failure of smtplib is one."""
    context = ssl.create_default_context()
    smtp: smtplib.SMTP | None = None
    try:
        if mail.security == "tls":
            smtp = smtplib.SMTP_SSL(mail.host, mail.port, timeout=seconds, context=context)
        else:
            smtp = smtplib.SMTP(mail.host, mail.port, timeout=seconds)
        if mail.security == "starttls":
            smtp.starttls(context=context)
        if mail.username:
            smtp.login(mail.username, mail.password)
    except OSError:
        if smtp:
            smtp.close()
        raise
    return smtp


class _Smtp:
    """One connection for a whole run, opened at the first mail, and again when it breaks."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._smtp: smtplib.SMTP | None = None

    def send(self, _row: OutboxMail, recipient: str, message: EmailMessage) -> None:
        self._smtp = self._smtp or self._connect()
        try:
            self._smtp.send_message(message, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as error:
            (answer,) = error.recipients.values()
            self._raise(*answer)
        except smtplib.SMTPSenderRefused as error:
            self.close()
            raise ServerDown(
                f"expéditeur refusé {_code(error.smtp_code, error.smtp_error)}"
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise Rejected("adresse à lettres accentuées") from None
        except smtplib.SMTPResponseException as error:
            self._raise(error.smtp_code, error.smtp_error)
        except OSError:  # cut or silent: whether the mail has left is not known
            self.close()
            raise

    def _connect(self) -> smtplib.SMTP:
        try:
            return connect(self._mail)
        except OSError as error:  # every failure of smtplib is one
            raise ServerDown(word_of(error)) from None

    def _raise(self, code: int, text: bytes | str) -> None:
        """Raise Rejected for a permanent refusal, SMTPResponseException for a temporary one. A
        refusal of policy (5.7) counts as temporary: it is about us, not about the mail, as when a
        relay is not yet open to us or an SPF record is missing."""
        answer = _code(code, text)
        if code == 421:  # the server hangs up
            self.close()
        if code >= 500 and " 5.7." not in answer:
            raise Rejected(answer)
        raise smtplib.SMTPResponseException(code, text)

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp:
            with contextlib.suppress(OSError):
                smtp.quit()
            smtp.close()


class _Folder:
    """Files instead of mails, for the demo and tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, row: OutboxMail, _recipient: str, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{row.queued_at:%Y-%m-%dT%H%M%S}-{row.key.replace(':', '-')}.eml"
        (self._folder / name).write_bytes(message.as_bytes())

    def close(self) -> None:
        pass


def word_of(error: Exception) -> str:
    """Return the failure without what a server wrote, which may quote an address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _code(error.smtp_code, error.smtp_error)
    return type(error).__name__


def _code(code: int, text: bytes | str) -> str:
    """Return the server's answer without its words, as `550 5.1.1`."""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    enhanced = re.match(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\b", words)
    return f"{code} {enhanced[0]}" if enhanced else str(code)
