"""The books and the bank's statement are compared to the cent at the end of a month."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import permutations

import pytest

from kiosque import payments
from kiosque.closings import bank_position
from kiosque.closings.bank_position import Position
from kiosque.closings.causes import likely_causes
from kiosque.closings.differences import Item
from kiosque.db.models import Family, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.statements.records import Period
from tests.conftest import Clock
from tests.kiosque.closings.conftest import NOVEMBER, Online, Told, in_december
from tests.kiosque.statements import books


def position() -> Position:
    return bank_position.position("", NOVEMBER)


def test_without_a_statement_nothing_is_compared(online: Online, alices_family: Family) -> None:
    online(alices_family, "A", 4520)
    found = position()
    assert (found.books_cents, found.statement_cents, found.gap_cents) == (4520, None, 0)


def test_what_the_bank_credited_is_the_same_on_both_sides(
    online: Online, told: Told, alices_family: Family
) -> None:
    told(lines=[(25, 4520, online(alices_family, "A", 4520))], opening=1000)
    found = position()
    assert (found.books_cents, found.statement_cents) == (5520, 5520)
    assert (found.items, found.gap_cents, found.waiting) == ([], 0, [])


def test_what_the_bank_has_yet_to_credit_is_explained_for_some_days_then_is_a_gap(
    online: Online, told: Told, alices_family: Family, frozen: Clock
) -> None:
    """The clock stands at Tuesday 24 November: four working days before the end of the month."""
    payment = online(alices_family, "A", 4520)
    in_december(frozen)
    told()
    found = position()
    assert [(item.cents, item.explained) for item in found.items] == [(4520, True)]
    assert (found.gap_cents, found.waiting) == (0, [payment])
    long_ago = datetime(2026, 11, 20, 9, tzinfo=UTC)
    Settlement.update(settled_at=long_ago).where(Settlement.id == payment).execute()
    assert position().gap_cents == 4520


def test_a_line_that_nothing_explains_is_a_gap_with_its_likely_causes(
    online: Online, told: Told, alices_family: Family
) -> None:
    told(lines=[(25, 4520, online(alices_family, "A", 4520)), (26, 1240, None)])
    found = position()
    assert found.gap_cents == -1240
    assert [item.cents for item in found.unexplained] == [-1240]
    assert len(found.causes) == 1


def test_a_balance_that_its_lines_do_not_give_is_a_gap(
    online: Online, told: Told, alices_family: Family
) -> None:
    told(lines=[(25, 4520, online(alices_family, "A", 4520))], closing=4000)
    assert position().gap_cents == 520


def test_a_refund_under_way_is_taken_off_until_the_bank_takes_it(
    online: Online, told: Told, alices_family: Family
) -> None:
    payment = online(alices_family, "A", 4520)
    told(lines=[(25, 4520, payment)])
    refunded = Settlement.get_by_id(payment)
    payments.record_repayment(refunded, RepaymentKind.REFUND, 1000, "Dominique", "absence")
    found = position()
    assert found.books_cents == 3520
    assert [item.cents for item in found.items] == [-1000]
    assert found.gap_cents == 0


def test_what_is_paid_after_the_month_is_not_of_it(
    online: Online, told: Told, alices_family: Family, frozen: Clock
) -> None:
    told(lines=[(25, 4520, online(alices_family, "A", 4520))])
    in_december(frozen)
    online(alices_family, "B", 1000)
    found = position()
    assert (found.books_cents, found.gap_cents, found.items) == (4520, 0, [])


def item(cents: int) -> Item:
    return Item(date(2026, 11, 20), f"de {cents}", cents, explained=False)


def causes(gap: int, *cents: int) -> list[str]:
    found = likely_causes(gap, [item(each) for each in cents])
    return [cause.split("\u00a0")[0] for cause in found]


def test_the_likely_causes_of_a_gap_are_named_at_most_three() -> None:
    assert causes(0, 1240) == []
    assert causes(1240, 500, 1240) == ["même montant"]
    assert causes(1240, 620) == ["compté deux fois"]
    assert causes(9, 1254) == ["chiffres inversés"]
    assert causes(600, 100, 250, 250) == ["ensemble"]
    assert len(causes(100, 100, 100, 100, 100)) == 3


NOON = books.period([books.movement(books.day(29), 100), books.movement(books.day(30), 200)], 1000)
EVENING = books.period(
    [books.movement(books.day(30), 300)], 1300, since=books.day(30), until=books.day(30)
)
AFTER = books.period(
    [books.movement(books.day(31), 50)], 1600, since=books.day(30), until=books.day(40)
)
REST = books.period(
    [books.movement(books.day(30), 300), books.movement(books.day(31), 50)], 1300,
    since=books.day(30), until=books.day(40),
)  # fmt: skip
OVER = books.period([*NOON.movements, *REST.movements], 1000)


@pytest.mark.parametrize(
    "files",
    [
        *permutations([NOON, EVENING, AFTER]),
        *permutations([NOON, REST]),
        *permutations([NOON, OVER]),
    ],
)
@pytest.mark.usefixtures("empty_database", "frozen")
def test_a_file_that_ends_within_the_last_day_of_the_month_is_not_its_balance(
    files: Sequence[Period],
) -> None:
    for each in files:
        books.load(books.statement(each))
    assert position().statement_cents == 1600
