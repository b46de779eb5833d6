"""The state at the end of the last closed month, from which the next one is computed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from kiosque.closings.months import Month
from kiosque.db.models import MonthClosing
from kiosque.db.prepared import PreparedQuery

_LAST = PreparedQuery(
    lambda regie, month: (
        MonthClosing.select()
        .where(MonthClosing.regie == regie, MonthClosing.month < month)
        .order_by(MonthClosing.month.desc())
        .limit(1)
    )
)


@dataclass(frozen=True)
class StartingPoint:
    """The end of the last closed month, all zero or empty if there is none: its last day and entry,
    the journal's last entry when it was closed, the balance of the books, and the ids of the
    payments not yet on a statement."""

    until: date = date.min
    number: int = 0
    seen: int = 0
    books_cents: int = 0
    waiting: Sequence[int] = field(default=())


def starting_point(regie: str, month: Month) -> StartingPoint:
    """Return where the last month closed before this one ended."""
    last = next(iter(_LAST.models(regie=regie, month=month.name)), None)
    if last is None:
        return StartingPoint()
    told = json.loads(last.content)["position"]
    return StartingPoint(
        Month.named(last.month).last_on,
        last.up_to,
        told["seen"],
        told["books_cents"],
        told["waiting"],
    )
