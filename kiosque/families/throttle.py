"""Growing delays between tries, shared by every worker through the database, and the limits of
what families try. Agents' limits are made of these, in `kiosque/staff`.

Count a try *before* the expensive work, so that a hundred at once cannot all pass; count its
success afterwards. Keys are stored hashed, for a day at most.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import Expression, ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Throttle
from kiosque.language import clock


@dataclass(frozen=True)
class Limit:
    """The first `free` tries need not wait; each failure after them doubles `pause`, up to
    `longest`."""

    kind: str
    free: int
    pause: timedelta
    longest: timedelta

    def delay(self, failures: int) -> timedelta:
        """Return how long to wait after this many failures in a row."""
        if failures < self.free:
            return timedelta()
        doublings = min(failures - self.free, 20)
        growing: timedelta = self.pause * 2**doublings
        return min(growing, self.longest)


#: CNIL 2022-100: growing delays, and no more than 25 tries a day. This allows 23.
ACCOUNT = Limit("account", 5, timedelta(minutes=1), timedelta(hours=2))
#: A whole neighbourhood may share its operator's address, so many may fail there before others
#: wait. The limit of each account is what keeps passwords from being guessed; this one slows down
#: somebody who tries one password on every account.
ADDRESS = Limit("address", 200, timedelta(seconds=30), timedelta(minutes=15))
#: The family's own browser: families forget their passwords too.
BROWSER = Limit("browser", 10, timedelta(minutes=1), timedelta(hours=2))
#: The present password, asked for again of a browser already signed in.
CURRENT = Limit("current", 5, timedelta(minutes=1), timedelta(hours=2))
#: Links asked for one address. The longest pause is the life of a link, so that a stranger who
#: keeps asking for the family's address only keeps the family supplied with a link that opens.
RESET_EMAIL = Limit("reset-email", 3, timedelta(minutes=5), timedelta(hours=1))
#: Links asked from one network address, for any e-mail address.
RESET_NETWORK = Limit("reset-network", 10, timedelta(minutes=1), timedelta(minutes=15))
#: Changes of address asked by one family: each one sends a mail to the address it names.
EMAIL_CHANGE = Limit("email-change", 3, timedelta(minutes=5), timedelta(hours=1))
#: New passwords proposed for one family, taken or refused: each costs a judgement or a hash.
NEW_PASSWORD = Limit("new-password", 10, timedelta(minutes=1), timedelta(hours=1))


@dataclass(frozen=True)
class Bucket:
    """A counter of tries: that of one account, of one address..."""

    limit: Limit
    name: str

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.limit.kind}:{self.name}".encode()).hexdigest()


class TooManyTries(Exception):
    """The next try must wait; nothing was tried."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until

    @property
    def wait(self) -> timedelta:
        return max(self.until - clock.now(), timedelta())


#: A series of failures is forgotten this long after its last one.
MEMORY = timedelta(days=1)


def require_free(*buckets: Bucket) -> None:
    """Raise TooManyTries if one of these buckets must wait; count nothing. Call it before queueing
    for anything scarce, so that a flood that must wait takes nobody's place."""
    _current(buckets, clock.now())


def waits_until(*buckets: Bucket) -> datetime | None:
    """Return when the next try may be, None when it may be now."""
    try:
        require_free(*buckets)
    except TooManyTries as error:
        return error.until
    return None


def count_try(*buckets: Bucket) -> None:
    """Count one try in every bucket. Raises TooManyTries, counting none, if one must wait."""
    now = clock.now()
    _current(buckets, now)  # A flood that must wait does not even queue for the write lock.
    with write():
        rows = _current(buckets, now)
        for bucket in buckets:
            failures = rows[bucket.key].failures + 1 if bucket.key in rows else 1
            Throttle.insert(
                key=bucket.key,
                failures=failures,
                tried_at=now,
                next_try_at=now + bucket.limit.delay(failures),
            ).on_conflict(
                conflict_target=[Throttle.key],
                preserve=[Throttle.failures, Throttle.tried_at, Throttle.next_try_at],
            ).execute()


def count_success(*, reset: Iterable[Bucket] = (), refund: Iterable[Bucket] = ()) -> None:
    """Note that a counted try succeeded, as part of the transaction under way: forget every
    failure in the buckets to `reset`, this one try in those to `refund`."""
    require_write()
    gone = [bucket.key for bucket in reset]
    returned = [bucket.key for bucket in refund]
    ModelDelete(Throttle).where(Throttle.key.in_(gone)).execute()
    Throttle.update(failures=Throttle.failures - 1, next_try_at=clock.now()).where(
        Throttle.key.in_(returned), Throttle.failures > 0
    ).execute()


def past() -> Expression:
    """Select the tries that are no longer counted."""
    return Throttle.tried_at <= clock.now() - MEMORY


def purge() -> None:
    """Erase the tries that are no longer counted."""
    with write():
        ModelDelete(Throttle).where(past()).execute()


def _current(buckets: Iterable[Bucket], now: datetime) -> dict[str, Throttle]:
    """Return the rows of these buckets, by key. Raises TooManyTries if one must wait."""
    known = Throttle.select().where(
        Throttle.key.in_([bucket.key for bucket in buckets]), Throttle.tried_at > now - MEMORY
    )
    rows: dict[str, Throttle] = {row.key: row for row in known}
    latest = max((row.next_try_at for row in rows.values()), default=now)
    if latest > now:
        raise TooManyTries(latest)
    return rows
