"""Revenue that is kept back from the next deposits, and taken up again."""

from typing import NamedTuple

from peewee import ModelSelect

from kiosque.db import write
from kiosque.db.models import DepositLine, KeptBack, Revenue, Settlement
from kiosque.deposits.drafts import lines_of
from kiosque.deposits.sums import RevenueLine
from kiosque.language import clock
from kiosque.payments.refusals import Refused, require_author_and_reason, why_no_author

NOTHING_LEFT = "De cet encaissement, rien n’est plus à verser."
NOTHING_KEPT = "De cet encaissement, rien n’est gardé."


class KeptRevenue(NamedTuple):
    """Revenue kept back, by whom and why."""

    line: RevenueLine
    row: KeptBack


def keep_back(settlement: Settlement, author: str, reason: str) -> int:
    """Keep back all that a payment brought and that no deposit has paid over. Return its cents.
    Raises Refused where there is nothing."""
    require_author_and_reason(author, reason)
    with write():
        found = to_pay_over(settlement)
        if not found:
            raise Refused([NOTHING_LEFT])
        now, said = clock.now(), {"author": author.strip(), "reason": reason.strip()}
        for each in found:
            KeptBack.create(revenue=each.revenue, noted_at=now, **said)
    return sum(each.cents for each in found)


def take_up(settlement: Settlement, author: str) -> int:
    """Let the next deposit pay over what was kept back of a payment. Return its cents. Raises
    Refused where there is nothing."""
    if fault := why_no_author(author):
        raise Refused([fault])
    with write():
        found = kept_of(settlement)
        if not found:
            raise Refused([NOTHING_KEPT])
        KeptBack.update(ended_at=clock.now()).where(
            KeptBack.ended_at.is_null(), KeptBack.revenue.in_([each.revenue for each in found])
        ).execute()
    return sum(each.cents for each in found)


def to_pay_over(settlement: Settlement) -> list[RevenueLine]:
    """Return what a payment brought that is in no deposit yet, and is not kept back."""
    in_deposits = DepositLine.select(DepositLine.revenue)
    mine = (Revenue.settlement == settlement) & Revenue.id.not_in(in_deposits)
    return lines_of(mine & Revenue.id.not_in(_kept()), settlement.regie)


def kept_of(settlement: Settlement) -> list[RevenueLine]:
    """Return what is kept back of a payment."""
    mine = (Revenue.settlement == settlement) & Revenue.id.in_(_kept())
    return lines_of(mine, settlement.regie)


def kept_back(regie: str) -> list[KeptRevenue]:
    """Return what is kept back of a *régie*, the oldest first."""
    rows = KeptBack.select().where(KeptBack.ended_at.is_null())
    by_revenue = {row.revenue_id: row for row in rows}
    mine = (Settlement.regie == regie) & Revenue.id.in_(list(by_revenue))
    return [KeptRevenue(line, by_revenue[line.revenue]) for line in lines_of(mine, regie)]


def _kept() -> "ModelSelect[KeptBack]":
    return KeptBack.select(KeptBack.revenue).where(KeptBack.ended_at.is_null())
