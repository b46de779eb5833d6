"""Instants are UTC, days are Paris's."""

from datetime import UTC, date, datetime

from kiosque.language import clock, formats


def test_the_day_in_paris_begins_before_the_day_in_utc() -> None:
    assert clock.paris_date(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2027, 1, 1)
    assert clock.paris_date(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == date(2026, 7, 1)


def test_the_repeated_hour_of_october_is_told_as_people_read_it() -> None:
    assert formats.paris_hour(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "2\u00a0h\u00a030"
    assert formats.paris_hour(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == "2\u00a0h\u00a030"


def test_dates_are_written_in_french() -> None:
    assert formats.long_date(date(2026, 5, 1)) == "1er\u00a0mai\u00a02026"
    assert formats.long_date(date(2028, 2, 29)) == "29\u00a0février\u00a02028"
    assert formats.short_date(date(2025, 10, 3)) == "03/10/2025"


def test_a_school_year_begins_in_september() -> None:
    assert clock.school_year(date(2026, 8, 31)) == 2025
    assert clock.school_year(date(2026, 9, 1)) == 2026


def test_the_clock_is_aware_and_in_utc() -> None:
    assert clock.now().tzinfo is UTC
