"""The state of the site, by a few bounded queries and the memory of the last check. No network."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from peewee import DatabaseError, fn

from kiosque import backups, db, privacy
from kiosque.db import leases
from kiosque.db.models import Attempt, BankMessage, OutboxMail
from kiosque.db.states import MailState
from kiosque.language import clock
from kiosque.mails import delivery
from kiosque.monitoring import memory
from kiosque.monitoring.memory import Memory
from kiosque.outbox import queue
from kiosque.payments import reconcile
from kiosque.settings import Settings

#: The chores of which the database keeps the last end, by the name of their command. What `verify`
#: and the hourly check saw is in the memory of what was told.
CHORES = (reconcile.LEASE, delivery.LEASE, backups.MADE, backups.SENT, backups.TRIED, privacy.LEASE)


@dataclass(frozen=True)
class Mails:
    """The mails that have not left: how many, and when the oldest of those that wait was queued."""

    waiting: int = 0
    given_up: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True)
class State:
    """The state of the site at the instant `at`. `fault` says what keeps it from serving, in
    French; `mails` is None when the database does not answer. `timers` gives the last end of each
    chore, `banks` the last answer or message of each bank; None for never. Bytes of `disk` are
    those of the file system that holds the data."""

    at: datetime
    fault: str
    timers: Mapping[str, datetime | None]
    mails: Mails | None
    banks: Mapping[str, datetime | None]
    memory: Memory
    disk_free: int
    disk_size: int


@dataclass(frozen=True)
class _Kept:
    """The part of the state that is in the database."""

    timers: Mapping[str, datetime | None] = field(default_factory=dict)
    mails: Mails | None = None
    banks: Mapping[str, datetime | None] = field(default_factory=dict)


def gather(settings: Settings) -> State:
    """Return the state of the site, as far as the database and the disk answer."""
    fault, kept, remembered = db.fault(), _Kept(), memory.read(settings.data)
    try:
        kept = _Kept(_timers(), _mails(), {name: _last_answer(name) for name in settings.gateways})
    except DatabaseError:
        fault = fault or "base illisible"
    free, size = _disk(settings.data)
    own = {"verify": remembered.verified_at, "alert": remembered.checked_at}
    timers = {**kept.timers, **own}
    return State(clock.now(), fault, timers, kept.mails, kept.banks, remembered, free, size)


def _timers() -> dict[str, datetime | None]:
    return {name: leases.finished_at(name) for name in CHORES}


def _mails() -> Mails:
    oldest = OutboxMail.select(fn.MIN(OutboxMail.queued_at))
    waiting = oldest.where(OutboxMail.state == MailState.WAITING)
    return Mails(queue.count_waiting(), queue.count_given_up(), waiting.scalar())


def _last_answer(gateway: str) -> datetime | None:
    """Return when a bank last answered us, or sent a message that it proved to be its own."""
    answers = Attempt.select(fn.MAX(Attempt.answered_at)).where(Attempt.gateway == gateway)
    messages = BankMessage.select(fn.MAX(BankMessage.received_at)).where(
        BankMessage.gateway == gateway,
        BankMessage.accepted == True,  # noqa: E712  # an SQL expression
    )
    found = (answers.scalar(), messages.scalar())
    return max((instant for instant in found if instant), default=None)


def _disk(data: Path) -> tuple[int, int]:
    """Return (free, size) in bytes; nothing of a folder that is not there."""
    try:
        usage = shutil.disk_usage(data)
    except OSError:
        return 0, 0
    return usage.free, usage.total
