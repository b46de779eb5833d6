"""The working days of French banks, in which their delays of payment are counted."""

from datetime import date, timedelta
from functools import lru_cache

#: Month and day of the holidays with a fixed date.
_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
#: Days after Easter: its Monday, Ascension, Whit Monday.
_AFTER_EASTER = (1, 39, 50)


def between(first: date, last: date) -> int:
    """Return the number of working days between two days, in either order. It loops over the days:
    use it for some weeks at most."""
    first, last = sorted((first, last))
    days = (first + timedelta(days=number + 1) for number in range((last - first).days))
    return sum(1 for day in days if is_workday(day))


def is_workday(day: date) -> bool:
    return day.weekday() < 5 and day not in holidays(day.year)


@lru_cache(64)
def holidays(year: int) -> frozenset[date]:
    """Return the public holidays of a year in France."""
    moved = (_easter(year) + timedelta(days=days) for days in _AFTER_EASTER)
    return frozenset((*(date(year, month, day) for month, day in _FIXED), *moved))


def _easter(year: int) -> date:
    """Return Easter Sunday, by the method of Butcher (Nature, 20 April 1876)."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap, rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap - correction + 15) % 30
    weekday = (32 + 2 * rest + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
