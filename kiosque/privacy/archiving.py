"""Archive a family that has gone: searches and mails leave it out, and nobody can sign in to it.
Nothing is erased; a file that names the family, or a click, brings it back."""

from kiosque.db import require_write, write
from kiosque.db.models import Account, Family
from kiosque.families import sessions, tokens
from kiosque.families.tokens import Purpose
from kiosque.language import clock
from kiosque.payments import Refused
from kiosque.privacy.dues import dues


def archive(family: Family) -> None:
    """Archive a family, and end its sessions and its links. Raises Refused while something is due
    either way."""
    with write():
        if due := dues(family):
            raise Refused(due)
        put_away(family)


def put_away(family: Family) -> None:
    """Archive a family with nothing due, as part of the transaction under way."""
    require_write()
    tokens.cancel(family, *Purpose)
    if account := Account.get_or_none(Account.family == family):
        sessions.end_all(account)
    Family.update(archived_at=clock.now()).where(Family.id == family.id).execute()


def bring_back(family: Family) -> None:
    """Bring an archived family back: its password works again."""
    with write():
        take_out(family)


def take_out(family: Family) -> None:
    """Bring a family back as part of the transaction under way."""
    require_write()
    Family.update(archived_at=None).where(Family.id == family.id).execute()
