"""A load of a bank's file is undone whole: the rows are as before it, the journal aside."""

from collections.abc import Sequence

import pytest

from kiosque.db import database
from kiosque.db.models import (
    Anomaly,
    Family,
    JournalEntry,
    MonthClosing,
    Statement,
    StatementFile,
    StatementLine,
)
from kiosque.db.statement_words import MatchKind
from kiosque.language import clock
from kiosque.payments import Refused
from kiosque.statements import coverage, matching, undoing
from kiosque.statements.records import Movement
from kiosque.statements.records import ParsedFile as Read
from tests.conftest import make_family
from tests.kiosque.statements import books
from tests.kiosque.statements.books import (
    day,
    jrb,
    load,
    movement,
    operation,
    paid,
    period,
    reference,
    statement,
)

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")

#: What only grows: the journal, and the list of files.
GROWS = ("journal_entry", "statement_file")


@pytest.fixture
def family() -> Family:
    return make_family("F1001", "Martin")


def rows() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, but for what was set aside since the journal cites it."""
    is_aside = "substr(regie, length(regie), 1) = '!'"
    aside = {
        "statement": is_aside,
        "statement_line": is_aside,
        "line_match": f"line_id IN (SELECT id FROM statement_line WHERE {is_aside})",
    }
    return {
        table: sorted(
            map(
                repr,
                database.execute_sql(
                    f"SELECT * FROM {table} WHERE NOT ({aside.get(table, '1 = 0')})"
                ).fetchall(),
            )
        )
        for table in database.get_tables()
        if table not in GROWS
    }


def undo(number: int | None = None) -> StatementFile:
    return undoing.undo(number, "Dominique", "mauvais fichier") if number else books.undo_last()


def loaded(*files: Read) -> None:
    for file in files:
        load(file)
        matching.match_all("")


def test_the_first_statement_undone_leaves_nothing(family: Family) -> None:
    payments = [paid(family, 4520, day(2)), paid(family, 3000, day(3))]
    before, held = rows(), books.balances()
    said = [movement(day(3), 4520, reference(payments[0])), movement(day(4), -250, "FRAIS")]
    loaded(statement(period([*said, movement(day(4), 7)], 1000)))
    matching.classify(books_line(-250).id, MatchKind.FEE, "Dominique", "abonnement")
    assert undo().undone_by == "Dominique"
    assert rows() == before
    assert books.balances() == held
    assert books.faults() == []
    assert coverage.last_told("") is None


def books_line(cents: int) -> StatementLine:
    return StatementLine.get(StatementLine.amount_cents == cents)


def test_a_file_undone_is_loaded_again_as_if_new(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    file = statement(period([movement(day(3), 4520, reference(payment))], 1000))
    loaded(file)
    lines, matches, balances = books.lines(), books.matches(), books.balances()
    undo()
    loaded(file)
    assert books.lines() == lines
    assert books.matches() == matches
    assert books.balances() == balances
    assert books.faults() == []


def test_the_file_before_keeps_its_lines_and_matches(family: Family) -> None:
    payments = [paid(family, 4520, day(2)), paid(family, 3000, day(3))]
    said = [movement(day(number), each.amount_cents, reference(each))
            for number, each in zip((3, 4), payments, strict=True)]  # fmt: skip
    loaded(statement(period(said[:1], 1000)))
    before = rows()
    loaded(statement(period(said, 1000)))
    undo()
    assert rows() == before
    assert books.faults() == []


def test_an_older_statement_undone_gives_back_what_the_books_began_with() -> None:
    loaded(statement(period([movement(day(12), 100)], 5000)))
    before, held = rows(), books.balances()
    loaded(statement(period([movement(day(2), 4000)], 1000, until=day(11))))
    undo()
    assert (rows(), books.balances()) == (before, held)
    assert books.faults() == []


@pytest.mark.parametrize("sums", [(4520, 3000), (3760, 3760)])
def test_a_journal_undone_takes_off_what_it_explained(
    family: Family, sums: tuple[int, int]
) -> None:
    payments = [paid(family, cents, day(2)) for cents in sums]
    loaded(statement(period([movement(day(4), sum(sums) - 40, "REMISE CB NETTE")])))
    loaded(jrb(*(operation(each, None, remitted_on=None) for each in payments)))
    before, held = rows(), books.balances()
    told = jrb(*(operation(each, 20, remittance="R7") for each in payments))
    loaded(told)
    assert books.balances() != held
    undo()
    assert (rows(), books.balances()) == (before, held)
    assert books.faults() == []
    load(Read(told.kind, operations=(*told.operations, operation(payments[0], transaction_id="9"))))
    assert len(matching.match_all("")) == 1


def test_a_journal_that_told_nothing_new_takes_nothing_off(family: Family) -> None:
    payments = [paid(family, cents, day(2)) for cents in (4520, 3000)]
    told = [operation(each, 20, remittance="R7") for each in payments]
    loaded(jrb(*told), statement(period([movement(day(4), 7480, "REMISE CB NETTE")])))
    before, held = rows(), books.balances()
    loaded(jrb(*told[::-1]))
    undo()
    assert (rows(), books.balances()) == (before, held)


def test_a_payment_that_only_a_journal_undone_told_of_is_listed_no_more_until_told_again(
    family: Family,
) -> None:
    told = jrb(operation(paid(family, 4520, day(2)), order_reference="KF" + "f" * 18,
                         transaction_id="899999"))  # fmt: skip
    for _ in range(2):
        loaded(told)
        (point,) = Anomaly.select()
        assert (point.amount_cents, point.resolved_at) == (4520, None)
        undo()
        assert Anomaly.get().resolved_at


@pytest.mark.parametrize(
    "later",
    [
        [movement(day(2), 100), movement(day(3), 100), movement(day(4), 7)],
        [movement(day(3), 100, "A"), movement(day(3), 100, "B")],
    ],
)
def test_a_later_file_that_overlaps_is_undone_first(later: Sequence[Movement]) -> None:
    loaded(statement(period([movement(day(2), 100), movement(day(3), 100)], 0)))
    opening = 0 if later[0].booked_on == day(2) else 100
    loaded(statement(period([*later], opening)))
    before = rows()
    with pytest.raises(Refused, match="d’abord"):
        undo(1)
    assert rows() == before
    undo(2)
    undo(1)
    assert StatementLine.select().where(StatementLine.regie == "").count() == 0


def test_a_later_journal_that_tells_the_same_is_undone_first(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    loaded(jrb(operation(payment, 20)))
    loaded(jrb(operation(payment, 20), operation(payment, 20, transaction_id="9")))
    with pytest.raises(Refused, match="d’abord"):
        undo(1)
    undo(2)
    undo(1)


def test_nothing_of_a_closed_month_is_undone() -> None:
    loaded(statement(period([movement(day(29), 100)], 0, until=day(33))))
    MonthClosing.create(
        regie="", month="2026-11", up_to=0, last_hash="0", balances="{}", gap_cents=0,
        gap_reason="", closed_at=clock.now(), author="Dominique", content="{}",
    )  # fmt: skip
    with pytest.raises(Refused, match="arrêté"):
        undo()


def test_a_load_is_undone_once_by_somebody_with_a_reason() -> None:
    loaded(statement(period([movement(day(2), 100)], 0)))
    with pytest.raises(Refused):
        undoing.undo(1, "Dominique", " ")
    undo()
    entries = JournalEntry.select().count()
    with pytest.raises(Refused, match="déjà"):
        undo(1)
    with pytest.raises(Refused):
        undo(99)
    assert JournalEntry.select().count() == entries
    assert Statement.select().where(Statement.regie == "").count() == 0


def test_a_load_of_before_is_not_undone() -> None:
    loaded(statement(period([movement(day(2), 100)], 0)))
    StatementFile.update(regies="").execute()
    with pytest.raises(Refused, match="avant"):
        undo()
