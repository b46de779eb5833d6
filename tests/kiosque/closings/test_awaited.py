"""Payments that the account has yet to receive: the same whether months are closed or not."""

from datetime import date

from kiosque.closings import closing
from kiosque.closings.awaited import awaited
from kiosque.db.models import Family, LineMatch
from kiosque.statements import matching
from tests.conftest import Clock
from tests.kiosque.closings.conftest import NOVEMBER, Online, Told, in_december
from tests.kiosque.closings.test_closing import DOMINIQUE, keep_all_back


def test_what_a_closed_month_left_is_awaited_still_and_what_came_since_too(
    online: Online, told: Told, alices_family: Family, frozen: Clock
) -> None:
    told(lines=[(25, 4520, online(alices_family, "A", 4520))])
    online(alices_family, "B", 1000)
    keep_all_back()
    in_december(frozen)
    assert awaited("")[:2] == (1, 1000)
    closing.close("", NOVEMBER, DOMINIQUE)
    assert awaited("")[:2] == (1, 1000)
    online(alices_family, "C", 300)
    assert awaited("")[:2] == (2, 1300)
    assert awaited("creche")[:2] == (0, 0)


def test_a_credit_of_a_closed_month_that_is_undone_since_is_awaited_again(
    online: Online, told: Told, alices_family: Family, frozen: Clock
) -> None:
    told(lines=[(25, 4520, online(alices_family, "A", 4520))])
    keep_all_back()
    in_december(frozen)
    closing.close("", NOVEMBER, DOMINIQUE)
    assert awaited("")[:2] == (0, 0)
    matching.undo(LineMatch.get().id, "Dominique", "mauvaise ligne")
    assert awaited("")[:2] == (1, 4520)


def test_where_no_month_is_ever_closed_a_year_is_summed_up_and_said(
    online: Online, alices_family: Family, frozen: Clock
) -> None:
    online(alices_family, "A", 4520)
    assert awaited("") == (1, 4520, None)
    frozen.advance(days=400)
    online(alices_family, "B", 1000)
    assert awaited("") == (1, 1000, date(2026, 12, 1))
