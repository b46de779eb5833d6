"""The rows and files that are kept for a limited time. The timer of each minute (`send-mail`)
erases most of them; `forget` erases the others, and those left if that timer did not run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from peewee import Expression

from kiosque import payments
from kiosque.db.models import (
    Attempt,
    BankMessage,
    BaseModel,
    FamilyMerge,
    FamilyRequest,
    ImportChange,
    OutboxMail,
    SecurityEvent,
    Session,
    StaffEvent,
    StaffInvitation,
    StaffSession,
    Throttle,
    Token,
    Upload,
)
from kiosque.families import requests, security_log, sessions, throttle, tokens
from kiosque.invoices.imports import undo_log
from kiosque.invoices.uploads import storing
from kiosque.language import clock
from kiosque.outbox import queue
from kiosque.privacy import merging
from kiosque.settings import Settings
from kiosque.staff import events, invitations
from kiosque.staff import sessions as staff_sessions

#: After this, a letter's codes have expired, and an export has been given to its family.
FILES_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Ageing:
    """Rows kept for a time: their French name, a condition for those past it, and their eraser."""

    words: str
    model: type[BaseModel]
    past: Callable[[], Expression]
    erase: Callable[[], object]

    def count(self) -> int:
        return int(self.model.select().where(self.past()).count())


AGEING = (
    Ageing("lignes du journal de sécurité", SecurityEvent, security_log.past, security_log.purge),
    Ageing("demandes de familles", FamilyRequest, requests.past, requests.purge),
    Ageing(
        "adresses de courriels jamais partis",
        OutboxMail,
        queue.past_addresses,
        queue.forget_old_addresses,
    ),
    Ageing("traces de courriels", OutboxMail, queue.past, queue.purge),
    Ageing("adresses de reçus", Attempt, payments.past_addresses, payments.forget_old_addresses),
    Ageing(
        "messages de banque refusés",
        BankMessage,
        payments.past_refused_messages,
        payments.forget_refused_messages,
    ),
    Ageing("codes et liens périmés", Token, tokens.past, tokens.purge),
    Ageing("sessions finies", Session, sessions.past, sessions.purge),
    Ageing("lignes du journal des actions", StaffEvent, events.past, events.purge),
    Ageing("liens d’agents périmés", StaffInvitation, invitations.past, invitations.purge),
    Ageing("sessions d’agents finies", StaffSession, staff_sessions.past, staff_sessions.purge),
    Ageing(
        "lignes gardées pour annuler un chargement", ImportChange, undo_log.past, undo_log.purge
    ),
    Ageing("fusions de familles", FamilyMerge, merging.past, merging.purge),
    Ageing("fichiers déposés, à charger ou chargés", Upload, storing.past, storing.purge),
    Ageing("essais comptés", Throttle, throttle.past, throttle.purge),
)


def old_files(settings: Settings) -> Iterable[Path]:
    """Return the letters, the exports and the deposited files that are older than FILES_KEPT under
    KIOSQUE_DATA."""
    oldest = (clock.now() - FILES_KEPT).timestamp()
    places = (("letters", "*.pdf"), ("exports", "*"), ("deposits", "*"))
    found = [path for folder, names in places for path in (settings.data / folder).glob(names)]
    return sorted(path for path in found if path.lstat().st_mtime < oldest)
