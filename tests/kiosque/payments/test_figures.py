"""The figures of a month: what was collected by day, mode and service, and what is unpaid."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque import payments
from kiosque.db.models import Family, Invoice
from kiosque.db.states import RepaymentKind
from kiosque.language import clock
from kiosque.payments import figures
from kiosque.payments.shares import share
from tests.conftest import make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter

CAPTURED = {"trans_status": "CAPTURED"}
MONTH = date(2026, 11, 1)
LINES = st.lists(st.integers(1, 100_000), min_size=1, max_size=8)


@given(LINES, st.data())
def test_shares_add_up_and_the_whole_gives_the_lines_themselves(
    lines: list[int], data: st.DataObject
) -> None:
    total = sum(lines)
    cents = data.draw(st.integers(0, total))
    found = share(cents, lines)
    assert sum(found) == cents
    assert all(0 <= part <= line for part, line in zip(found, lines, strict=True))
    assert share(total, lines) == lines


def test_a_deduction_takes_its_share_and_nothing_is_shared_of_nothing() -> None:
    assert share(4000, [5000, -1000]) == [5000, -1000]
    assert share(1, [1, 1, 1]) == [1, 0, 0]
    with pytest.raises(ValueError, match="nothing"):
        share(1, [5, -5])


def test_money_of_the_month_is_told_by_day_mode_and_service(
    go: Pay, hear: Hear, two_services: Invoice, october: Invoice
) -> None:
    at_counter(two_services)
    hear(go(october)[1], **CAPTURED)
    found = figures.collected([""], MONTH)
    assert found.cents == 9040
    assert found.by_day == {clock.today(): 9040}
    assert sorted(found.by_mode.values()) == [4520, 4520]
    assert {online for online, _mode in found.by_mode} == {True, False}
    assert (found.by_service["Repas"], found.by_service["Accueil"]) == (3000, 1520)
    assert found.by_service.total() == 9040


def test_a_part_is_shared_between_the_services_of_its_invoice(two_services: Invoice) -> None:
    payment = payments.CounterPayment(two_services.number, 1000, "cash", clock.today(), "D", "reçu")
    payments.settle_at_counter([payment], {})
    found = figures.collected([""], MONTH)
    assert (found.by_service["Repas"], found.by_service["Accueil"]) == (664, 336)


def test_what_has_left_again_is_taken_off(go: Pay, hear: Hear, october: Invoice) -> None:
    hear(go(october)[1], **CAPTURED)
    settlement = payments.find_settlement(october.number)
    payments.record_repayment(settlement, RepaymentKind.REFUND, 1000, "D", "absence")
    assert figures.collected([""], MONTH).cents == 3520
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "D", "avis")
    assert figures.collected([""], MONTH).cents == 0


def test_another_month_and_another_regie_are_apart(go: Pay, hear: Hear, october: Invoice) -> None:
    hear(go(october)[1], **CAPTURED)
    assert figures.collected([""], date(2026, 10, 31)).cents == 0
    assert figures.collected(["creche"], MONTH).cents == 0
    assert figures.collected([], MONTH).cents == 0
    assert figures.unpaid([]) == [0, 0, 0, 0]


@pytest.mark.parametrize(("late", "age"), [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3)])
def test_what_is_unpaid_is_told_by_age(alices_family: Family, late: int, age: int) -> None:
    invoice = make_invoice(alices_family, "2026-11-0009", 4520)
    payment = payments.CounterPayment(invoice.number, 1000, "cash", clock.today(), "D", "reçu")
    payments.settle_at_counter([payment], {})
    Invoice.update(due_on=clock.today() - timedelta(days=late)).execute()
    assert [bool(cents) for cents in figures.unpaid([""])] == [at == age for at in range(4)]
    assert sum(figures.unpaid([""])) == 3520


def test_what_the_treasury_was_paid_is_none_of_the_regies(october: Invoice) -> None:
    payment = payments.CounterPayment(
        october.number, 1000, "treasury", clock.today(), "D", "avis du Trésor"
    )
    payments.settle_at_counter([payment], {})
    assert figures.collected([""], MONTH).cents == 0
