"""Processes of ours: begun, waited for, weighed, ended."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import free_port

PROJECT = Path(__file__).parents[2]
START_SECONDS = 60
_SMALL_KB = 40_000
_TICKS = os.sysconf("SC_CLK_TCK")

__all__ = ["PROJECT", "Tree", "answers", "begun", "cpu_of", "free_port", "wait_for"]


class Tree:
    """A process and all that it begets."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    @property
    def pids(self) -> list[int]:
        """The first is the parent's; a process that has just ended is not there."""
        found, at = [self.process.pid], 0
        while at < len(found):
            found += _children(found[at])
            at += 1
        return found

    @property
    def workers(self) -> list[int]:
        """Those who answer, by their size: not the parent that watches, nor small helpers."""
        pids = self.pids
        return [pid for pid in pids[1:] if _smaps(pid)["Rss"] > _SMALL_KB] or pids[:1]

    def cpu_seconds(self) -> float:
        """The processor time of those alive now, kernel's included."""
        return sum(map(cpu_of, self.pids))

    def memory_mib(self) -> tuple[float, float]:
        """Resident memory: what each maps, added up, and what they hold in truth, shared pages
        counted once."""
        rolls = [_smaps(pid) for pid in self.pids]
        return sum(roll["Rss"] for roll in rolls) / 1024, sum(r["Pss"] for r in rolls) / 1024

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, seconds: float = 15) -> None:
        """Ask it to stop, then make it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


@contextmanager
def begun(
    command: Sequence[str], log: Path, environment: dict[str, str] | None = None
) -> Iterator[Tree]:
    """Begin it, in the project's folder; its words go to `log`. Ended at the end of the `with`."""
    clean = {name: it for name, it in os.environ.items() if not name.startswith("KIOSQUE_")}
    with log.open("ab") as file:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**clean, **(environment or {})},
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=_end_with_us,  # noqa: PLW1509  # before any thread of ours
        )
    tree = Tree(process)
    try:
        yield tree
    finally:
        tree.end()


def _end_with_us() -> None:
    """Be told to stop should we be killed without a chance to say it: PR_SET_PDEATHSIG, SIGTERM."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def answers(address: str | tuple[str, int]) -> bool:
    """Tell whether somebody listens at this socket file, or at this host and port."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def wait_for(address: str | tuple[str, int], tree: Tree, log: Path) -> None:
    """Raises AssertionError with the log's end when it does not come."""
    end = time.monotonic() + START_SECONDS
    while not answers(address):
        if time.monotonic() > end or tree.process.poll() is not None:
            raise AssertionError(f"it does not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:
        pass
    return found


def _smaps(pid: int) -> dict[str, int]:
    """Kilobytes, by name."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {"Rss": 0, "Pss": 0}
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def python(*arguments: str) -> list[str]:
    """A command of this environment's."""
    return [sys.executable, *arguments]
