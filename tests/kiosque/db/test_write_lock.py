"""The line of those who write: in order, just between processes, and no wait without end."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosque.db.write_lock import IN_A_ROW, WriteLock

LONG = 10.0


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "base.lock"


@pytest.fixture
def write_lock(lock: Path) -> WriteLock:
    return WriteLock(lock)


@contextmanager
def held_elsewhere(lock: Path) -> Iterator[None]:
    """Another process holds the lock: `flock` sees no difference in another open file."""
    with lock.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        yield


def is_free(lock: Path) -> bool:
    with lock.open("a") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def in_line(write_lock: WriteLock, count: int) -> None:
    """Wait until so many are in line."""
    until(lambda: len(write_lock._line) == count)


def until(condition: object) -> None:
    pause = threading.Event()
    while not condition():  # type: ignore[operator]
        pause.wait(0.001)


def waiters(write_lock: WriteLock, count: int, served: list[int]) -> list[threading.Thread]:
    """So many threads in line, in this order; each says when its turn has come."""

    def wait(number: int) -> None:
        with write_lock.acquire(LONG):
            served.append(number)

    threads = []
    for number in range(count):
        thread = threading.Thread(target=wait, args=(number,))
        thread.start()
        in_line(write_lock, number + 1)
        threads.append(thread)
    return threads


def test_threads_have_their_turns_in_the_order_of_arrival(
    write_lock: WriteLock, lock: Path
) -> None:
    served: list[int] = []
    with write_lock.acquire(LONG):
        threads = waiters(write_lock, 2 * IN_A_ROW + 3, served)
        assert not is_free(lock)
        assert served == []
    for thread in threads:
        thread.join(LONG)
    assert served == list(range(2 * IN_A_ROW + 3))
    assert is_free(lock)


def test_after_some_turns_in_a_row_other_processes_have_theirs(
    write_lock: WriteLock, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a busy process would let no other write."""
    served: list[int] = []
    monkeypatch.setattr(write_lock, "_send_waiter", lambda: None)  # to look at this very moment
    with write_lock.acquire(LONG):
        threads = waiters(write_lock, IN_A_ROW + 2, served)
    until(lambda: len(served) == IN_A_ROW - 1)
    until(lambda: is_free(lock))
    assert len(served) == IN_A_ROW - 1
    with write_lock.acquire(LONG):  # the next to come serves those who were left
        pass
    for thread in threads:
        thread.join(LONG)
    assert served == list(range(IN_A_ROW + 2))


def test_a_turn_that_does_not_come_is_given_up_and_goes_to_the_next(
    write_lock: WriteLock, lock: Path
) -> None:
    served: list[int] = []
    with held_elsewhere(lock):
        with pytest.raises(TimeoutError):
            write_lock.acquire(0.01)
        with pytest.raises(TimeoutError):
            write_lock.acquire(0.01)
        assert threading.active_count() <= 1 + others_than_waiters()  # one waits for them all
        write_lock._line.clear()
        threads = waiters(write_lock, 3, served)
    for thread in threads:
        thread.join(LONG)
    assert served == [0, 1, 2]
    until(lambda: is_free(lock))


def others_than_waiters() -> int:
    return sum(thread.name != "write lock" for thread in threading.enumerate())


def test_when_all_have_given_up_the_lock_is_given_back(write_lock: WriteLock, lock: Path) -> None:
    with held_elsewhere(lock), pytest.raises(TimeoutError):
        write_lock.acquire(0.01)
    until(lambda: not write_lock._busy)
    assert is_free(lock)
    with write_lock.acquire(0.01):
        pass


def test_a_writer_killed_gives_its_turn_back(write_lock: WriteLock, lock: Path) -> None:
    program = (
        "import sys, time, pathlib; from kiosque.db.write_lock import WriteLock\n"
        "with WriteLock(pathlib.Path(sys.argv[1])).acquire(5):\n"
        "    print('mine', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "mine\n"
        with pytest.raises(TimeoutError):
            write_lock.acquire(0.01)
        os.kill(writer.pid, signal.SIGKILL)
        with write_lock.acquire(LONG):
            pass


def test_an_interruption_while_waiting_leaves_the_line(
    write_lock: WriteLock, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn given to somebody who has left would never end."""
    with write_lock.acquire(LONG):
        monkeypatch.setattr("kiosque.db.write_lock.Future.result", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_lock.acquire(LONG)
        monkeypatch.undo()
    assert is_free(lock)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_where_the_file_cannot_be_made_everyone_is_told(tmp_path: Path) -> None:
    write_lock = WriteLock(tmp_path / "absent" / "base.lock")
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            write_lock.acquire(LONG)


def test_a_file_that_goes_while_others_wait_is_told_to_them(
    write_lock: WriteLock, lock: Path
) -> None:
    faults: list[OSError] = []

    def wait() -> None:
        try:
            write_lock.acquire(LONG)
        except OSError as error:
            faults.append(error)

    with held_elsewhere(lock):
        write_lock._path = lock.parent / "absent" / "base.lock"
        write_lock._busy = True
        threads = [threading.Thread(target=wait) for _ in range(2)]
        for thread in threads:
            thread.start()
        in_line(write_lock, 2)
        with write_lock._guard:
            write_lock._send_waiter()
    for thread in threads:
        thread.join(LONG)
    assert [type(error) for error in faults] == [FileNotFoundError] * 2
    assert not write_lock._busy


def test_a_child_process_waits_in_a_line_of_its_own(
    write_lock: WriteLock, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forked while its parent's thread waits, it has no such thread."""
    write_lock._busy = True
    with pytest.raises(TimeoutError):
        write_lock.acquire(0.01)
    monkeypatch.setattr("kiosque.db.write_lock.os.getpid", lambda: -1)
    with write_lock.acquire(0.01):
        assert not is_free(lock)
