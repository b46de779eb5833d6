"""The hourly check's memory of what it saw and told: a file in the town's folder, KIOSQUE_DATA.

It is not in the database, since a database that does not answer, or a full disk, must also be told
only once. So the file has its size from the start, and is overwritten in place. While the folder
cannot be written, the file is in RUNTIME_DIRECTORY, which systemd keeps in memory for the town.
"""

import dataclasses
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

from kiosque import os_errors
from kiosque.language import clock

NAME = "surveillance.json"
#: Bytes reserved for it on the disk: more than all troubles together take.
_ROOM = 64 * 1024
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class ToldTrouble:
    """A trouble that was told: how bad, in words, and since when."""

    level: int
    subject: str
    what: str
    since: datetime


@dataclass(frozen=True)
class Memory:
    """`told` holds each trouble that is not over, under a key of its own. `checked_at` is when all
    was last checked, `certificate_ends_at` what was then seen. `weekly_on` is the Paris day of the
    last weekly mail. `verify_faults` is what `verify` last found, at `verified_at`."""

    told: Mapping[str, ToldTrouble] = field(default_factory=dict)
    checked_at: datetime | None = None
    certificate_ends_at: datetime | None = None
    weekly_on: date | None = None
    verified_at: datetime | None = None
    verify_faults: int | None = None


def read(data: Path) -> Memory:
    """Return what is remembered, from the latest file of the two places; nothing if there is none,
    or it cannot be read."""
    return max(map(_read, _places(data)), key=lambda it: it.checked_at or _NEVER)


def _read(file: Path) -> Memory:
    with suppress(OSError):
        return _parsed(file.read_bytes())
    return Memory()


def _places(data: Path) -> list[Path]:
    spare = os.environ.get("RUNTIME_DIRECTORY")
    return [Path(folder) / NAME for folder in (data, spare) if folder]


def change(data: Path, changed: Callable[[Memory], Memory]) -> None:
    """Change what is remembered, one process at a time. Raises OSError, before `changed` is
    called, where it can be written nowhere."""
    with _taken(data) as file:
        _write(file, changed(read(data)))


@contextmanager
def _taken(data: Path) -> Iterator[IO[bytes]]:
    """Open and lock the file, in the first place where the present memory can be written."""
    refusal = OSError()
    for path in _places(data):
        try:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o640), "r+b")
        except OSError as error:
            refusal = error
            continue
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                _write(file, read(data))
            except OSError as error:
                refusal = error
                continue
            yield file
            return
    raise refusal


def _write(file: IO[bytes], memory: Memory) -> None:
    text = _written(memory).ljust(_ROOM)
    file.seek(0)
    file.write(text)
    file.truncate()
    file.flush()
    os.fsync(file.fileno())


def refusal(data: Path) -> str:
    """Say in French why the file cannot be written in the town's folder; "" if it can. Make no
    file: the caller may run under another account than the town's."""
    try:
        with (data / NAME).open("r+b"):
            return ""
    except FileNotFoundError:
        return "" if os.access(data, os.W_OK) else "dossier en lecture seule"
    except OSError as error:
        return os_errors.why(error)


def note_verified(data: Path, faults: int) -> None:
    """Remember what `verify` found just now; ignore a full disk, since the caller shows the result
    anyway."""
    with suppress(OSError):
        change(
            data,
            lambda before: dataclasses.replace(
                before, verified_at=clock.now(), verify_faults=faults
            ),
        )


def _written(memory: Memory) -> bytes:
    return json.dumps(
        dataclasses.asdict(memory), default=lambda it: it.isoformat(), ensure_ascii=False
    ).encode()


def _parsed(text: bytes) -> Memory:
    """Return what was written, or nothing of a file cut short by a crash or written by another."""
    try:
        found = json.loads(text)
        told = {key: ToldTrouble(**_dated(each)) for key, each in found.pop("told").items()}
        remembered = Memory(told=told, **_dated(found))
        _require_kinds(remembered)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Memory()
    return remembered


def _require_kinds(found: Memory) -> None:
    """Raise TypeError where a number or words are something else."""
    numbers = [told.level for told in found.told.values()]
    words = [text for told in found.told.values() for text in (told.subject, told.what)]
    faults = () if found.verify_faults is None else (found.verify_faults,)
    if {*map(type, (*numbers, *faults))} - {int} or {*map(type, words)} - {str}:
        raise TypeError


def _dated(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with their instants and days read."""
    kinds = {"_at": _instant, "since": _instant, "_on": date.fromisoformat}
    return {
        name: next(
            (read(it) for end, read in kinds.items() if it is not None and name.endswith(end)), it
        )
        for name, it in values.items()
    }


def _instant(text: str) -> datetime:
    """Read an instant. Raises ValueError for one without its zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at
