"""A bank's line is kept once, however its files overlap; a gap is told."""

from collections.abc import Sequence
from datetime import date

import pytest

from kiosque.db.models import BankAccount, JournalEntry, Statement, StatementFile, StatementLine
from kiosque.payments import Refused
from kiosque.statements import coverage, loading
from kiosque.statements.accounts import WhichRegie
from kiosque.statements.records import FileKind, Movement
from tests.conftest import dump
from tests.kiosque.statements import books
from tests.kiosque.statements.books import (
    ACCOUNT,
    TWO,
    day,
    lines,
    load,
    movement,
    period,
    statement,
)

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")

OTHER_ACCOUNT = "FR7630001000010000000000099"


def test_a_file_is_kept_once() -> None:
    file = statement(period([movement(day(2), 500), movement(day(3), -200, "FRAIS")], 1000))
    loaded = load(file)
    assert (loaded.lines, loaded.is_known, loaded.regies) == (2, False, [""])
    before = dump()
    assert load(file).is_known
    assert dump() == before
    assert BankAccount.get().number == ACCOUNT
    assert books.faults() == []


def test_two_identical_credits_of_one_day_are_two() -> None:
    same = movement(day(2), 500)
    load(statement(period([same, same])))
    assert [line[-1] for line in lines()] == [1, 2]


def test_files_that_overlap_say_the_same_lines_once() -> None:
    said = [movement(day(number), 100 * number) for number in (2, 3, 3, 4, 5)]
    load(statement(period(said[:4])))
    loaded = load(statement(period(said[1:], 200)))
    assert (loaded.lines, loaded.known_lines) == (1, 3)
    assert [line[1] for line in lines()] == [200, 300, 300, 400, 500]


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1)])
def test_a_day_cut_by_the_balance_between_two_files_has_the_lines_of_both(
    order: Sequence[int],
) -> None:
    same = movement(day(3), 500)
    morning = period([movement(day(2), 100), same], 1000)
    evening = period([same, same, movement(day(4), 50)], 1600, since=day(3))
    whole = period([movement(day(2), 100), same, same, same, movement(day(4), 50)], 1000)
    files = [statement(each) for each in (morning, evening, whole)]
    for number in order:
        load(files[number])
    assert [line[1] for line in lines()] == [100, 500, 500, 500, 50]
    assert coverage.gaps("") == []
    assert books.balances() == {"account": 1000, "opening": -1000}


def test_a_gap_between_two_statements_is_told_and_filled() -> None:
    load(statement(period([movement(day(17), 100)], 1000)))
    load(statement(period([movement(day(23), 100)], 1500, since=day(21))))
    assert coverage.gaps("") == [
        "Il manque un relevé entre le 17\u00a0novembre\u00a02026 et le 21\u00a0novembre\u00a02026."
    ]
    assert coverage.missing_days("", "2026-11") == [
        (day(1), day(16)), (day(18), day(21)), (day(24), day(30)),
    ]  # fmt: skip
    load(statement(period([movement(day(19), 400)], 1100, since=day(17), until=day(21))))
    assert coverage.gaps("") == []
    assert coverage.missing_days("", "2026-11") == [(day(1), day(16)), (day(24), day(30))]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0), (0, 2)])
def test_a_file_that_begins_within_a_day_told_whole_tells_of_no_gap(order: Sequence[int]) -> None:
    one, two = movement(day(2), 100), movement(day(2), 500)
    files = [
        period([one, two], 1000),
        period([], 1600, since=day(2), until=day(6)),
        period([two], 1100, since=day(2)),
    ]
    for number in order:
        load(statement(files[number]))
    assert coverage.gaps("") == []


def test_a_gap_within_a_day_is_told() -> None:
    load(statement(period([movement(day(2), 100)], 1000)))
    load(statement(period([movement(day(2), 500)], 1300, since=day(2))))
    load(statement(period([movement(day(4), 5)], 1800, since=day(2))))
    assert coverage.gaps("") == ["Il manque un relevé du 2\u00a0novembre\u00a02026."]
    assert coverage.missing_days("", "2026-11") == [(day(1), day(2)), (day(5), day(30))]


def test_days_without_a_movement_between_two_statements_are_covered() -> None:
    load(statement(period([movement(day(2), 100)], since=day(-0), until=day(17))))
    load(statement(period([movement(day(24), 100)], 100, since=day(21), until=day(30))))
    assert coverage.gaps("") == []
    assert coverage.missing_days("", "2026-11") == []
    assert coverage.grade("", "2026-11") == coverage.Grade.STATEMENT
    assert coverage.grade("", "2026-12") == coverage.Grade.NONE


def test_statements_without_balances_follow_each_other_over_a_weekend() -> None:
    load(statement(period([movement(day(6), 1)], None), kind=FileKind.CSV))
    load(statement(period([movement(day(9), 1)], None), kind=FileKind.CSV))
    assert coverage.gaps("") == []
    load(statement(period([movement(day(13), 1)], None), kind=FileKind.CSV))
    assert coverage.gaps("") == [
        "Il manque un relevé entre le 9\u00a0novembre\u00a02026 et le 12\u00a0novembre\u00a02026."
    ]


MONTH = [movement(day(2), 100, "VIR A"), movement(day(3), 200, "VIR B"), movement(day(4), 5)]


def test_another_kind_of_file_that_agrees_adds_nothing() -> None:
    load(statement(period(MONTH, 50)))
    other = [movement(each.booked_on, each.cents, f"en d’autres mots {each.label}")
             for each in MONTH]  # fmt: skip
    loaded = load(statement(period(other, 50), kind=FileKind.OFX))
    assert (loaded.lines, loaded.known_lines) == (0, 3)


@pytest.mark.parametrize(
    "told",
    [
        [MONTH[0], MONTH[2]],
        [MONTH[0], MONTH[1], movement(day(3), 7), MONTH[2]],
        [MONTH[0], movement(day(3), 201, "VIR B"), MONTH[2]],
    ],
)
@pytest.mark.parametrize("kind", [FileKind.CFONB, FileKind.OFX])
def test_a_file_that_contradicts_another_is_refused_and_changes_nothing(
    told: list[Movement], kind: FileKind
) -> None:
    load(statement(period(MONTH, 50)))
    before = dump()
    with pytest.raises(Refused, match="03/11/2026"):
        load(statement(period(told, 50), kind=kind))
    assert dump() == before


def test_a_file_of_the_same_kind_may_end_before_the_day_does() -> None:
    """Of the last day of a file without balances, the next says more."""
    load(statement(period(MONTH[:2], None), kind=FileKind.CSV))
    more = [*MONTH[:2], movement(day(3), 200, "VIR B"), MONTH[2]]
    assert load(statement(period(more, None), kind=FileKind.CSV)).lines == 2


def entries() -> list[tuple[str, str, int, int | None]]:
    return [
        (entry.debit, entry.credit, entry.amount_cents, entry.corrects)
        for entry in JournalEntry.select().order_by(JournalEntry.number)
    ]


def test_the_first_statement_books_what_the_account_held() -> None:
    load(statement(period([movement(day(12), 100)], 5000)))
    assert entries() == [("account", "opening", 5000, None)]
    load(statement(period([movement(day(13), 100)], 5100)))
    assert len(entries()) == 1


def test_an_older_statement_corrects_what_the_books_began_with() -> None:
    load(statement(period([movement(day(12), 100)], 5000)))
    load(statement(period([movement(day(11), 6000)], -1000)))
    assert entries() == [
        ("account", "opening", 5000, None),
        ("opening", "account", 5000, 1),
        ("opening", "account", 1000, None),
    ]
    load(statement(period([movement(day(2), -1000)], since=day(1), until=day(10))))
    assert books.balances() == {}
    assert entries()[-1] == ("account", "opening", 1000, 3)
    assert books.faults() == []


def test_an_account_that_held_nothing_has_no_opening_entry() -> None:
    load(statement(period([movement(day(12), 100)])))
    assert entries() == []


def test_lines_older_than_the_first_balance_are_not_counted_twice() -> None:
    load(statement(period([movement(day(12), 100)], 5000)))
    load(statement(period([movement(day(2), 700)], None), kind=FileKind.CSV))
    assert books.balances() == {"account": 4300, "opening": -4300}


def test_the_account_of_another_regie_is_refused() -> None:
    load(statement(period([movement(day(2), 1)])), "", TWO)
    load(statement(period([movement(day(2), 1)], account=OTHER_ACCOUNT)), "creche", TWO)
    with pytest.raises(Refused, match="autre régie"):
        load(statement(period([movement(day(3), 1)], 1, account=OTHER_ACCOUNT)), "", TWO)
    mine = {"": TWO[""]}
    with pytest.raises(Refused, match="autre régie"):
        load(statement(period([movement(day(3), 1)], 1, account=OTHER_ACCOUNT)), None, mine)
    assert {each.regie for each in Statement.select()} == {"", "creche"}


def test_a_regie_has_one_account() -> None:
    load(statement(period([movement(day(2), 1)])))
    with pytest.raises(Refused, match=ACCOUNT):
        load(statement(period([movement(day(3), 1)], account=OTHER_ACCOUNT)))
    assert StatementFile.select().count() == 1


def test_a_person_says_whose_the_first_account_is_where_there_are_several_regies() -> None:
    file = statement(period([movement(day(2), 1)]))
    with pytest.raises(WhichRegie):
        load(file, None, TWO)
    assert load(file, "creche", TWO).regies == ["creche"]
    assert load(statement(period([movement(day(3), 1)], 1)), None, TWO).regies == ["creche"]


def test_the_number_of_an_account_is_known_within_its_iban() -> None:
    load(statement(period([movement(day(2), 1)])), "creche", TWO)
    for number in (ACCOUNT[14:25], ACCOUNT[4:25], ACCOUNT[4:]):
        load(statement(period([movement(day(3), 1)], 1, account=number)), None, TWO)
    assert BankAccount.select().count() == 1


def test_a_statement_without_a_movement_still_tells_of_its_days() -> None:
    load(statement(period([], 500, since=date(2026, 10, 31), until=day(30))))
    assert coverage.missing_days("", "2026-11") == []
    assert StatementLine.select().count() == 0


def test_nobody_loads_without_a_name() -> None:
    with pytest.raises(Refused):
        loading.load(statement(), "x", "0", regie=None, regies=TWO, author=" ")


def test_many_days_that_files_cut_cost_no_more_questions_than_one(queries: list[str]) -> None:
    asked = []
    for number in range(1, 12):
        held, noon = 300 * number, day(number + 1)
        load(statement(period([movement(noon, 100)], held, since=day(number), until=noon)))
        load(statement(period([movement(noon, 200)], held + 100, since=noon, until=noon)))
        queries.clear()
        assert coverage.gaps("") == []
        asked.append(len(queries))
    assert len(set(asked)) == 1
