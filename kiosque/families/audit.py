"""The security log: who came in or tried to, and what they changed.

It is apart from the accounting journal, and erased with age (CNIL 2021-122: six to twelve
months).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from peewee import JOIN, ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Family, SecurityEvent
from kiosque.language import clock

KEPT = timedelta(days=365)


class Event(StrEnum):
    """Something worth a line."""

    SIGNED_IN = "signed_in"
    REFUSED = "refused"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # the name of an event
    PASSWORD_ISSUED = "password_issued"  # noqa: S105
    ACTIVATION_ISSUED = "activation_issued"
    ACTIVATED = "activated"
    RESET_ASKED = "reset_asked"
    PASSWORD_RESET = "password_reset"  # noqa: S105
    EMAIL_ASKED = "email_asked"
    EMAIL_CHANGED = "email_changed"
    NEW_BROWSER_TOLD = "new_browser_told"
    DISOWNED = "disowned"
    NOTICES_STOPPED = "notices_stopped"
    NOTICES_RESUMED = "notices_resumed"


def note(event: Event, family: Family | None, address: str) -> None:
    """Write a line in a transaction of its own.

    `address` is the browser's network address, empty for the command line.
    """
    with write():
        add(event, family, address)


def add(event: Event, family: Family | None, address: str) -> None:
    """Write a line as part of the transaction under way, whose change it tells."""
    require_write()
    SecurityEvent.create(at=clock.now(), kind=event, family=family, address=address)


def read(since: datetime, family: Family | None = None) -> Iterable[SecurityEvent]:
    """Return the lines since then, the oldest first: all, or those of one family."""
    lines = (
        SecurityEvent.select(SecurityEvent, Family)
        .join(Family, JOIN.LEFT_OUTER)
        .where(SecurityEvent.at >= since)
        .order_by(SecurityEvent.at, SecurityEvent.id)
    )
    return lines.where(SecurityEvent.family == family) if family else lines


def purge() -> None:
    """Erase the lines older than KEPT."""
    with write():
        ModelDelete(SecurityEvent).where(SecurityEvent.at <= clock.now() - KEPT).execute()
