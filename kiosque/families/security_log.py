"""The security log: who came in or tried to, and what they changed.

It is apart from the accounting journal, and erased with age (CNIL 2021-122: six to twelve
months).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from peewee import JOIN, Expression, ModelDelete

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


#: The French words of each.
WORDS: Mapping[Event, str] = {
    Event.SIGNED_IN: "connexion",
    Event.REFUSED: "connexion ou activation refusée",
    Event.SIGNED_OUT: "déconnexion",
    Event.PASSWORD_CHANGED: "mot de passe changé",
    Event.PASSWORD_ISSUED: "mot de passe donné par la mairie",
    Event.ACTIVATION_ISSUED: "code d’activation donné par la mairie",
    Event.ACTIVATED: "compte ouvert avec la lettre",
    Event.RESET_ASKED: "lien demandé pour un nouveau mot de passe",
    Event.PASSWORD_RESET: "mot de passe remplacé par un lien",
    Event.EMAIL_ASKED: "changement d’adresse électronique demandé",
    Event.EMAIL_CHANGED: "adresse électronique changée",
    Event.NEW_BROWSER_TOLD: "connexion d’un nouveau navigateur, famille prévenue",
    Event.DISOWNED: "« ce n’était pas moi » : sessions fermées par la famille",
    Event.NOTICES_STOPPED: "avis par courriel arrêtés",
    Event.NOTICES_RESUMED: "avis par courriel repris",
}


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


def past() -> Expression:
    """Select the lines older than KEPT."""
    return SecurityEvent.at <= clock.now() - KEPT


def purge() -> None:
    """Erase the lines older than KEPT."""
    with write():
        ModelDelete(SecurityEvent).where(past()).execute()
