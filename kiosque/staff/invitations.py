"""The link by which an agent chooses a password, and associates a telephone if there is none yet.

It serves once, for a day. Its secret is drawn when its mail leaves, or when a command prints it:
none waits in the database.
"""

import secrets
from datetime import timedelta

from peewee import Expression, ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Staff, StaffInvitation
from kiosque.families import hashing, passwords, throttle, tokens
from kiosque.families.passwords import Unsuitable
from kiosque.families.throttle import Bucket, Limit
from kiosque.families.tokens import LINK_LEAVES_WITHIN, digest_of
from kiosque.language import clock
from kiosque.outbox import queue
from kiosque.settings import Settings
from kiosque.staff import events, second_factor, sessions
from kiosque.staff.events import Action, Actor

LIFETIME = timedelta(hours=24)
#: Passwords and codes proposed by one link, taken or refused: each costs a judgement or a hash.
PROPOSALS = Limit("staff-invitation", 10, timedelta(minutes=1), timedelta(hours=1))


class WrongCode(Exception):
    """The telephone does not show this code, or it has served; nothing was done."""


def prepare(staff: Staff, by: Actor) -> StaffInvitation:
    """Make the agent's only link, as part of the transaction under way. Its secret is known to
    nobody until `draw_link`."""
    require_write()
    ModelDelete(StaffInvitation).where(
        StaffInvitation.staff == staff, StaffInvitation.used_at.is_null()
    ).execute()
    events.add(Action.INVITED, by, staff.email)
    now = clock.now()
    return StaffInvitation.create(
        digest=digest_of(secrets.token_urlsafe(32)),
        staff=staff,
        issued_at=now,
        expires_at=now + LIFETIME,
    )


def send(staff: Staff, by: Actor) -> None:
    """Prepare a link and queue its mail, as part of the transaction under way."""
    invitation = prepare(staff, by)
    queue.add(queue.new_key("staff-invitation"), "staff_invitation", invitation.id, staff.email)


def renew(staff: Staff, by: Actor) -> None:
    """Send a new link, by which the agent chooses another password. The present one works until
    then."""
    with write():
        send(staff, by)


def dissociate(staff: Staff, by: Actor) -> None:
    """Send a new link to an agent who has lost the telephone and the recovery codes. These and the
    password stop working at once, and every session ends."""
    with write():
        forget_telephone(staff, by)
        send(staff, by)


def forget_telephone(staff: Staff, by: Actor) -> None:
    """Take the agent's second factor and password away, as part of the transaction under way."""
    require_write()
    nonce = second_factor.new_nonce()
    gone = {"totp_nonce": nonce, "enrolled_at": None, "password_hash": ""}
    Staff.update(gone).where(Staff.id == staff.id).execute()
    sessions.end_all(staff)
    events.add(Action.SECOND_FACTOR_RESET, by, staff.email)


def draw_link(invitation_id: int) -> str | None:
    """Draw the secret of a link, 256 bits, for the mail that leaves now; a secret drawn before no
    longer opens anything. Returns None when the link is cancelled, has served, or is too old."""
    secret, now = secrets.token_urlsafe(32), clock.now()
    with write():
        drawn: int = (
            StaffInvitation.update(digest=digest_of(secret), expires_at=now + LIFETIME)
            .where(
                StaffInvitation.id == invitation_id,
                StaffInvitation.used_at.is_null(),
                StaffInvitation.issued_at > now - LINK_LEAVES_WITHIN,
            )
            .execute()
        )
    return secret if drawn else None


def find(secret: str) -> StaffInvitation | None:
    """Return the invitation, with its agent, of a link that can still serve."""
    found: StaffInvitation | None = (
        StaffInvitation.select(StaffInvitation, Staff)
        .join(Staff)
        .where(
            StaffInvitation.digest == digest_of(secret),
            StaffInvitation.used_at.is_null(),
            StaffInvitation.expires_at > clock.now(),
            Staff.closed_at.is_null(),
        )
        .first()
    )
    return found


def take(
    invitation: StaffInvitation, password: str, code: str, settings: Settings, network: str
) -> list[str]:
    """Set the agent's password, once the telephone has shown its code, and end every session.
    Returns ten recovery codes in clear, this once, for a telephone that was not associated yet;
    none for another.

    Raises Unsuitable, WrongCode, Spent, TooManyTries, Busy; then nothing has changed.
    """
    staff, bucket = invitation.staff, Bucket(PROPOSALS, str(invitation.id))
    throttle.require_free(bucket)
    throttle.count_try(bucket)
    if fault := passwords.fault(password, [staff.email], settings.town):
        raise Unsuitable(fault)
    with hashing.changes.enter():
        password_hash = hashing.hash_password(password)
    with write():
        tokens.redeem(invitation)
        if not second_factor.take_code(staff, code, settings.secret_key):
            raise WrongCode
        codes = [] if staff.enrolled_at else second_factor.draw_recovery_codes(staff)
        Staff.update(
            password_hash=password_hash, enrolled_at=staff.enrolled_at or clock.now()
        ).where(Staff.id == staff.id).execute()
        sessions.end_all(staff)
        events.add(Action.INVITATION_TAKEN, Actor(staff, network), staff.email)
    return codes


def past() -> Expression:
    """Select the links that can no longer serve."""
    return tokens.past(StaffInvitation)


def purge() -> None:
    """Erase the links that can no longer serve."""
    with write():
        ModelDelete(StaffInvitation).where(past()).execute()
