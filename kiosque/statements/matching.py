"""Match the lines of statements with what explains them, and book it at once.

What leaves no doubt is matched by itself (`rules.py`); a person confirms a proposal, or says that a
line is a fee or has nothing to do with the kiosk, and undoes one match at a time.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from peewee import ModelSelect, Value, fn

from kiosque.db import database, write
from kiosque.db.models import LineMatch, StatementLine
from kiosque.db.statement_words import LineState, MatchKind, MatchRule
from kiosque.language import clock
from kiosque.payments.anomalies import OURSELVES
from kiosque.payments.refusals import CHANGED, Refused, require_author_and_reason, why_no_author
from kiosque.statements import booking, linking
from kiosque.statements.accounts import is_aside
from kiosque.statements.explanations import Open
from kiosque.statements.proposals import Proposal, Proposals
from kiosque.statements.rules import find
from kiosque.statements.unexplained_money import (
    Remitted,
    UnexplainedMoney,
    day_of,
    free,
    invoices_of,
    remitted,
)

#: Money this much older than a line is never proposed for it.
LONGEST = timedelta(days=120)


def match_all(regie: str) -> Mapping[MatchRule, int]:
    """Match the open lines of a *régie* that leave no doubt. Return how many each rule matched. A
    line of which a match was undone is left to a person."""
    with write():
        linking.link_all(regie)
        parts, count = _sure_parts(regie)
        if parts:
            booking.book(regie, parts, OURSELVES)
    return count


def _sure_parts(regie: str) -> tuple[list[booking.MatchPart], Mapping[MatchRule, int]]:
    """Return the parts that explain lines without doubt, and how many lines each rule explains."""
    lines = list(_open(regie, touched=False))
    if not lines:
        return [], {}
    money, told = _known(regie, lines)
    parts: list[booking.MatchPart] = []
    count: Counter[MatchRule] = Counter()
    for line, each in find(lines, money, told, lambda: invoices_of(money)):
        parts += booking.parts_of(line, each)
        count[each.rule] += 1
    return parts, count


def open_lines(regie: str | Value) -> "ModelSelect[StatementLine]":
    """Select the lines of a *régie*'s account that nothing explains yet, the oldest first."""
    found = StatementLine.select().where(
        StatementLine.regie == regie, StatementLine.state == LineState.OPEN
    )
    return found.order_by(StatementLine.booked_on, StatementLine.id)


def proposals(line: StatementLine) -> list[Proposal]:
    """Return the proposals to explain an open line, the likeliest first."""
    return proposals_of([line]).get(line.id, [])


def proposals_of(lines: list[StatementLine]) -> Mapping[int, list[Proposal]]:
    """Return the proposals for each of these open lines of one *régie*, by their ids."""
    asked = [each for each in lines if each.state == LineState.OPEN]
    if not asked:
        return {}
    regie = asked[0].regie
    left = {each.id: each for each in _open(regie, touched=None, only=[each.id for each in asked])}
    found = Proposals(*_known(regie, [*left.values()]))
    return {each.id: found.of(left[each.id]) for each in asked}


def confirm(line_id: int, key: str, author: str) -> None:
    """Match a line with the proposal of this key. Raises Refused if it is no longer proposed."""
    if fault := why_no_author(author):
        raise Refused([fault])
    with write():
        line = StatementLine.get_by_id(line_id)
        chosen = next((each for each in proposals(line) if each.key == key), None)
        if chosen is None:
            raise Refused([CHANGED])
        booking.book(line.regie, list(booking.parts_of(_left(line), chosen.explanation)), author)


def classify(line_id: int, kind: MatchKind, author: str, reason: str) -> None:
    """Say that what is to be explained of a line is a fee, or has nothing to do with the kiosk
    (`OTHER`). Raises Refused."""
    require_author_and_reason(author, reason)
    with write():
        line = StatementLine.get_by_id(line_id)
        if line.state != LineState.OPEN or is_aside(line):
            raise Refused([CHANGED])
        booking.book(line.regie, [booking.whole(_left(line), kind)], author, reason)


def undo(match_id: int, author: str, reason: str) -> None:
    """Undo one match, and nothing else of its line. Raises Refused."""
    require_author_and_reason(author, reason)
    with write():
        booking.undo(LineMatch.get_by_id(match_id), author, reason)


def _left(line: StatementLine) -> Open:
    return next(iter(_open(line.regie, touched=None, only=[line.id])))


def _open(regie: str, *, touched: bool | None, only: list[int] | None = None) -> "list[Open]":
    """Return the open lines, with the cents still to explain of each."""
    of_line = LineMatch.line == StatementLine.id
    in_force = LineMatch.select(fn.SUM(LineMatch.amount_cents)).where(
        of_line, LineMatch.undone_at.is_null()
    )
    explained = 0 if touched is False else fn.COALESCE(in_force, 0)
    query: Any = (
        StatementLine.select(
            StatementLine.id,
            StatementLine.booked_on,
            StatementLine.amount_cents - explained,
            StatementLine.label,
            StatementLine.reference,
        )
        .where(StatementLine.regie == regie, StatementLine.state == LineState.OPEN)
        .order_by(StatementLine.booked_on, StatementLine.id)
    )
    if touched is False:
        query = query.where(~fn.EXISTS(LineMatch.select(LineMatch.id).where(of_line)))
    if only is not None:
        query = query.where(StatementLine.id.in_(only))
    return [
        Open(number, day_of(on), int(cents), label, reference)
        for number, on, cents, label, reference in database.execute(query)
    ]


def _known(regie: str, lines: list[Open]) -> tuple[list[UnexplainedMoney], list[Remitted]]:
    since = min(line.booked_on for line in lines) - LONGEST
    money = free(regie, clock.midnight_in_paris(since))
    gateways = {each.gateway for each in money if each.gateway}
    return money, list(remitted(gateways, since))


def explained_cents(line: StatementLine) -> int:
    """Return the cents of a line that matches in force explain."""
    in_force = LineMatch.select(fn.SUM(LineMatch.amount_cents)).where(
        LineMatch.line == line, LineMatch.undone_at.is_null()
    )
    return int(in_force.scalar() or 0)
