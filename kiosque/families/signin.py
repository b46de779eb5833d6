"""Signing in: delays that grow, and a bounded price for us, without ever locking a family out.

Failures are counted by account and by network address. A browser from which the family has
already signed in is counted apart: while a stranger guesses and is delayed, it gets in.
"""

import ipaddress
from dataclasses import dataclass, replace
from datetime import datetime

from kiosque.db import write
from kiosque.db.models import Account, Family
from kiosque.families import accounts, hashing, new_browsers, security_log, sessions, throttle
from kiosque.families.codes import normalise_family_code
from kiosque.families.security_log import Event
from kiosque.families.throttle import Bucket, Limit

#: One IPv6 subscriber may hold 256 networks of 64 bits, or 65,536. So each network around an
#: address has a counter too: by its length of prefix, how many times the limit of one address it
#: has.
SHARED_BY = {64: 1, 56: 2, 48: 5}


@dataclass(frozen=True)
class Visitor:
    """Somebody who tries, by network address. `browser` identifies one that this account has
    signed in from before; it is empty for any other."""

    address: str
    browser: str = ""

    def buckets(self, limit: Limit) -> list[Bucket]:
        """Return the counters of the visitor's address, or for IPv6 of each network around it."""
        try:
            parsed = ipaddress.ip_address(self.address)
        except ValueError:
            return [Bucket(limit, self.address)]
        mapped = parsed if parsed.version == 4 else parsed.ipv4_mapped
        if mapped:
            return [Bucket(limit, str(mapped))]
        return [
            Bucket(
                replace(limit, free=limit.free * times),
                str(ipaddress.ip_network((parsed, bits), strict=False)),
            )
            for bits, times in SHARED_BY.items()
        ]


@dataclass(frozen=True)
class Entry:
    """An account that has just been signed in, and the number of its new session."""

    account: Account
    session: str


class Archived(Exception):
    """The right password of an archived family."""


class Expired(Exception):
    """The right password, but a provisional one that has expired."""


def attempt(code: str, password: str, visitor: Visitor) -> Entry | None:
    """Sign in with this code and password. Returns None when they do not go together.

    Raises TooManyTries when the visitor must wait first and Busy when the site is flooded, in
    both cases without looking at the password; Expired or Archived when it was right; Stale when
    it was changed while it was verified. An unknown code is counted, delayed and timed like a known
    one.

    From a browser not seen before, the family is told by mail, but for its first sign-in.

    Two transactions: the try is counted before it is hashed, so that a burst cannot pass the
    limits; all that a success changes comes after, at once.
    """
    gate = hashing.own_browsers if visitor.browser else hashing.strangers
    reset, refund = _buckets(code, visitor)
    throttle.require_free(*reset, *refund)
    with gate.place() as inside:
        throttle.count_try(*reset, *refund)  # Not inside the gate: this write waits for the disk.
        with inside:
            account = accounts.authenticate(code, password)
            if account:
                accounts.rehash_if_weak(account, password)
    if account is None:
        note_refusal(code, visitor)
        return None
    if accounts.has_expired(account):
        note_refusal(code, visitor)
        raise Expired
    if account.family.archived_at:
        note_refusal(code, visitor)
        raise Archived
    is_news = account.entered_at and not visitor.browser
    with write():
        number = sessions.add(account)
        throttle.count_success(reset=reset, refund=refund)
        security_log.add(Event.SIGNED_IN, account.family, visitor.address)
        if is_news:
            new_browsers.tell(account.family, visitor.address)
    return Entry(account, number)


def confirm_password(account: Account, password: str) -> bool:
    """Tell whether a signed-in family knows its password. Raises TooManyTries, Busy."""
    bucket = Bucket(throttle.CURRENT, str(account.id))
    throttle.require_free(bucket)
    with hashing.changes.enter():
        throttle.count_try(bucket)
        right = accounts.verify_password(account, password)
    if right:
        with write():
            throttle.count_success(reset=[bucket])
    return right


def waits_until(family: Family) -> datetime | None:
    """Return when a browser unknown to the family may try its password again; None for now."""
    return throttle.waits_until(Bucket(throttle.ACCOUNT, family.code))


def note_refusal(code: str, visitor: Visitor) -> None:
    """Log a failed try. It takes as long when no family has this code."""
    security_log.note(Event.REFUSED, _family(code), visitor.address)


def _buckets(code: str, visitor: Visitor) -> tuple[list[Bucket], list[Bucket]]:
    """Return (buckets to reset on success, buckets to refund one try).

    A network address is refunded only: somebody who has an account could otherwise guess the
    codes of others between two visits to its own.
    """
    if visitor.browser:
        return [Bucket(throttle.BROWSER, visitor.browser)], []
    account = Bucket(throttle.ACCOUNT, normalise_family_code(code))
    return [account], visitor.buckets(throttle.ADDRESS)


def _family(code: str) -> Family | None:
    return Family.get_or_none(Family.code == normalise_family_code(code))
