"""Signing in: delays that grow, and a bounded price for us, without ever locking a family out.

Failures are counted by account and by network address. A browser from which the family has
already signed in is counted apart: while a stranger guesses and is delayed, it gets in.
"""

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from kiosque.db.models import Account, Family
from kiosque.families import accounts, audit, throttle
from kiosque.families.audit import Event
from kiosque.families.throttle import Bucket, Limit

#: CNIL 2022-100: growing delays, and no more than 25 tries a day. This allows 23.
ACCOUNT = Limit("account", 5, timedelta(minutes=1), timedelta(hours=2))
#: A whole neighbourhood may share one address behind its operator's.
ADDRESS = Limit("address", 20, timedelta(seconds=30), timedelta(minutes=15))
#: The family's own browser: it forgets its password too.
BROWSER = Limit("browser", 10, timedelta(minutes=1), timedelta(hours=2))
#: The present password, asked for again of a browser already signed in.
CURRENT = Limit("current", 5, timedelta(minutes=1), timedelta(hours=2))


@dataclass(frozen=True)
class Visitor:
    """Who is trying. `browser` identifies one that this account has signed in from before,
    empty when it has not."""

    address: str
    browser: str = ""

    @property
    def network(self) -> str:
        """The address, or for IPv6 the network of 64 bits that one subscriber holds."""
        try:
            parsed = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        mapped = parsed if parsed.version == 4 else parsed.ipv4_mapped
        if mapped:
            return str(mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))


#: When to come back, for whoever found the site busy.
PAUSE = timedelta(seconds=5)


class Busy(Exception):
    """Too many are signing in at this instant; nothing was tried."""


class Gate:
    """At most `at_once` threads inside and `waiting` behind them; the others are turned away.

    A hash costs 20 ms of a processor and 19 MiB: a flood of them must leave the site both.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._inside = threading.BoundedSemaphore(at_once)

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Raises Busy when there is no place even to wait."""
        if not self._places.acquire(blocking=False):
            raise Busy
        try:
            with self._inside:
                yield
        finally:
            self._places.release()


# Strangers cannot crowd out a family's own browser: each has its gate, in each worker.
strangers = Gate(at_once=1, waiting=2)
own_browsers = Gate(at_once=1, waiting=2)


def attempt(code: str, password: str, visitor: Visitor) -> Account | None:
    """The account, if the password is its own.

    Raises TooManyTries when the visitor must wait first, Busy when the site is flooded; in both
    cases the password was not even looked at. An unknown code is counted, delayed and timed
    like a known one.
    """
    gate = own_browsers if visitor.browser else strangers
    with gate.enter():
        mine, shared = _buckets(code, visitor)
        throttle.spend(*mine, *shared)
        account = accounts.authenticate(code, password)
        if account is None:
            refuse(code, visitor)
            return None
        accounts.strengthen(account, password)
    throttle.settle(forget=mine, give_back=shared)
    audit.note(Event.SIGNED_IN, account.family, visitor.address)
    return account


def confirm(account: Account, password: str) -> bool:
    """Whether a signed-in family knows its password. Raises TooManyTries, Busy."""
    bucket = Bucket(CURRENT, str(account.id))
    with own_browsers.enter():
        throttle.spend(bucket)
        right = accounts.verify_password(account, password)
    if right:
        throttle.settle(forget=[bucket])
    return right


def refuse(code: str, visitor: Visitor) -> None:
    """Note a try that failed. It costs the same when no family has this code."""
    audit.note(Event.REFUSED, _family(code), visitor.address)


def _buckets(code: str, visitor: Visitor) -> tuple[list[Bucket], list[Bucket]]:
    """What a success forgets, and what it only gives back one try of: an address may be one
    that guesses the codes of others between two visits to its own."""
    if visitor.browser:
        return [Bucket(BROWSER, visitor.browser)], []
    account = Bucket(ACCOUNT, accounts.normalise_code(code))
    return [account], [Bucket(ADDRESS, visitor.network)]


def _family(code: str) -> Family | None:
    return Family.get_or_none(Family.code == accounts.normalise_code(code))
