"""All that a final deposit says, in the form that is stored: its paper, table and entries are made
from it."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self

from kiosque.deposits.drafts import DepositDraft
from kiosque.deposits.lost_numbers import lost_before
from kiosque.deposits.sums import RevenueLine
from kiosque.deposits.titles import title_of
from kiosque.language import clock
from kiosque.settings import Settings


@dataclass(frozen=True)
class Bordereau(DepositDraft):
    """A deposit, with the names of the day: the town's letterhead, the *régie*'s and its
    *régisseur*'s. `made_at` is an instant, as ISO 8601 writes it; `lost`, the numbers before it
    that were lost when the database was put back."""

    number: int
    made_at: str
    author: str
    regie_name: str
    regisseur: str
    town: dict[str, Any]
    lost: str = ""

    @classmethod
    def of(
        cls, settings: Settings, draft: DepositDraft, number: int, at: datetime, author: str
    ) -> Self:
        regie = settings.regie_named(draft.regie)
        names = (regie.name, regie.regisseur, dict(settings.town.letterhead))
        said = (number, at.isoformat(), author)
        lost = lost_before(draft.regie, clock.paris_date(at).year, number)
        return cls(draft.regie, draft.up_to, draft.lines, *said, *names, lost)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `written` gave."""
        found = json.loads(text)
        return cls(**{**found, "lines": tuple(RevenueLine(*line) for line in found["lines"])})

    @property
    def written(self) -> str:
        """The whole of it, as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    @property
    def on(self) -> date:
        return clock.paris_date(self.at)

    @property
    def title(self) -> str:
        return title_of(self.on.year, self.number, self.regie)

    @property
    def period(self) -> tuple[date, date]:
        """The first and last days of what it pays over, in Paris."""
        days = sorted(line.day for line in self.lines)
        return date.fromisoformat(days[0]), date.fromisoformat(days[-1])
