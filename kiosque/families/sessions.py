"""Sessions kept by the server: a copied cookie dies with its session.

A session ends when its family signs out, changes its password, leaves it idle, or after half a
day whatever it does.
"""

import secrets
from datetime import timedelta
from functools import lru_cache

from peewee import Expression, ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Account, Family, Session
from kiosque.db.prepared import PreparedQuery
from kiosque.families.tokens import digest_of
from kiosque.language import clock

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
#: Most sessions of one account: more end the oldest ones, so that nobody can fill the disk.
AT_ONCE = 20
#: How long a password just given is not asked for again, on the pages that need it.
PROVED = timedelta(minutes=10)
#: A page seen sooner than this after another writes nothing.
_PRECISION = timedelta(minutes=1)
_digest = lru_cache(1000)(digest_of)


class Stale(Exception):
    """The password was changed after it was verified."""


def start(account: Account) -> str:
    """Begin a session in a transaction of its own; see `add`."""
    with write():
        return add(account)


def add(account: Account) -> str:
    """Begin a session as part of the transaction under way. Returns its number, which only the
    browser keeps.

    A provisional password just typed is not asked for again at once, when it is replaced.

    Raises Stale when the account's password is no longer the one that was just verified: its change
    ended every session, and this one must not outlive it.
    """
    require_current(account)
    number, now = secrets.token_urlsafe(32), clock.now()
    latest = (
        Session.select(Session.digest)
        .where(Session.account == account)
        .order_by(Session.opened_at.desc())
        .limit(AT_ONCE - 1)
    )
    ModelDelete(Session).where(Session.account == account, Session.digest.not_in(latest)).execute()
    Session.create(
        digest=_digest(number),
        account=account,
        opened_at=now,
        seen_at=now,
        proved_at=now if account.must_change_password else None,
    )
    today = clock.today()
    if account.signed_in_on != today:
        days = {"entered_at": account.entered_at or now, "signed_in_on": today}
        Account.update(days).where(Account.id == account.id).execute()
    return number


def require_current(account: Account) -> None:
    """Raise Stale unless the password just verified still is the account's."""
    require_write()
    verified = Account.select().where(
        Account.id == account.id, Account.password_hash == account.password_hash
    )
    if not verified.exists():
        raise Stale


def signed_in(number: str) -> Account | None:
    """Return the account of a session that still runs, with its family, and note that the session
    was seen now. Returns None when it has ended."""
    now, digest = clock.now(), _digest(number)
    found = _RUNNING.rows(digest=digest, idle=now - IDLE, longest=now - LONGEST)
    if not found:
        return None
    seen_at, *values = found[0]
    if seen_at <= now - _PRECISION:
        with write():
            Session.update(seen_at=now).where(Session.digest == digest).execute()
    account = Account(**dict(zip(_ACCOUNT, values, strict=False)))
    account.family = Family(**dict(zip(_FAMILY, values[len(_ACCOUNT) :], strict=True)))
    return account


_ACCOUNT, _FAMILY = Account._meta.fields, Family._meta.fields  # noqa: SLF001
_RUNNING = PreparedQuery(
    lambda digest, idle, longest: (
        Session.select(Session.seen_at, *_ACCOUNT.values(), *_FAMILY.values())
        .join(Account)
        .join(Family)
        .where(Session.digest == digest, Session.seen_at > idle, Session.opened_at > longest)
    )
)


def is_first(number: str) -> bool:
    """Tell whether this is the first session that its family has ever had."""
    opened = Session.select().join(Account).where(Session.digest == _digest(number))
    return opened.where(Session.opened_at == Account.entered_at).exists()


def prove(number: str) -> None:
    """Note that the holder of this session has just given the password."""
    with write():
        Session.update(proved_at=clock.now()).where(Session.digest == _digest(number)).execute()


def is_proved(number: str) -> bool:
    """Tell whether the holder of this session gave the password a moment ago. It is still the
    present one: a change would have ended the session."""
    since = clock.now() - PROVED
    return (
        Session.select().where(Session.digest == _digest(number), Session.proved_at > since)
    ).exists()


def forget_proofs(family: Family) -> None:
    """Make the family give its password again next time, as part of the transaction that it
    allowed."""
    require_write()
    own = Account.select().where(Account.family == family)
    Session.update(proved_at=None).where(Session.account.in_(own)).execute()


def end(number: str) -> None:
    with write():
        ModelDelete(Session).where(Session.digest == _digest(number)).execute()


def others(account: Account, number: str) -> int:
    """Count the sessions of the account that run in other browsers."""
    now = clock.now()
    return (
        Session.select()
        .where(
            Session.account == account,
            Session.digest != _digest(number),
            Session.seen_at > now - IDLE,
            Session.opened_at > now - LONGEST,
        )
        .count()
    )


def end_others(account: Account, number: str) -> None:
    """End every session of the account but this one."""
    with write():
        ModelDelete(Session).where(
            Session.account == account, Session.digest != _digest(number)
        ).execute()


def end_all(account: Account) -> None:
    """End every session of an account, as part of the transaction under way."""
    require_write()
    ModelDelete(Session).where(Session.account == account).execute()


def past() -> Expression:
    """Select the sessions that have run out."""
    now = clock.now()
    return (Session.seen_at <= now - IDLE) | (Session.opened_at <= now - LONGEST)


def purge() -> None:
    """Erase the sessions that have run out."""
    with write():
        ModelDelete(Session).where(past()).execute()
