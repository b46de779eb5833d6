"""Signing in to the town hall's side, in two steps: a password, then a code.

Delays grow as they do for families, by account and by network address; the counters are agents'
own.
"""

from dataclasses import replace
from enum import StrEnum

from kiosque.db import write
from kiosque.db.models import Staff, StaffSession
from kiosque.families import hashing, throttle
from kiosque.families.signin import Visitor
from kiosque.families.throttle import Bucket
from kiosque.outbox import addresses
from kiosque.staff import accounts, events, second_factor, sessions
from kiosque.staff.events import Action, Actor

ACCOUNT = replace(throttle.ACCOUNT, kind="staff-account")
ADDRESS = replace(throttle.ADDRESS, kind="staff-address")
#: Tries of a code for one agent, after the right password: three codes in a million are right at
#: any moment.
CODE = replace(throttle.ACCOUNT, kind="staff-code")


class Proof(StrEnum):
    """The second factor that an agent gave: a code of the telephone, or a recovery code."""

    TELEPHONE = "telephone"
    RECOVERY = "recovery"


def attempt(email: str, password: str, network: str) -> str | None:
    """Begin a session, half way, with this address and password. Returns its number, None when
    they do not go together.

    Raises TooManyTries when the visitor must wait first and Busy when the site is flooded, in
    both cases without looking at the password. An unknown address is counted, delayed and timed
    like a known one.
    """
    account = Bucket(ACCOUNT, addresses.key(email))
    from_here = Visitor(network).buckets(ADDRESS)
    throttle.require_free(account, *from_here)
    with hashing.strangers.place() as inside:
        throttle.count_try(account, *from_here)
        with inside:
            staff = accounts.authenticate(email, password)
    if staff is None:
        events.note(Action.REFUSED, Actor(accounts.find(email), network), reason="mot de passe")
        return None
    with write():
        throttle.count_success(reset=[account], refund=from_here)
        return sessions.begin(staff, proved=False)


def finish(
    session: StaffSession, code: str, key: str, network: str
) -> tuple[str, Proof] | tuple[None, None]:
    """Make a session that is half way a whole one, under a number of its own, with the code of the
    telephone or a recovery code. Returns the number, and which it was; twice None when the code is
    wrong or has served. Raises TooManyTries. `key` is the site's own."""
    staff, bucket = session.staff, _count(session)
    with write():
        proof = _take(staff, code, key, network, bucket)
        if proof is None:
            return None, None
        sessions.end(session)
        events.add(Action.SIGNED_IN, Actor(staff, network), staff.email)
        return sessions.begin(staff, proved=True), proof


def prove(session: StaffSession, code: str, key: str, network: str) -> Proof | None:
    """Note that who holds a whole session has shown a code now. Returns None when it is wrong or
    has served. Raises TooManyTries."""
    bucket = _count(session)
    with write():
        proof = _take(session.staff, code, key, network, bucket)
        if proof:
            sessions.prove(session)
    return proof


def _count(session: StaffSession) -> Bucket:
    """Count a code before it is looked at. Raises TooManyTries."""
    bucket = Bucket(CODE, str(session.staff_id))
    throttle.count_try(bucket)
    return bucket


def _take(staff: Staff, code: str, key: str, network: str, bucket: Bucket) -> Proof | None:
    """Use a code up, of either kind, or note that it was wrong."""
    by = Actor(staff, network)
    if second_factor.take_code(staff, code, key):
        proof = Proof.TELEPHONE
    elif second_factor.take_recovery_code(staff, code):
        events.add(Action.RECOVERY_USED, by, staff.email)
        proof = Proof.RECOVERY
    else:
        events.add(Action.REFUSED, by, staff.email, reason="code")
        return None
    throttle.count_success(reset=[bucket])
    return proof
