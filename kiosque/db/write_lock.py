"""The lock of those who write to a SQLite file: a fair line, with a limit to the wait.

Threads of a process wait in order of arrival. Processes take turns by `flock` of one file, which
the kernel gives back should the holder be killed. `flock` itself waits without limit, and to try
again now and then would make the unlucky wait for long: so one thread waits in `flock` on behalf
of all those in line, and whoever runs out of patience leaves the line.

On PostgreSQL the line is a lock of the server's (`postgresql.WRITERS`); the patience is the same.
"""

import fcntl
import os
import threading
from collections import deque
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO

#: How long a write waits for the database, all in all. A bank waits ten seconds for our answer.
PATIENCE_SECONDS = 8

#: How many of one process may write one after the other, before other processes have their turn.
IN_A_ROW = 8


class Held:
    """The lock, held until the end of a `with`."""

    def __init__(self, lock: "WriteLock", file: IO[bytes], left: int) -> None:
        self._lock = lock
        self._file = file  # locked
        self._left = left  # how many of this process may still follow

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        self._lock.pass_on(self._file, self._left)


class WriteLock:
    """The lock of one file, and the line of this process before it. `acquire` is the way in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start()

    def _start(self) -> None:
        self._line: deque[Future[Held]] = deque()
        self._busy = False  # True while this process holds the lock, or a thread of it waits for it
        self._guard = threading.Lock()
        self._process = os.getpid()

    def acquire(self, seconds: float) -> Held:
        """Wait in line, for so long at most.

        Raises TimeoutError when the lock is not had in time, another OSError when the file cannot
        be opened.
        """
        if self._process != os.getpid():  # a child has none of its parent's threads
            self._start()
        place: Future[Held] = Future()
        with self._guard:
            if not self._busy:
                if file := self._lock_at_once():
                    self._busy = True
                    return Held(self, file, IN_A_ROW - 1)
                self._send_waiter()
            self._line.append(place)
        try:
            return place.result(seconds)
        except BaseException:  # an interruption too: a lock given to nobody would never be released
            if not place.cancel() and not place.exception():
                place.result().release()
            raise

    def pass_on(self, file: IO[bytes], left: int) -> None:
        """Give the lock to the next in line, here or in other processes."""
        with self._guard:
            if left and self._give(Held(self, file, left - 1)):
                return
            file.close()
            self._busy = False
            if self._line:
                self._send_waiter()

    def _lock_at_once(self) -> IO[bytes] | None:
        file = self._path.open("ab", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file

    def _send_waiter(self) -> None:
        threading.Thread(target=self._wait_for_them, name="write lock", daemon=True).start()
        self._busy = True

    def _wait_for_them(self) -> None:
        try:
            file = self._path.open("ab", buffering=0)
        except OSError as error:
            self._fail(error)
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        self.pass_on(file, IN_A_ROW)

    def _give(self, held: Held) -> bool:
        """Give the lock to the first who still waits. Return False when nobody does."""
        while self._line:
            place = self._line.popleft()
            if place.set_running_or_notify_cancel():
                place.set_result(held)
                return True
        return False

    def _fail(self, error: OSError) -> None:
        """Tell all those in line that nothing can be written."""
        with self._guard:
            self._busy = False
            while self._line:
                place = self._line.popleft()
                if place.set_running_or_notify_cancel():
                    place.set_exception(error)


@cache
def write_lock(path: str) -> WriteLock:
    """Return the one lock of this process on the file at `path`."""
    return WriteLock(Path(path))
