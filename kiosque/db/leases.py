"""Chores that one process at a time may do, whoever calls them and however often."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from kiosque.db import write
from kiosque.db.models import Lease
from kiosque.language import clock

#: A correction of the clock by less than this is normal.
_CLOCK_STEP = timedelta(minutes=1)


@contextmanager
def hold(name: str, longest: timedelta) -> Iterator[bool]:
    """Hold the lease for the block, at most for `longest`. Yield False when another process holds
    it. The lease of a process that died expires; a chore whose block raises is not noted as done.
    """
    holder = secrets.token_hex(8)
    if not _take(name, holder, longest):
        yield False
        return
    finished = False
    try:
        yield True
        finished = True
    finally:
        _give_back(name, holder, finished=finished)


def note_done(name: str) -> None:
    """Note that a chore which needs no lease was done to its end, just now."""
    now = clock.now()
    with write():
        Lease.insert(
            name=name, holder="", expires_at=now, started_at=now, finished_at=now
        ).on_conflict(
            conflict_target=[Lease.name], update={Lease.started_at: now, Lease.finished_at: now}
        ).execute()


def finished_at(name: str) -> datetime | None:
    """Return when the chore was last done to its end; None when it never was."""
    lease = Lease.get_or_none(Lease.name == name)
    return lease.finished_at if lease else None


def _take(name: str, holder: str, longest: timedelta) -> bool:
    now = clock.now()
    held = {"holder": holder, "expires_at": now + longest, "started_at": now}
    with write():
        if Lease.get_or_none(Lease.name == name) is None:
            Lease.create(name=name, **held)
            return True
        # A lease that starts in the future was taken before the clock was set back.
        lapsed = (Lease.expires_at <= now) | (Lease.started_at > now + _CLOCK_STEP)
        taken: int = Lease.update(held).where(Lease.name == name, lapsed).execute()
    return taken == 1


def _give_back(name: str, holder: str, *, finished: bool) -> None:
    now = clock.now()
    done = {"finished_at": now} if finished else {}
    with write():
        Lease.update(expires_at=now, **done).where(
            Lease.name == name, Lease.holder == holder
        ).execute()
