"""Who is at work on a town: the site and its commands announce it; who must be alone checks.

Each process holds a shared `flock` of the town's folder, KIOSQUE_DATA. The kernel gives it back
however the process ends, `kill -9` included; no file is left to say that it still runs. On other
machines, around one PostgreSQL, the site is known by its sessions.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kiosque.db.transactions import connection, database
from kiosque.settings import Settings

#: PostgreSQL may still list for this long the session of a process of ours that has ended.
_LEAVING_SECONDS = 2
_OTHER_SESSIONS = """
SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()
"""


class InUse(Exception):
    """The town's folder or database is in use; the text says by whom, in French."""


def announce(settings: Settings) -> Callable[[], None]:
    """Announce that this process is at work, until the function returned is called.

    Raises InUse while another process holds `alone`. A folder that cannot be opened is passed over:
    it holds nothing that could be replaced under us.
    """
    try:
        return _hold(settings, fcntl.LOCK_SH)
    except BlockingIOError:
        raise InUse(
            "Une restauration ou un déplacement de la base est en cours : recommencez ensuite."
        ) from None
    except OSError:
        return lambda: None


@contextmanager
def at_work(settings: Settings) -> Iterator[None]:
    """Announce that this process is at work, for the block. Raises InUse."""
    leave = announce(settings)
    try:
        yield
    finally:
        leave()


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep the site and its commands from starting, for the block.

    Raises InUse while one of them runs, OSError where the town's folder does not open. A
    PostgreSQL must be configured.
    """
    try:
        leave = _hold(settings, fcntl.LOCK_EX)
    except BlockingIOError:
        raise InUse(
            "Le site tourne, ou une commande y travaille. Arrêtez-le d’abord, et ses minuteries."
        ) from None
    with contextlib.ExitStack() as stack:
        stack.callback(leave)
        if settings.on_postgresql and (others := _other_sessions()):
            raise InUse(
                f"Le site tourne ailleurs sur cette base PostgreSQL (sessions : {others}). "
                "Arrêtez-le d’abord sur toutes les machines."
            )
        yield


def _hold(settings: Settings, how: int) -> Callable[[], None]:
    """Lock the folder, without waiting. Return the function that unlocks it."""
    folder = os.open(settings.data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, how | fcntl.LOCK_NB)
    except OSError:
        os.close(folder)
        raise
    return lambda: os.close(folder)


def _other_sessions() -> int:
    """Return how many other sessions there are, leaving those that are ending time to go."""
    database.close_idle()  # those are our own
    end = time.monotonic() + _LEAVING_SECONDS
    with connection():
        while True:
            ((others,),) = database.execute_sql(_OTHER_SESSIONS)
            if not others or time.monotonic() > end:
                return int(others)
            time.sleep(0.1)
