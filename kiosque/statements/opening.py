"""The balance of an account before its first statement: the books begin with it."""

from peewee import fn

from kiosque.db.models import JournalEntry, Statement, StatementLine
from kiosque.language.formats import short_date
from kiosque.payments import journal


def book_opening(regie: str, why: str = "un relevé plus ancien est chargé") -> None:
    """Book what the account held before the earliest known movement. If an earlier statement was
    loaded, reverse the opening booked before. Belongs inside `write()`."""
    first, former = _first(regie), _former(regie)
    wanted, held = _before(first) if first else 0, sum(_signed(each) for each in former)
    if wanted == held:
        return
    if held:
        about = journal.About(regie, statement_id=first.id if first else former[-1].statement_id)
        _move(about, f"solde d’ouverture corrigé : {why}", -held, corrects=former[-1].number)
    if first and wanted:
        about = journal.About(regie, statement_id=first.id)
        _move(about, f"solde du compte au {short_date(first.opened_on)}", wanted)


def _former(regie: str) -> list[JournalEntry]:
    """Return the entries of openings, in order."""
    return list(
        JournalEntry.select()
        .where(JournalEntry.regie == regie, JournalEntry.statement.is_null(False))
        .order_by(JournalEntry.number)
    )


def _signed(entry: JournalEntry) -> int:
    return entry.amount_cents if entry.credit == _account(entry.regie) else -entry.amount_cents


def _first(regie: str) -> Statement | None:
    """Return the earliest statement that tells what it begins with."""
    told = Statement.select().where(
        Statement.regie == regie, Statement.opening_cents.is_null(False)
    )
    # If several begin on one day, the first is the one whose opening balance no other closes with.
    same = list(told.order_by(Statement.opened_on, Statement.closed_on, Statement.id).limit(20))
    early = [each for each in same if each.opened_on == same[0].opened_on]
    ends = {each.closing_cents for each in early if each.closed_on == each.opened_on}
    return next((each for each in early if each.opening_cents not in ends), None) or (
        early[0] if early else None
    )


def _before(first: Statement) -> int:
    """Return what the account held before all that is known, in cents: lines of a file without
    balances may be older."""
    older = StatementLine.select(fn.SUM(StatementLine.amount_cents)).where(
        StatementLine.regie == first.regie,
        StatementLine.booked_on <= first.opened_on,
        StatementLine.statement != first,
    )
    return (first.opening_cents or 0) - int(older.scalar() or 0)


def _move(about: journal.About, label: str, cents: int, corrects: int | None = None) -> None:
    sides = [journal.account(journal.STATEMENT_ACCOUNT, about.regie), _account(about.regie)]
    debit, credit = sides if cents > 0 else sides[::-1]
    journal.append(about, label, debit=debit, credit=credit, cents=abs(cents), corrects=corrects)


def _account(regie: str) -> str:
    return journal.account(journal.OPENING, regie)
