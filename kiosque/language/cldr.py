"""Amounts, numbers and dates in languages other than French, by Unicode's CLDR.

`money` and `clock` write the French ones, which follow the rules of French typography to the
space, and come here for the rest.
"""

from datetime import date, time
from decimal import Decimal

from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal

from kiosque.language.catalogue import locale


def euros(cents: int) -> str:
    """`€1,234.56` in English."""
    return format_currency(Decimal(cents) / 100, "EUR", locale=locale())


def hundredths(value: int) -> str:
    """`1,234.5` in English."""
    return format_decimal(Decimal(value) / 100, "#,##0.##", locale=locale())


def short_date(on: date) -> str:
    return format_date(on, "short", locale=locale())


def long_date(on: date) -> str:
    """`3 October 2025` in English."""
    return format_date(on, "long", locale=locale())


def month(on: date) -> str:
    """`October 2025` in English."""
    return format_skeleton("yMMMM", on, locale=locale())


def hour(at: time) -> str:
    """`20:45` in English."""
    return format_time(at, "short", locale=locale())
