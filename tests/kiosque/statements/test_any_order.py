"""Whatever the files are, and the order they come in, the lines and their matches are the same."""

import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosque import db
from kiosque.statements import coverage, matching
from kiosque.statements.records import Movement, StatementFile
from tests import bases
from tests.conftest import Clock, make_family
from tests.kiosque.statements import books
from tests.kiosque.statements.books import NOVEMBER, period, statement

DAYS = 6


class Cut(NamedTuple):
    """A place where the bank ends a file: before this movement of the month, on this day."""

    place: int
    on: date


class Month(NamedTuple):
    movements: list[Movement]
    #: At the end of each day; and within some.
    cuts: list[Cut]

    def file(self, first: int, last: int) -> StatementFile:
        start, end = self.cuts[first], self.cuts[last]
        opening = 1000 + sum(each.cents for each in self.movements[: start.place])
        told = self.movements[start.place : end.place]
        return statement(period(told, opening, since=start.on, until=end.on))


@st.composite
def months(draw: Any, payments: Sequence[Any]) -> Month:
    """A month of payments one by one, and of other credits, some the same within a day."""
    movements: list[Movement] = []
    cuts = [Cut(0, NOVEMBER - timedelta(days=1))]
    left = list(payments)
    for number in range(DAYS):
        on = NOVEMBER + timedelta(days=number)
        others = draw(
            st.lists(st.sampled_from([(10, "VIR"), (20, "VIR"), (10, "CHQ")]), max_size=4)
        )
        of_day = [books.movement(on, cents, label) for cents, label in others]
        if left and draw(st.booleans()):
            payment = left.pop()
            of_day.append(books.movement(on, payment.amount_cents, books.reference(payment)))
        of_day = draw(st.permutations(of_day))
        if len(of_day) > 1 and draw(st.booleans()):
            within = draw(st.integers(1, len(of_day) - 1))
            cuts.append(Cut(len(movements) + within, on))
        movements += of_day
        cuts.append(Cut(len(movements), on))
    return Month(movements, cuts)


@st.composite
def files_of(draw: Any, month: Month) -> list[StatementFile]:
    """Files that hold the whole month, some of them twice over, in any order."""
    last = len(month.cuts) - 1
    ends = sorted({0, last, *draw(st.sets(st.integers(1, last - 1)))})
    spans = list(pairwise(ends))
    spans += draw(st.lists(st.tuples(st.integers(0, last - 1), st.integers(1, last)), max_size=3))
    return [month.file(*span) for span in draw(st.permutations(spans)) if span[0] < span[1]]


@pytest.mark.slow
@bases.on_sqlite  # about what files say: one base is enough
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_overlap_or_split_of_files_gives_the_same(
    frozen: Clock, data: st.DataObject
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        bases.ready(Path(folder)) as location,
        db.elsewhere(location),
    ):
        alices_family = make_family("F1001", "Martin")
        payments = [books.paid(alices_family, 5000 + number, NOVEMBER) for number in range(4)]
        month = data.draw(months(payments))
        files = data.draw(files_of(month))
        for file in files:
            books.load(file)
            if data.draw(st.booleans()):
                matching.match_all("")
        matching.match_all("")
        assert [line[:4] for line in books.lines()] == sorted(
            (each.booked_on, each.cents, each.label, each.reference) for each in month.movements
        )
        expected = {each.label for each in month.movements if each.label.startswith("KF")}
        assert {match[0][11:] for match in books.matches()} == expected
        assert coverage.gaps("") == []
        assert books.faults() == []
        assert books.balances().get("account", 0) == 1000 + sum(
            each.cents for each in month.movements if each.label in expected
        )
