"""Agents' sessions, kept by the server: a copied cookie dies with its session.

A session ends when its agent signs out, leaves it idle, is given a new password, telephone or no
way in any more, and after a working day whatever happens.
"""

import secrets
from datetime import timedelta

from peewee import Expression, ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Staff, StaffSession
from kiosque.db.prepared import PreparedQuery
from kiosque.families.tokens import digest_of
from kiosque.language import clock

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
#: Most time between the password and the code.
HALF_WAY = timedelta(minutes=10)
#: How long a code just given counts as fresh, for the pages that ask for a fresh one.
FRESH = timedelta(minutes=10)
#: Most sessions of one agent, and as many that still need a code; more end the oldest ones.
AT_ONCE = 10
#: A page seen sooner than this after another writes nothing.
_PRECISION = timedelta(minutes=1)


def begin(staff: Staff, *, proved: bool) -> str:
    """Begin a session as part of the transaction under way, the code `proved` or not yet. Returns
    its number, which only the browser keeps."""
    require_write()
    number, now = secrets.token_urlsafe(32), clock.now()
    # Somebody who has only the password must not end a session that gave a code.
    same = (StaffSession.staff == staff, StaffSession.proved_at.is_null(not proved))
    latest = (
        StaffSession.select(StaffSession.digest)
        .where(*same)
        .order_by(StaffSession.opened_at.desc())
        .limit(AT_ONCE - 1)
    )
    older = StaffSession.digest.not_in(latest)
    ModelDelete(StaffSession).where(*same, older).execute()
    StaffSession.create(
        digest=digest_of(number),
        staff=staff,
        opened_at=now,
        seen_at=now,
        proved_at=now if proved else None,
    )
    return number


def running(number: str) -> StaffSession | None:
    """Return a session that still runs, half way or whole, with its agent, and note that it was
    seen now. Returns None when it has ended."""
    now = clock.now()
    found: StaffSession | None = next(
        iter(
            _RUNNING.models(
                digest=digest_of(number),
                seen=now - IDLE,
                opened=now - LONGEST,
                half_way=now - HALF_WAY,
            )
        ),
        None,
    )
    agents = _AGENT.models(agent=found.staff_id) if found else []
    if found is None or not agents:
        return None
    found.staff = agents[0]
    if found.seen_at <= now - _PRECISION:
        with write():
            StaffSession.update(seen_at=now).where(StaffSession.digest == found.digest).execute()
    return found


_RUNNING = PreparedQuery(
    lambda digest, seen, opened, half_way: StaffSession.select().where(
        StaffSession.digest == digest,
        StaffSession.seen_at > seen,
        StaffSession.opened_at > opened,
        StaffSession.proved_at.is_null(False) | (StaffSession.opened_at > half_way),
    )
)
_AGENT = PreparedQuery(
    lambda agent: Staff.select().where(Staff.id == agent, Staff.closed_at.is_null())
)


def is_fresh(session: StaffSession) -> bool:
    """Tell whether its agent has shown a code a moment ago."""
    return bool(session.proved_at and session.proved_at > clock.now() - FRESH)


def prove(session: StaffSession) -> None:
    """Note that the agent has just shown a code, as part of the transaction under way."""
    require_write()
    StaffSession.update(proved_at=clock.now()).where(
        StaffSession.digest == session.digest
    ).execute()


def end(session: StaffSession) -> None:
    """End a session, as part of the transaction under way."""
    require_write()
    ModelDelete(StaffSession).where(StaffSession.digest == session.digest).execute()


def end_all(staff: Staff) -> None:
    """End every session of an agent, as part of the transaction under way."""
    require_write()
    ModelDelete(StaffSession).where(StaffSession.staff == staff).execute()


def past() -> Expression:
    """Select the sessions that have run out."""
    now = clock.now()
    return (StaffSession.seen_at <= now - IDLE) | (StaffSession.opened_at <= now - LONGEST)


def purge() -> None:
    """Erase the sessions that have run out."""
    with write():
        ModelDelete(StaffSession).where(past()).execute()
