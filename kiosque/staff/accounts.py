"""Agents' accounts: made, found, closed."""

from kiosque.db import require_write, write
from kiosque.db.models import Staff
from kiosque.families import hashing
from kiosque.language import clock
from kiosque.outbox import addresses
from kiosque.payments import Refused
from kiosque.staff import events, roles, second_factor, sessions
from kiosque.staff.events import Action, Actor


def find(email: str) -> Staff | None:
    """Return the agent of this address, however it is written."""
    found: Staff | None = Staff.get_or_none(Staff.email == addresses.key(email))
    return found


def every() -> list[Staff]:
    """Return the agents who have a way in, then the others, in the order of their addresses."""
    return list(Staff.select().order_by(Staff.closed_at.is_null(False), Staff.email))


def obtain(email: str) -> Staff:
    """Return the agent of this address, made if there is none and opened again if closed, as part
    of the transaction under way."""
    require_write()
    staff = find(email)
    if staff is None:
        nonce = second_factor.new_nonce()
        return Staff.create(email=addresses.key(email), totp_nonce=nonce, added_at=clock.now())
    Staff.update(closed_at=None).where(Staff.id == staff.id).execute()
    return staff


def authenticate(email: str, password: str) -> Staff | None:
    """Return the agent that this address and password are of, or None. Takes as long when the
    address is unknown."""
    staff = find(email)
    held = staff.password_hash if staff and not staff.closed_at else ""
    right = hashing.matches(held or hashing.decoy(), password)
    return staff if right and held else None


def close(staff: Staff, by: Actor) -> None:
    """Close an agent's way in, for good unless he is invited again: roles, sessions, password and
    telephone end. Raises Refused for oneself, and for the last administrator."""
    if by.staff == staff:
        raise Refused(["Personne ne ferme son propre accès."])
    with write():
        roles.require_another_administrator(staff)
        now = clock.now()
        roles.end_all(staff)
        sessions.end_all(staff)
        Staff.update(
            closed_at=now, password_hash="", enrolled_at=None, totp_nonce=second_factor.new_nonce()
        ).where(Staff.id == staff.id).execute()
        events.add(Action.CLOSED, by, staff.email)
