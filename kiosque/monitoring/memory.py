"""What the hourly check saw and told: one file of the town's folder, KIOSQUE_DATA.

Not in the database: that it does not answer, or that its disk is full, must be told once too. So
the file has its room from the start, and is written over in place.
"""

import dataclasses
import fcntl
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kiosque.language import clock

NAME = "surveillance.json"
#: Bytes kept for it on the disk: more than all troubles at once take.
_ROOM = 64 * 1024


@dataclass(frozen=True)
class Told:
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

    told: Mapping[str, Told] = field(default_factory=dict)
    checked_at: datetime | None = None
    certificate_ends_at: datetime | None = None
    weekly_on: date | None = None
    verified_at: datetime | None = None
    verify_faults: int | None = None


def read(data: Path) -> Memory:
    """Return what is remembered; nothing where the file is absent or cannot be read."""
    with suppress(OSError):
        return _parsed((data / NAME).read_bytes())
    return Memory()


def change(data: Path, changed: Callable[[Memory], Memory]) -> None:
    """Change what is remembered, one process at a time. Raises OSError."""
    descriptor = os.open(data / NAME, os.O_RDWR | os.O_CREAT, 0o640)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = _written(changed(_parsed(file.read()))).ljust(_ROOM)
        file.seek(0)
        file.write(text)
        file.truncate()
        file.flush()
        os.fsync(file)


def note_verified(data: Path, faults: int) -> None:
    """Remember what `verify` found just now. A disk that is full keeps nobody from knowing."""
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
        told = {key: Told(**_dated(each)) for key, each in found.pop("told").items()}
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
