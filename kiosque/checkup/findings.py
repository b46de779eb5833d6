"""The result of a check: its level, a few words of what was seen, each trouble with its remedy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum


class Level(IntEnum):
    """Severity of a trouble; the worst of several is the greatest."""

    GOOD = 0
    UNKNOWN = 1
    LOOK = 2
    BROKEN = 3


WORDS = {
    Level.GOOD: "bon",
    Level.UNKNOWN: "non vérifié",
    Level.LOOK: "à regarder",
    Level.BROKEN: "en panne",
}


@dataclass(frozen=True)
class Trouble:
    """Something wrong and its remedy, both in French. Neither ever holds a secret."""

    level: Level
    what: str
    advice: str


@dataclass(frozen=True)
class Result:
    """The result of one subject: a few words of what was seen, and its troubles.
    `certificate_ends_at` is set by the check that saw the site's certificate; `whole` is False for
    a check that did not finish."""

    subject: str
    detail: str = ""
    troubles: Sequence[Trouble] = field(default=())
    certificate_ends_at: datetime | None = None
    whole: bool = True

    @property
    def is_blind(self) -> bool:
        """Return True if the check may have missed a trouble."""
        unknown = any(trouble.level == Level.UNKNOWN for trouble in self.troubles)
        return unknown or not self.whole

    @property
    def level(self) -> Level:
        return max((trouble.level for trouble in self.troubles), default=Level.GOOD)


class Findings:
    """Collect what one check sees and finds wrong, then give its `result`."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.troubles: list[Trouble] = []
        self.certificate_ends_at: datetime | None = None

    def see(self, words: str) -> None:
        self.seen.append(words)

    def broken(self, what: str, advice: str) -> None:
        self.troubles.append(Trouble(Level.BROKEN, what, advice))

    def look(self, what: str, advice: str) -> None:
        self.troubles.append(Trouble(Level.LOOK, what, advice))

    def unknown(self, what: str, advice: str) -> None:
        self.troubles.append(Trouble(Level.UNKNOWN, what, advice))

    def result(self, subject: str) -> Result:
        detail = "\u00a0; ".join(self.seen)
        return Result(subject, detail, tuple(self.troubles), self.certificate_ends_at)
