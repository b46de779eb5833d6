"""Undo a load of a bank's file: the rows as they were before it, as if it had never come.

The journal only grows: reversing entries are written, and the lines that it cites are set aside,
under a key that belongs to no *régie*. The file stays in the list, with who undid it and why; it
may be loaded again.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from peewee import Expression, ForeignKeyField, ModelDelete

from kiosque.db import execute_many, write
from kiosque.db.fields import to_text
from kiosque.db.models import (
    BankAccount,
    BankOperation,
    JournalEntry,
    LineMatch,
    NumberedModel,
    Statement,
    StatementFile,
    StatementLine,
    ToldLine,
    ToldOperation,
)
from kiosque.db.statement_words import LineState, MatchRule
from kiosque.invoices.imports.already_loaded import chunks
from kiosque.language import clock
from kiosque.language.formats import long_instant, short_date
from kiosque.payments import journal
from kiosque.payments.anomalies import OURSELVES
from kiosque.payments.closed_months import is_closed
from kiosque.payments.refusals import Refused, require_author_and_reason
from kiosque.statements import booking, linking
from kiosque.statements.accounts import ASIDE
from kiosque.statements.opening import book_opening

_AS_BEFORE = """
    UPDATE bank_operation SET order_reference = ?, fee_cents = ?, remitted_on = ?, remittance = ?
    WHERE id = ?
"""


def regies_of(file: StatementFile) -> list[str]:
    """Return the keys of the *régies* whose accounts are in a file; none if they were not
    stored."""
    return list(json.loads(file.regies or "[]"))


def files() -> Any:
    """Select the files loaded, the latest first."""
    return StatementFile.select().order_by(StatementFile.id.desc())


def files_of(regie: str) -> Any:
    """Select the files of a *régie*'s account, the latest first."""
    return files().where(StatementFile.regies.contains(json.dumps(regie)))


def why_not(file: StatementFile) -> str:
    """Return in French why a load cannot be undone; nothing if it can."""
    if file.undone_at:
        return f"Ce chargement est déjà annulé, le {long_instant(file.undone_at)}."
    if not file.regies:
        return "Ce fichier a été chargé avant que les chargements puissent être annulés."
    if later := _later(file):
        return f"Annulez d’abord le chargement n° {later.id}, « {later.name} » : il le recouvre."
    days = [*_days(file), *((match.line.regie, match.line.booked_on) for match in _borrowed(file))]
    closed = [on for regie, on in days if is_closed(regie, on)]
    if closed:
        return f"Il parle du {short_date(min(closed))}, d’un mois qui est arrêté."
    return ""


def undo(number: int, author: str, reason: str) -> StatementFile:
    """Undo a load and return it. Raises Refused, changing nothing, if a later load overlaps it, if
    a month that it covers is closed, or without author and reason."""
    require_author_and_reason(author, reason)
    with write():
        file = StatementFile.get_or_none(StatementFile.id == number)
        if file is None:
            raise Refused([f"Aucun fichier de la banque n° {number}."])
        if fault := why_not(file):
            raise Refused([fault])
        _give_back_matches(file, f"fichier annulé ({author} : {reason})")
        _take_off_lines(file, author, reason)
        _take_off_operations(file)
        file.sha256 = f"{file.sha256}{ASIDE}{file.id}"
        file.undone_at, file.undone_by, file.undo_reason = clock.now(), author, reason
        file.save()
        for regie in regies_of(file):
            _as_before(regie)
    return file


def _as_before(regie: str) -> None:
    """Recompute what depends on the files of a *régie* from those that are left."""
    book_opening(regie, "un relevé est annulé")
    if not Statement.select().where(Statement.regie == regie).exists():
        ModelDelete(BankAccount).where(BankAccount.regie == regie).execute()
    linking.link_all(regie)


# --- What depends on a file ---


def _lines(file: StatementFile) -> Any:
    """Select the lines that a file brought."""
    return StatementLine.select(StatementLine.id).where(
        StatementLine.statement.in_(_statements(file))
    )


def _statements(file: StatementFile) -> Any:
    return Statement.select(Statement.id).where(Statement.file == file)


def _days(file: StatementFile) -> Iterator[tuple[str, Any]]:
    """Yield the first day that each statement of a file covers."""
    for each in Statement.select().where(Statement.file == file).order_by(Statement.id):
        yield each.regie, each.opened_on + timedelta(days=1)


def _later(file: StatementFile) -> StatementFile | None:
    """Return the last of the later files that overlap this one: what they added depends on what
    this one had."""
    own = Statement.alias()
    overlap: Any = Statement.select(Statement.file).join(
        own,
        on=(Statement.regie == own.regie)
        & (Statement.opened_on < own.closed_on)
        & (Statement.closed_on > own.opened_on),
    )
    lines = ToldLine.select(Statement.file).join(Statement)
    brought = BankOperation.select(BankOperation.id).where(BankOperation.file == file)
    completed = ToldOperation.select(ToldOperation.operation).where(ToldOperation.file == file)
    told = ToldOperation.operation.in_(brought) | ToldOperation.operation.in_(completed)
    later: Any = StatementFile.select().where(StatementFile.id > file.id).where(
        StatementFile.id.in_(overlap.where(own.file == file, Statement.file > file.id))
        | StatementFile.id.in_(lines.where(ToldLine.line.in_(_lines(file))))
        | StatementFile.id.in_(ToldOperation.select(ToldOperation.file).where(told))
    )  # fmt: skip
    found: StatementFile | None = later.order_by(StatementFile.id.desc()).first()
    return found


def _borrowed(file: StatementFile) -> list[LineMatch]:
    """Return the matches of other files' lines that are sure only thanks to the remittances that
    this file tells."""
    mine = (BankOperation.file == file) | BankOperation.id.in_(_completed(file))
    paid, back = BankOperation.settlement, BankOperation.repayment
    payments = BankOperation.select(paid).where(mine, paid.is_null(False))
    repayments = BankOperation.select(back).where(mine, back.is_null(False))
    sure = (LineMatch.rule == MatchRule.REMITTANCE) & (LineMatch.author == OURSELVES)
    sure &= LineMatch.undone_at.is_null()
    about = LineMatch.settlement.in_(payments) | LineMatch.repayment.in_(repayments)
    lines = LineMatch.select(LineMatch.line).where(sure, about)
    return list(LineMatch.select().where(sure, LineMatch.line.in_(lines)).order_by(LineMatch.id))


def _completed(file: StatementFile) -> Any:
    """Select the operations of other files whose remittance, its day or their fee only this file
    told."""
    told, now = ToldOperation, BankOperation
    more = (
        (told.remittance != now.remittance)
        | (told.remitted_on.is_null() & now.remitted_on.is_null(False))
        | (told.fee_cents.is_null() & now.fee_cents.is_null(False))
    )
    return told.select(told.operation).join(now).where(told.file == file, more)


# --- Taking off ---


def _give_back_matches(file: StatementFile, label: str) -> None:
    """Undo in the books the matches of the lines of a file; and those matches of other files' lines
    that depend on this one, as if they had never been made."""
    borrowed = _borrowed(file)
    for each in borrowed:  # if two are alike, the second must cite another entry than the first
        journal.append_all([booking.contrary(each, label)])
    for part in chunks([each.id for each in borrowed]):
        lines = LineMatch.select(LineMatch.line).where(LineMatch.id.in_(part))
        StatementLine.update(state=LineState.OPEN).where(StatementLine.id.in_(lines)).execute()
        ModelDelete(LineMatch).where(LineMatch.id.in_(part)).execute()
    own = JournalEntry.line.in_(_lines(file))
    undone = JournalEntry.select(JournalEntry.corrects).where(own, ~JournalEntry.corrects.is_null())
    left = JournalEntry.select().where(
        own, JournalEntry.corrects.is_null(), JournalEntry.number.not_in(undone)
    )
    journal.append_all([_contrary(each, label) for each in left.order_by(JournalEntry.number)])


def _contrary(entry: JournalEntry, label: str) -> journal.Move:
    about = journal.About(entry.regie, line_id=entry.line_id)
    return journal.Move(about, label, entry.credit, entry.debit, entry.amount_cents, entry.number)


def _take_off_lines(file: StatementFile, author: str, reason: str) -> None:
    """Delete the lines and the statements of a file, or set aside those that the journal cites."""
    statements, lines = _statements(file), _lines(file)
    ModelDelete(ToldLine).where(ToldLine.statement.in_(statements)).execute()
    undone = {"undone_at": clock.now(), "undone_by": author, "undo_reason": reason}
    in_force = LineMatch.line.in_(lines), LineMatch.undone_at.is_null()
    LineMatch.update(undone).where(*in_force).execute()
    _delete_but(StatementLine, StatementLine.statement.in_(statements), (JournalEntry.line,))
    StatementLine.update(
        regie=StatementLine.regie.concat(ASIDE), occurrence=StatementLine.id, state=LineState.OPEN
    ).where(StatementLine.statement.in_(statements)).execute()
    cited = JournalEntry.statement, StatementLine.statement
    _delete_but(Statement, Statement.file == file, cited)
    Statement.update(regie=Statement.regie.concat(ASIDE)).where(Statement.file == file).execute()


def _delete_but(
    model: type[NumberedModel], which: Expression, cited: Sequence[ForeignKeyField]
) -> None:
    """Delete those rows of a table that no row cites through these links."""
    free = [model.id.not_in(link.model.select(link).where(~link.is_null())) for link in cited]
    ModelDelete(model).where(which, *free).execute()


def _take_off_operations(file: StatementFile) -> None:
    """Delete the operations of a file, and put back as they were those that it completed."""
    told = list(ToldOperation.select().where(ToldOperation.file == file).order_by(ToldOperation.id))
    ModelDelete(ToldOperation).where(ToldOperation.file == file).execute()
    execute_many(_AS_BEFORE, [_former(each) for each in told])
    ModelDelete(BankOperation).where(BankOperation.file == file).execute()


def _former(told: ToldOperation) -> tuple[object, ...]:
    day = told.remitted_on and to_text(told.remitted_on)
    return told.order_reference, told.fee_cents, day, told.remittance, told.operation_id
