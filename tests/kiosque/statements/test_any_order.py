"""Whatever the files are, and the order they come in, the lines and their matches are the same."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise, permutations
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosque import db
from kiosque.db import models
from kiosque.db.models import Anomaly, BankOperation, Settlement
from kiosque.statements import coverage, matching
from kiosque.statements.records import FileKind, Movement, ParsedFile
from tests import fresh_databases
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

    def file(self, first: int, last: int) -> ParsedFile:
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
        within = st.integers(1, max(1, len(of_day) - 1))
        places = sorted(draw(st.sets(within, max_size=2))) if len(of_day) > 1 else []
        cuts += [Cut(len(movements) + place, on) for place in places]
        movements += of_day
        cuts.append(Cut(len(movements), on))
    return Month(movements, cuts)


@st.composite
def files_of(draw: Any, month: Month) -> list[ParsedFile]:
    """Files that hold the whole month, some of them twice over, in any order."""
    last = len(month.cuts) - 1
    ends = sorted({0, last, *draw(st.sets(st.integers(1, last - 1)))})
    spans = list(pairwise(ends))
    spans += draw(st.lists(st.tuples(st.integers(0, last - 1), st.integers(1, last)), max_size=3))
    return [month.file(*span) for span in draw(st.permutations(spans)) if span[0] < span[1]]


@pytest.mark.slow
@fresh_databases.on_sqlite  # about what files say: one database is enough
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_overlap_or_split_of_files_gives_the_same(
    frozen: Clock, data: st.DataObject
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_databases.ready(Path(folder)) as location,
        db.elsewhere(location),
    ):
        alices_family = make_family("F1001", "Martin")
        payments = [books.paid(alices_family, 5000 + number, NOVEMBER) for number in range(4)]
        month = data.draw(months(payments))
        files = data.draw(files_of(month))
        for file in files:
            before = books.lines()
            is_new = not books.load(file).is_known
            if data.draw(st.booleans()):
                matching.match_all("")
            if is_new and data.draw(st.booleans()):
                books.undo_last()
                assert books.lines() == before
                books.load(file)
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


#: Movements that go both ways, so that a balance comes back within a day.
BOTH_WAYS = [(10, "VIR"), (-10, "VIR"), (20, "VIR"), (-20, "REJET")]
Spans = Sequence[tuple[int, int]]


@pytest.mark.parametrize(
    ("said", "spans"),
    [
        ([0, 3, 2, 1, 3], [(1, 4), (2, 3), (0, 1)]),
        ([2, 1, 0, 0, 1, 3], [(0, 5), (0, 6), (0, 1), (1, 5)]),
        ([2, 1, 0, 3, 0, 0, 0], [(0, 1), (1, 2), (2, 3)]),
        ([1, 2, 3, 3], [(2, 4), (0, 1), (0, 3), (1, 2)]),
        ([2, 2, 1, 2, 3, 1], [(0, 6), (4, 5), (4, 6), (3, 4)]),
        ([0, 2, 2, 1, 3, 2, 1, 0], [(2, 5), (0, 2), (3, 7), (5, 8)]),
    ],
)
@pytest.mark.usefixtures("frozen")
def test_a_balance_that_comes_back_within_a_day_joins_no_more_than_there_is(
    said: list[int], spans: Spans
) -> None:
    _require_the_same([BOTH_WAYS[each] for each in said], [*permutations(spans)][:6])


@pytest.mark.parametrize("order", [*permutations([(0, 2), (2, 4), (4, 6)])])
@pytest.mark.usefixtures("empty_database", "frozen")
def test_files_that_follow_one_another_within_a_day_lose_nothing(order: Spans) -> None:
    said = [(-103, "COMMISSION"), (8520, "REMISE"), *[(-103, "COMMISSION")] * 4]
    for span in order:
        books.load(_of_one_day(said, *span))
    assert Counter((line[1], line[2]) for line in books.lines()) == Counter(said)


@pytest.mark.usefixtures("empty_database", "frozen")
def test_files_that_share_too_many_movements_to_compare_are_not_added_up() -> None:
    said = [(2**at, "VIR") for at in range(30)] + [(1 - 2**30, "REJET")]
    twice = [*said, (5, "VIR"), *said]
    for span in ((0, 32), (32, 63)):
        books.load(_of_one_day(twice, *span))
    assert len(books.lines()) == 32
    assert _is_lacking()
    books.load(_of_one_day(twice, 0, 63))
    assert len(books.lines()) == 63
    assert not _is_lacking()


@pytest.mark.slow
@fresh_databases.on_sqlite
@pytest.mark.parametrize(("many", "seed"), [(15, 1), pytest.param(200, 2, marks=pytest.mark.proof)])
@pytest.mark.usefixtures("frozen")
def test_where_a_balance_comes_back_within_a_day_any_order_gives_the_same(
    many: int, seed: int
) -> None:
    random = Random(seed)
    for _ in range(many):
        said = random.choices(BOTH_WAYS, k=random.randint(3, 7))
        ends = sorted({0, len(said), *random.sample(range(len(said)), random.randint(1, 3))})
        more = random.choices([*combinations(ends, 2)], k=random.randint(0, 2))
        spans = [*pairwise(ends), *(span for span in more if span != (0, len(said)))]
        _require_the_same(said, [spans, random.sample(spans, len(spans))])


def _require_the_same(said: Sequence[tuple[int, str]], orders: Iterable[Spans]) -> None:
    """Load these files of a day in each order, then the file that begins after them: the lines are
    the same, no more than there are, and if there are more it is said; a file of the whole day
    makes them all."""
    truth, found = Counter(said), []
    for spans in orders:
        with (
            tempfile.TemporaryDirectory() as folder,
            fresh_databases.ready(Path(folder)) as location,
            db.elsewhere(location),
        ):
            for span in (*spans, (len(said), len(said))):
                books.load(_of_one_day(said, *span))
            found.append((books.lines(), _is_lacking()))
            told = Counter((line[1], line[2]) for line in books.lines())
            assert told == truth or (told <= truth and _is_lacking())
            books.load(_of_one_day(said, 0, len(said)))
            assert Counter((line[1], line[2]) for line in books.lines()) == truth
            assert not _is_lacking()
            assert books.faults() == []
    assert all(each == found[0] for each in found)


def _is_lacking() -> bool:
    """Tell whether the page and the step of the month say that a statement of the day lacks."""
    told = any(since <= NOVEMBER <= until for since, until in coverage.missing_days("", "2026-11"))
    assert told or coverage.gaps("") == []
    return told


def _of_one_day(said: Sequence[tuple[int, str]], first: int, last: int) -> ParsedFile:
    """A file of the movements of one day, from one of them to another."""
    since = NOVEMBER if first else NOVEMBER - timedelta(days=1)
    until = NOVEMBER + timedelta(days=last == len(said))
    opening = 1000 + sum(cents for cents, _ in said[:first])
    told = [books.movement(NOVEMBER, *each) for each in said[first:last]]
    return statement(period(told, opening, since=since, until=until))


def three_of_one_day(first: int, last: int) -> ParsedFile:
    """A file of three movements of one day that are the same, from one of them to another."""
    said = [books.movement(NOVEMBER, 10)] * (last - first)
    since = NOVEMBER if first else NOVEMBER - timedelta(days=1)
    until = NOVEMBER + timedelta(days=last == 3)
    return statement(period(said, 1000 + 10 * first, since=since, until=until))


@pytest.mark.parametrize(
    "cuts",
    [
        [(0, 2), (0, 1), (1, 3)],
        [(0, 1), (2, 3), (1, 2)],
        [(0, 1), (1, 3), (0, 2), (2, 3)],
        [(0, 2), (1, 3), (0, 3)],
    ],
)
@pytest.mark.usefixtures("frozen")
def test_the_same_three_times_in_a_day_is_three_whatever_file_begins_between(
    cuts: Sequence[tuple[int, int]], tmp_path: Path
) -> None:
    for number, order in enumerate(permutations(cuts)):
        (folder := tmp_path / str(number)).mkdir()
        with fresh_databases.ready(folder) as location, db.elsewhere(location):
            for cut in order:
                books.load(three_of_one_day(*cut))
            assert [line[1] for line in books.lines()] == [10, 10, 10], order
            assert coverage.gaps("") == []


@pytest.mark.usefixtures("empty_database", "frozen")
def test_files_that_no_balance_joins_tell_of_a_gap() -> None:
    for cut in ((0, 2), (1, 3)):
        books.load(three_of_one_day(*cut))
    assert coverage.gaps("") == ["Il manque un relevé du 1er\u00a0novembre\u00a02026."]


@st.composite
def journals(draw: Any, payments: Sequence[Any]) -> list[ParsedFile]:
    """Journals that overlap, and tell some payments twice: under another number, or in another
    remittance."""
    told = [
        books.operation(payment, 20, remittance=remittance, **changes)
        for payment in payments
        for remittance in ("R7", "R8")
        for changes in ({}, {"transaction_id": f"89999{payment.id}"}, {"order_reference": ""})
    ]
    some = st.lists(
        st.sampled_from(told),
        min_size=1,
        max_size=4,
        unique_by=lambda each: (each.transaction_id, each.remittance),
    )
    files = [books.jrb(*each) for each in draw(st.lists(some, min_size=2, max_size=4))]
    bare = [books.operation(payment, None, remitted_on=None, status="CAPTURE")
            for payment in draw(st.lists(st.sampled_from(payments), unique=True))]  # fmt: skip
    return [*files, ParsedFile(FileKind.JO, operations=tuple(bare))]


def told_by(files: Sequence[ParsedFile]) -> list[list[tuple[object, ...]]]:
    """Return what these files say of the payments, and what it leads to look at."""
    for model in (models.ToldOperation, BankOperation, models.StatementFile, Anomaly):
        model.delete().execute()
    for file in files:
        books.load(file)
        matching.match_all("")
    columns = (
        BankOperation.paid_on, BankOperation.transaction_id, BankOperation.order_reference,
        BankOperation.fee_cents, BankOperation.remitted_on, BankOperation.remittance,
        BankOperation.settlement,
    )  # fmt: skip
    points = Anomaly.select(Anomaly.key).where(Anomaly.resolved_at.is_null())
    found = BankOperation.select(*columns)
    return [sorted(map(repr, each.tuples())) for each in (found, points)]


@pytest.mark.slow
@fresh_databases.on_sqlite
@pytest.mark.usefixtures("empty_database", "frozen")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_of_journals_tells_the_same_of_the_payments(data: st.DataObject) -> None:
    payments = list(Settlement.select().order_by(Settlement.id))
    if not payments:
        alices_family = make_family("F1001", "Martin")
        payments = [books.paid(alices_family, 5000, NOVEMBER) for _ in range(2)]
    files = data.draw(journals(payments))
    assert told_by(files) == told_by(data.draw(st.permutations(files)))
