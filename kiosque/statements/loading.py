"""Store what is new in a bank's file: all of it, or nothing if it contradicts what was loaded
before. It pays no invoice, and sends nothing."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from peewee import Expression

from kiosque.db import execute_many, write
from kiosque.db.fields import to_text
from kiosque.db.models import Statement, StatementFile, StatementLine, ToldLine
from kiosque.language import clock, formats
from kiosque.payments.refusals import Refused, why_no_author
from kiosque.statements import operations, records
from kiosque.statements.accounts import AccountHolder, holder_of_account, holder_of_operations
from kiosque.statements.cut_days import Span
from kiosque.statements.opening import book_opening
from kiosque.statements.overlaps import KnownLine, NewMovements, lines_of, new_of
from kiosque.statements.records import Movement, Period

_TOLD = "INSERT INTO told_line (statement_id, line_id) VALUES (?, ?)"
#: Most days of contradiction between files that are named.
_NAMED_DAYS = 5
_LINE = """
    INSERT INTO statement_line (statement_id, regie, booked_on, value_on, amount_cents, label,
        reference, occurrence, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open')
"""


@dataclass
class Loaded:
    """How much of a file was new, and how much was known. `regies` are the keys of the *régies*
    whose accounts are in the file; `is_known` says that the same file was loaded before."""

    name: str
    kind: records.FileKind
    is_known: bool = False
    regies: list[str] = field(default_factory=list)
    lines: int = 0
    known_lines: int = 0
    operations: int = 0
    known_operations: int = 0


def load(
    file: records.ParsedFile,
    name: str,
    content_sha256: str,
    *,
    regie: str | None,
    regies: Mapping[str, AccountHolder],
    author: str,
) -> Loaded:
    """Load a file that was read. `regie` is the key that a person chose, `regies` those that the
    author may load for. Raises Refused, changing nothing, or WhichRegie if a person has to choose.
    """
    if fault := why_no_author(author):
        raise Refused([fault])
    loaded = Loaded(name, file.kind)
    with write():
        if StatementFile.select().where(StatementFile.sha256 == content_sha256).exists():
            loaded.is_known = True
            return loaded
        row = StatementFile.create(
            sha256=content_sha256,
            name=name,
            kind=file.kind,
            loaded_at=clock.now(),
            author=author,
        )
        for period in file.periods:
            of = holder_of_account(period.account, regie, regies, author)
            _load_period(period, of, row, loaded)
        if file.operations:
            of, gateway = holder_of_operations(file.operations, regie, regies)
            loaded.regies.append(of)
            counts = operations.keep(file, row.id, gateway)
            loaded.operations, loaded.known_operations = counts
        loaded.regies = sorted({*loaded.regies})
        _conclude(row, loaded.regies)
    return loaded


def _conclude(row: StatementFile, regies: list[str]) -> None:
    """Store the *régies* of a file, and the opening balance of each account if it is earlier than
    the one known."""
    StatementFile.update(regies=json.dumps(regies)).where(StatementFile.id == row.id).execute()
    for regie in regies:
        book_opening(regie)


def _load_period(period: Period, regie: str, row: StatementFile, loaded: Loaded) -> None:
    loaded.regies.append(regie)
    span = _span_of(period)
    if span is None:
        return
    movements = period.movements
    spans = _spans(regie, span)
    known = known_lines(regie, StatementLine.booked_on.between(*_days(span, movements)))
    found = new_of(span, movements, row.kind, known, spans, told_by([each.id for each in spans]))
    if found.contradicted:
        raise Refused([_contradiction(found)])
    statement = Statement.create(
        file=row,
        regie=regie,
        opened_on=span.opened_on,
        opening_cents=span.opening_cents,
        closed_on=span.closed_on,
        closing_cents=span.closing_cents,
    )
    execute_many(_LINE, _rows(statement, found.added, known))
    _keep_told(statement, movements, found.partial)
    loaded.lines += len(found.added)
    loaded.known_lines += found.known


def _span_of(period: Period) -> Span | None:
    """Return the days and balances of a statement; the days of its movements if it gives none; None
    if it says nothing at all."""
    days = [movement.booked_on for movement in period.movements]
    first, last = period.opened_on, period.closed_on
    if days:
        first = first or min(days) - timedelta(days=1)
        last = last or max(days)
    if first is None or last is None:
        return None
    return Span(0, first, period.opening_cents, last, period.closing_cents)


def _days(span: Span, movements: Sequence[Movement]) -> tuple[date, date]:
    days = [span.opened_on, span.closed_on, *(each.booked_on for each in movements)]
    return min(days), max(days)


def known_lines(regie: str, days: Expression) -> list[KnownLine]:
    """Return the lines of an account whose days satisfy this condition."""
    columns = (
        StatementLine.id, StatementLine.booked_on, StatementLine.value_on,
        StatementLine.amount_cents, StatementLine.label, StatementLine.reference,
        StatementLine.statement, StatementFile.kind,
    )  # fmt: skip
    found: Any = StatementLine.select(*columns).join(Statement).join(StatementFile)
    of_regie = found.where(StatementLine.regie == regie, days).order_by(StatementLine.id)
    return [KnownLine(*row) for row in of_regie.tuples()]


def told_by(statements: Sequence[int]) -> Mapping[int, set[int]]:
    """Return the lines stored as told by these statements (`ToldLine`), for days that they cover
    only in part and that other files had lines of."""
    found: Mapping[int, set[int]] = defaultdict(set)
    rows: Any = ToldLine.select(ToldLine.statement, ToldLine.line)
    for statement, line in rows.where(ToldLine.statement.in_(statements)).tuples():
        found[statement].add(line)
    return found


def _keep_told(statement: Statement, movements: Sequence[Movement], days: Sequence[date]) -> None:
    """Store which lines a statement tells of these days, which it covers only in part."""
    for day in days:
        said = [each for each in movements if each.booked_on == day]
        kept = lines_of(said, known_lines(statement.regie, StatementLine.booked_on == day))
        execute_many(_TOLD, [(statement.id, line.id) for line in kept])


def _spans(regie: str, span: Span) -> list[Span]:
    columns = (
        Statement.id, Statement.opened_on, Statement.opening_cents, Statement.closed_on,
        Statement.closing_cents,
    )  # fmt: skip
    found: Any = Statement.select(*columns).where(
        Statement.regie == regie,
        Statement.opened_on <= span.closed_on,
        Statement.closed_on >= span.opened_on,
    )
    return [Span(*row) for row in found.tuples()]


def _rows(
    statement: Statement, added: Iterable[Movement], known: Iterable[KnownLine]
) -> Iterable[tuple[object, ...]]:
    """Yield the columns of new lines; identical ones are numbered after those already known."""
    ranks = Counter(map(_content, known))
    for movement in added:
        content = _content(movement)
        rank = ranks[content] = ranks.get(content, 0) + 1
        value_on = movement.value_on and _day_text(movement.value_on)
        yield (
            statement.id, statement.regie, _day_text(movement.booked_on), value_on, movement.cents,
            movement.label, movement.reference, rank,
        )  # fmt: skip


def _content(line: Movement | KnownLine) -> tuple[object, ...]:
    return line.booked_on, line.cents, line.label, line.reference


@lru_cache(1000)  # the same for the thousands of lines of a file
def _day_text(day: date) -> str:
    return to_text(day)


def _contradiction(found: NewMovements) -> str:
    days = ", ".join(formats.short_date(day) for day in found.contradicted[:_NAMED_DAYS])
    more = "…" if len(found.contradicted) > _NAMED_DAYS else ""
    return (
        "Ce fichier ne dit pas les mêmes mouvements qu’un relevé déjà chargé, pour ces jours : "
        f"{days}{more}. L’un des deux est incomplet, ou d’un autre compte."
    )
