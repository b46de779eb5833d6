"""The days on which French banks work."""

from datetime import date

from kiosque.statements import workdays


def test_the_holidays_of_a_year_are_those_of_the_law() -> None:
    assert {each.strftime("%m-%d") for each in workdays.holidays(2026)} == {
        "01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11",
        "12-25",
    }  # fmt: skip
    assert date(2038, 4, 26) in workdays.holidays(2038)


def test_weekends_and_holidays_are_not_counted() -> None:
    assert workdays.between(date(2026, 11, 10), date(2026, 11, 16)) == 3
    assert workdays.between(date(2026, 11, 16), date(2026, 11, 10)) == 3
    assert workdays.between(date(2026, 11, 14), date(2026, 11, 15)) == 0
