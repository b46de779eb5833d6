"""Whose turn it is to write: a fair line before one file's lock, with a limit to the wait.

Threads of a process wait in order of arrival. Processes take turns by `flock` of the file, which
the kernel gives back should the holder be killed. Its own wait has no limit, and trying again now
and then would let the unlucky wait for long: so a thread waits in the name of those in line, and
those whose patience ends leave the line.
"""

import fcntl
import os
import threading
from collections import deque
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import IO

#: How many of one process may write one after the other, before other processes have their turn.
IN_A_ROW = 8


class Turn:
    """The right to write, until the end of a `with`."""

    def __init__(self, turns: "Turns", file: IO[bytes], left: int) -> None:
        self._turns = turns
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
        self.end()

    def end(self) -> None:
        self._turns.follow(self._file, self._left)


class Turns:
    """The line of this process before the lock of one file. `take` is the one way in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start()

    def _start(self) -> None:
        self._line: deque[Future[Turn]] = deque()
        self._busy = False  # whether this process holds the lock, or a thread of it waits for it
        self._guard = threading.Lock()
        self._process = os.getpid()

    def take(self, seconds: float) -> Turn:
        """Wait for one's turn.

        Raises TimeoutError when it does not come in time, another OSError when the file cannot
        be opened.
        """
        if self._process != os.getpid():  # a child has none of its parent's threads
            self._start()
        place: Future[Turn] = Future()
        with self._guard:
            if not self._busy:
                if file := self._lock_at_once():
                    self._busy = True
                    return Turn(self, file, IN_A_ROW - 1)
                self._send_waiter()
            self._line.append(place)
        try:
            return place.result(seconds)
        except BaseException:  # an interruption too: a turn given to nobody would never end
            if not place.cancel() and not place.exception():
                place.result().end()
            raise

    def follow(self, file: IO[bytes], left: int) -> None:
        """A turn has ended: give the next one, here or to other processes."""
        with self._guard:
            if left and self._give(Turn(self, file, left - 1)):
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
        threading.Thread(target=self._wait_for_them, name="turns", daemon=True).start()
        self._busy = True

    def _wait_for_them(self) -> None:
        try:
            file = self._path.open("ab", buffering=0)
        except OSError as error:
            self._fail(error)
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        self.follow(file, IN_A_ROW)

    def _give(self, turn: Turn) -> bool:
        """Give the turn to the first who still waits. False when nobody does."""
        while self._line:
            place = self._line.popleft()
            if place.set_running_or_notify_cancel():
                place.set_result(turn)
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
