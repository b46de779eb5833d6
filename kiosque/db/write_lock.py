"""The write lock of a SQLite file: a fair queue, with a limit to the wait.

Threads of a process wait in order of arrival. Processes take turns by `flock` of one file, which
the kernel releases if the holder is killed. `flock` itself waits without limit, and polling it
would make the unlucky wait for long: so one thread waits in `flock` on behalf of the whole queue,
and a thread whose time is over leaves the queue.

On PostgreSQL the queue is that of a server lock (`postgresql.WRITERS`); the time limit is the same.
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

#: How long a write waits for the database in total. A bank waits ten seconds for our answer.
PATIENCE_SECONDS = 8

#: How many threads of one process may write in a row before other processes have their turn.
IN_A_ROW = 8


class HeldLock:
    """The lock, held until the end of a `with`."""

    def __init__(self, lock: "WriteLock", file: IO[bytes], left: int) -> None:
        self._lock = lock
        self._file = file  # locked
        self._left = left  # how many threads of this process may still follow

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
    """The lock of one file, and the queue of this process's threads for it. Call `acquire`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start()

    def _start(self) -> None:
        self._line: deque[Future[HeldLock]] = deque()
        self._busy = False  # True while this process holds the lock, or a thread of it waits for it
        self._guard = threading.Lock()
        self._process = os.getpid()

    def acquire(self, seconds: float) -> HeldLock:
        """Wait in the queue, for `seconds` at most.

        Raises TimeoutError when the lock does not come in time, another OSError when the file
        cannot be opened.
        """
        if self._process != os.getpid():  # a child has none of its parent's threads
            self._start()
        place: Future[HeldLock] = Future()
        with self._guard:
            if not self._busy:
                if file := self._lock_at_once():
                    self._busy = True
                    return HeldLock(self, file, IN_A_ROW - 1)
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
            if left and self._give(HeldLock(self, file, left - 1)):
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

    def _give(self, held: HeldLock) -> bool:
        """Give the lock to the first thread that still waits. Return False if none does."""
        while self._line:
            place = self._line.popleft()
            if place.set_running_or_notify_cancel():
                place.set_result(held)
                return True
        return False

    def _fail(self, error: OSError) -> None:
        """Raise the error in all threads of the queue: nothing can be written."""
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
