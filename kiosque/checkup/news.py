"""Compare a check with what was last told: what is new, worse, or over."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from kiosque.checkup.findings import Level, Result
from kiosque.checkup.installation import Installation
from kiosque.language import clock
from kiosque.monitoring.memory import Memory, ToldTrouble
from kiosque.settings.rules import WEEKDAYS

#: From this hour in Paris, the weekly mail leaves.
WEEKLY_HOUR = 8

Troubles = Mapping[str, ToldTrouble]


@dataclass(frozen=True)
class News:
    """The news of a check: by key, the troubles that are new or worse, those that are over, and
    those already told that go on; and whether it is time for the weekly mail."""

    fresh: Troubles
    over: Troubles
    still: Troubles
    weekly: bool

    @property
    def is_due(self) -> bool:
        return bool(self.fresh or self.over or self.weekly)


def compare(installation: Installation, results: Sequence[Result], before: Memory) -> News:
    now = _found_in(results)
    seen = {result.subject for result in results if not result.is_blind}
    if not installation.faults:  # a bank that left the settings has no trouble left
        seen |= {told.subject for told in before.told.values()} - {it.subject for it in results}
    over = {
        key: told for key, told in before.told.items() if key not in now and told.subject in seen
    }
    fresh = {
        key: told
        for key, told in now.items()
        if key not in before.told or told.level > before.told[key].level
    }
    still = {
        key: replace(now.get(key, told), since=told.since)
        for key, told in before.told.items()
        if key not in over and key not in fresh
    }
    return News(fresh, over, still, _is_weekly(installation, before.weekly_on))


def _found_in(results: Sequence[Result]) -> Troubles:
    """Return the troubles that must be told. They are identified by their remedy, since figures and
    ages change from one hour to the next."""
    return {
        _key(result.subject, trouble.advice): ToldTrouble(
            int(trouble.level), result.subject, trouble.what, clock.now()
        )
        for result in results
        for trouble in sorted(result.troubles, key=lambda trouble: trouble.level)
        if trouble.level >= Level.LOOK
    }


def _key(subject: str, advice: str) -> str:
    return hashlib.sha256(f"{subject}\n{advice}".encode()).hexdigest()[:16]


def _is_weekly(installation: Installation, last: date | None) -> bool:
    """Tell whether it is the day and the hour of the weekly mail, or any day if the last one is
    more than a week old. It is due at once the first time, which proves that mail works, and if the
    last one is dated in the future, because the clock was set back."""
    today = clock.today()
    if last is None or last > today:
        return True
    on_its_day = WEEKDAYS[today.weekday()] == installation.weekday and today > last
    return _hour() >= WEEKLY_HOUR and (on_its_day or today - last > timedelta(days=7))


def is_daily_hour() -> bool:
    """Tell whether it is the one hour of the day for mails that cannot be recorded as sent."""
    return _hour() == WEEKLY_HOUR


def _hour() -> int:
    return clock.now().astimezone(clock.PARIS).hour


def next_weekly(weekday: str) -> date:
    """Return the next day of the weekly mail, after today."""
    today = clock.today()
    wanted = WEEKDAYS.index(weekday) if weekday else today.weekday()
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)
