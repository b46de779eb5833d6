"""The backups of a folder: their names, and which are kept."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from kiosque.language import clock
from kiosque.settings import Backup

_STAMP = "%Y-%m-%dT%H%M%SZ"
_ENDING = r"-(\d{4}-\d\d-\d\dT\d{6}Z)\.tar\.gz"


def name(town: str, at: datetime) -> str:
    """Return the name of a town's backup, by the instant that it shows."""
    return f"{town}-{at.astimezone(UTC).strftime(_STAMP)}.tar.gz"


def backups_in(folder: Path, town: str) -> list[tuple[datetime, Path]]:
    """Return the backups of a town that are in a folder, the newest first; nothing else there is
    looked at."""
    pattern = re.compile(re.escape(town) + _ENDING, re.ASCII)
    return sorted(
        (
            (at, path)
            for path in (folder.iterdir() if folder.is_dir() else ())
            if (match := pattern.fullmatch(path.name)) and (at := _instant(match[1]))
        ),
        reverse=True,
    )


def too_old(folder: Path, town: str, rules: Backup) -> list[Path]:
    """Return the backups that need not be kept: all but the newest of each of the last days, weeks
    and months that have one. The newest of all is kept in any case."""
    found = backups_in(folder, town)
    kept = {path for _at, path in found[:1]}
    for period, count in (
        (_day, rules.keep_days),
        (_week, rules.keep_weeks),
        (_month, rules.keep_months),
    ):
        kept.update(_newest_of_each(found, period, count))
    return [path for _at, path in found if path not in kept]


def _newest_of_each(
    found: Iterable[tuple[datetime, Path]], period: Callable[[date], object], count: int
) -> list[Path]:
    newest: dict[object, Path] = {}
    for at, path in found:
        newest.setdefault(period(clock.paris_date(at)), path)
    return list(newest.values())[:count]


def _day(on: date) -> object:
    return on


def _week(on: date) -> object:
    return on.isocalendar()[:2]


def _month(on: date) -> object:
    return on.year, on.month


def _instant(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
