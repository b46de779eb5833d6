"""The last receipt numbers that restorations skipped, in a file beside the database: that database
may be lost in its turn before it is ever backed up."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from kiosque.language import clock

NAME = "restaurations.json"

#: By sequence: the last number skipped by a restoration, and the instant of it.
Skipped = Mapping[str, tuple[int, datetime]]


class DamagedFile(Exception):
    """The file is there, but it is damaged."""


def read(data: Path) -> Skipped:
    """Return what earlier restorations skipped. Raises DamagedFile, OSError."""
    try:
        told = json.loads((data / NAME).read_bytes())
        return {str(sequence): (int(last), _instant(at)) for sequence, (last, at) in told.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise DamagedFile from None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at


def keep(data: Path, lasts: Mapping[str, int]) -> None:
    """Keep what this restoration skips, before its database serves. Raises DamagedFile, OSError."""
    now = clock.now()
    told = {**read(data), **{sequence: (last, now) for sequence, last in lasts.items()}}
    draft = data / f"{NAME}.part"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(told, file, default=lambda at: at.isoformat())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(data / NAME)
