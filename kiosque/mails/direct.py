"""Send one mail at once, straight to the server: neither the outbox nor the database is needed, and
either may be what is broken."""

import contextlib
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

from kiosque.language import clock
from kiosque.mails import delivery
from kiosque.settings import Mail

SECONDS = 30


class NotSent(Exception):
    """The server did not take the mail; the text is why, in a word or a code."""


def send(settings: Mail, data: Path, message: EmailMessage) -> None:
    """Send a message that already has its addresses; write it as a file under `data` if the
    settings name no server. Raises NotSent."""
    domain = settings.sender.rpartition("@")[2]
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    try:
        if settings.host:
            _post(settings, message)
        else:
            _leave(data / "outbox", message)
    except OSError as error:  # every failure of smtplib is one
        raise NotSent(delivery.word_of(error)) from None


def _post(settings: Mail, message: EmailMessage) -> None:
    smtp = delivery.connect(settings, SECONDS)
    try:
        smtp.send_message(message)
    finally:
        with contextlib.suppress(OSError):
            smtp.quit()
        smtp.close()


def _leave(folder: Path, message: EmailMessage) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{clock.now():%Y-%m-%dT%H%M%S}-{message['Message-ID'].strip('<>')}.eml"
    (folder / name).write_bytes(message.as_bytes())
