"""Hash passwords: argon2id, never inside a transaction, and few at once.

A hash costs 20 ms of a processor and 19 MiB: a flood of tries must leave enough of both to the
site. Code that hashes or judges a password for a visitor must first enter one of the three gates,
after the limits of `throttle` have allowed the try.
"""

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosque.db import release, require_no_write

#: argon2id, 19 MiB, two passes: about 20 ms on a small server.
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

#: In characters. A longer password is refused, never cut: normalising hostile text takes quadratic
#: time.
LONGEST_PASSWORD = 1000

#: How long a visitor turned away by a gate should wait.
PAUSE = timedelta(seconds=5)


class Busy(Exception):
    """Too many passwords are being hashed at this instant; nothing was tried."""


class Gate:
    """Let at most `at_once` threads in, and at most `waiting` wait; turn the others away."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._inside = threading.BoundedSemaphore(at_once)

    @contextmanager
    def place(self) -> Iterator[AbstractContextManager[object]]:
        """Hold a place in the queue for the block, and yield the context manager that enters, to
        hold for as long as a hash takes. Raises Busy when there is no place."""
        if not self._places.acquire(blocking=False):
            raise Busy
        try:
            yield self._turn()
        finally:
            self._places.release()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait without a connection: PostgreSQL has few, and readers of pages need them."""
        release()
        with self._inside:
            yield

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Hold a place inside for the block. Raises Busy when there is none, not even to wait."""
        with self.place() as inside, inside:
            yield


# Each worker has all three, so that strangers cannot crowd out a family's own browser, and choosing
# passwords, even when signed in, crowds out nobody who signs in.
#
# Two workers hold the places of a hundred and sixty families of either kind: those who send a right
# password at one instant to a slow machine wait for their turn, and are not turned away.
strangers = Gate(at_once=1, waiting=80)
own_browsers = Gate(at_once=1, waiting=80)
changes = Gate(at_once=1, waiting=1)


def normalise(password: str) -> str:
    """Return the same characters however a keyboard composes them: `é` may come as one or two."""
    return unicodedata.normalize("NFC", password)


def hash_password(password: str) -> str:
    require_no_write()
    return hasher.hash(normalise(password))


def matches(password_hash: str, password: str) -> bool:
    """Tell whether the password has this hash; False for a text that cannot be a password."""
    if len(password) > LONGEST_PASSWORD:
        return False
    require_no_write()
    try:
        return hasher.verify(password_hash, normalise(password))
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def is_weak(password_hash: str) -> bool:
    """Tell whether a hash was made with weaker parameters than today's."""
    return hasher.check_needs_rehash(password_hash)


def unknowable_hash() -> str:
    """Return a hash that no password has, at the usual price."""
    return hash_password(secrets.token_hex())


@cache
def decoy() -> str:
    """Return a hash to compare with when the code is unknown, so that the answer takes as long."""
    return unknowable_hash()
