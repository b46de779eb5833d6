"""A month of the books."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kiosque.db.models import JournalEntry
from kiosque.language import clock
from kiosque.language.formats import MONTHS


@dataclass(frozen=True, order=True)
class Month:
    """A month, named `2026-10`."""

    year: int
    number: int

    @classmethod
    def named(cls, name: str) -> "Month":
        """Return the month of this name. Raises ValueError for what is no month of this century."""
        first = date.fromisoformat(f"{name}-01")
        if name != f"{first:%Y-%m}" or first.year // 100 != 20:
            raise ValueError(name)
        return cls(first.year, first.month)

    @classmethod
    def of(cls, on: date) -> "Month":
        return cls(on.year, on.month)

    @property
    def name(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def words(self) -> str:
        """The month in French: `octobre 2026`."""
        return f"{MONTHS[self.number - 1]} {self.year}"

    @property
    def first_on(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_on(self) -> date:
        return self.following.first_on - timedelta(days=1)

    @property
    def ends_at(self) -> datetime:
        """The instant at which the next month begins in Paris, in UTC."""
        return clock.midnight_in_paris(self.following.first_on)

    @property
    def following(self) -> "Month":
        return Month.of(self.first_on + timedelta(days=31))

    @property
    def previous(self) -> "Month":
        return Month.of(self.first_on - timedelta(days=1))


def last_number(month: Month) -> int:
    """Return the number of the journal's last entry of a month, or before; 0 without any."""
    entries = JournalEntry.select(JournalEntry.number).where(JournalEntry.at < month.ends_at)
    return entries.order_by(JournalEntry.number.desc()).limit(1).scalar() or 0
