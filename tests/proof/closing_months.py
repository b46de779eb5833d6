"""Months that régies close, or may not: on the portal, and in the books."""

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from kiosque import payments
from kiosque.closings import closing
from kiosque.closings.closing import Request
from kiosque.closings.months import Month, last_number
from kiosque.language import clock
from kiosque.payments import CounterPayment, Refused
from kiosque.payments.closed_months import is_closed, last_closed
from tests.proof import audit
from tests.proof.stage import dump, rows

if TYPE_CHECKING:
    from tests.proof.machine import Town

_REASON = "sans relevé"
#: What was collected until an entry of the journal, is in no deposit and is not kept back.
_LEFT = """
    SELECT COUNT(*) FROM revenue JOIN settlement ON settlement.id = settlement_id
    WHERE regie = '{regie}' AND journal_number <= {number}
        AND NOT EXISTS (SELECT 1 FROM deposit_line WHERE revenue_id = revenue.id)
        AND NOT EXISTS (SELECT 1 FROM kept_back WHERE revenue_id = revenue.id AND ended_at IS NULL)
"""


def close(town: "Town", regie: str) -> None:
    """Close the month before this one, or the one after the last that was closed. Refused where
    something that it collected is neither paid over nor kept back."""
    last = last_closed(regie)
    month = Month.named(last).following if last else Month.of(clock.today()).previous
    ((left,),) = rows(_LEFT.format(regie=regie, number=last_number(month)))
    before = dump()
    try:
        closing.close(regie, month, Request("Dominique", _REASON))
    except Refused:
        assert dump() == before
        return
    assert not left, "a month was closed before all of it was paid over"
    assert clock.now() >= month.ends_at
    assert audit.faults(town) == [], "a month that was closed is not what it says"
    _refuse(regie, month, "a month was closed twice")
    if clock.now() < month.following.ends_at:
        _refuse(regie, month.following, "a month was closed before its end")


def _refuse(regie: str, month: Month, why: str) -> None:
    before = dump()
    try:
        closing.close(regie, month, Request("Dominique", _REASON))
    except Refused:
        assert dump() == before
    else:
        raise AssertionError(why)


def pay_late(town: "Town", number: str, days: int) -> None:
    """Somebody notes money of so many days ago, in a month that is closed: it is refused."""
    on = town.clock.at.date() - timedelta(days=days)
    assert is_closed(town.books.bills[number].regie, on)
    before = dump()
    with contextlib.suppress(Refused):
        payments.settle_at_counter(
            [CounterPayment(number, None, "cash", on, "Dominique", "retrouvé")]
        )
    assert dump() == before, "money was dated in a month that was closed"
