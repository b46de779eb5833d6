"""Who did what, and who read which family's record: a log apart from the accounts' journal.

The database refuses to change a line, and to erase one of the last year; older ones are erased with
age (CNIL 2021-122: six to twelve months).
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from peewee import JOIN, Expression, ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Staff, StaffEvent
from kiosque.language import clock

KEPT = timedelta(days=365)
#: Lines of a page.
PAGE = 50


class Action(StrEnum):
    """Something that an agent did, or tried."""

    SIGNED_IN = "signed_in"
    REFUSED = "refused"
    SIGNED_OUT = "signed_out"
    RECOVERY_USED = "recovery_used"
    RECOVERY_RENEWED = "recovery_renewed"
    INVITED = "invited"
    INVITATION_TAKEN = "invitation_taken"
    SECOND_FACTOR_RESET = "second_factor_reset"
    ROLE_GIVEN = "role_given"
    ROLE_ENDED = "role_ended"
    CLOSED = "closed"
    FAMILIES_SEARCHED = "families_searched"
    FAMILY_READ = "family_read"
    LOG_READ = "log_read"


#: The French words of each.
WORDS: Mapping[Action, str] = {
    Action.SIGNED_IN: "connexion",
    Action.REFUSED: "connexion refusée",
    Action.SIGNED_OUT: "déconnexion",
    Action.RECOVERY_USED: "code de secours utilisé",
    Action.RECOVERY_RENEWED: "nouveaux codes de secours",
    Action.INVITED: "lien de connexion envoyé",
    Action.INVITATION_TAKEN: "mot de passe choisi par le lien",
    Action.SECOND_FACTOR_RESET: "téléphone dissocié",
    Action.ROLE_GIVEN: "rôle donné",
    Action.ROLE_ENDED: "rôle retiré",
    Action.CLOSED: "accès fermé",
    Action.FAMILIES_SEARCHED: "recherche de familles",
    Action.FAMILY_READ: "fiche de famille lue",
    Action.LOG_READ: "journal des actions lu",
}


class Actor(NamedTuple):
    """Whose act it is: an agent, and the network address of the browser. None for a command or for
    somebody unknown."""

    staff: Staff | None
    network: str = ""


#: Somebody at a terminal of the town's machine.
TERMINAL = Actor(None)


def note(action: Action, by: Actor, about: str = "", reason: str = "") -> None:
    """Write a line in a transaction of its own."""
    with write():
        add(action, by, about, reason)


def add(action: Action, by: Actor, about: str = "", reason: str = "") -> None:
    """Write a line as part of the transaction under way, whose change it tells. `about` is what it
    was done to: an agent's address, a *code famille*."""
    require_write()
    StaffEvent.create(
        at=clock.now(),
        staff=by.staff,
        network=by.network,
        action=action,
        object=about,
        reason=reason,
    )


def page(before: int | None = None) -> tuple[list[StaffEvent], int | None]:
    """Return the lines of a page, the newest first, and what the next page is `before`, None on the
    last. `before` is the number of a line."""
    lines = StaffEvent.select(StaffEvent, Staff).join(Staff, JOIN.LEFT_OUTER)
    if before is not None:
        lines = lines.where(StaffEvent.id < before)
    found = list(lines.order_by(StaffEvent.id.desc()).limit(PAGE + 1))
    shown = found[:PAGE]
    return shown, shown[-1].id if len(found) > PAGE else None


def past() -> Expression:
    """Select the lines older than KEPT."""
    return StaffEvent.at <= clock.now() - KEPT


def purge() -> None:
    """Erase the lines older than KEPT."""
    with write():
        ModelDelete(StaffEvent).where(past()).execute()
