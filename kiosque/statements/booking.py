"""Write what explains a line of a statement, and its entries in the books; and undo it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from peewee import fn

from kiosque.db import execute_many, require_write
from kiosque.db.fields import to_text
from kiosque.db.models import JournalEntry, LineMatch, Settlement, StatementLine
from kiosque.db.statement_words import LineState, MatchKind, MatchRule
from kiosque.language import clock
from kiosque.payments import journal
from kiosque.payments.refusals import Refused
from kiosque.statements.explanations import Explanation, Open
from kiosque.statements.unexplained_money import account_of

_MATCH = """
    INSERT INTO line_match (line_id, kind, settlement_id, repayment_id, deposit_id, amount_cents,
        rule, matched_at, author, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_MATCHED = """
    UPDATE statement_line SET state = 'matched'
    WHERE id IN (SELECT line_id FROM line_match WHERE id > ?)
"""
#: The label of an entry, by the kind of the match.
_LABELS = {
    MatchKind.SETTLEMENT: "reçu sur le compte",
    MatchKind.REPAYMENT: "rendu, vu au compte",
    MatchKind.DEPOSIT: "versement vu au compte",
    MatchKind.FEE: "frais bancaires",
    MatchKind.OTHER: "sans rapport avec le kiosque",
}
#: The account that each kind of match moves, unless it is that of a payment.
_ACCOUNTS = {
    MatchKind.DEPOSIT: journal.PAID_OVER,
    MatchKind.FEE: journal.FEES,
    MatchKind.OTHER: journal.OTHERS,
}
#: Names of the module, since they are read at each line and an enumeration is slower.
_SETTLEMENT, _REPAYMENT, _DEPOSIT = MatchKind.SETTLEMENT, MatchKind.REPAYMENT, MatchKind.DEPOSIT
_WORDS = {each: each.value for words in (MatchKind, MatchRule) for each in words}


@dataclass(slots=True)
class MatchPart:
    """A part of a line, in cents: what explains it, and the account of the books that it moves
    besides that of the statement."""

    line_id: int
    kind: MatchKind
    id: int | None
    cents: int
    account: str
    rule: MatchRule


def parts_of(line: Open, found: Explanation) -> Iterator[MatchPart]:
    """Yield the parts of a line given by an explanation: its money before fees, then the fees."""
    for each in found.money:
        yield MatchPart(line.id, each.kind, each.id, each.cents, account_of(each), found.rule)
    if found.fee_cents:
        yield MatchPart(line.id, MatchKind.FEE, None, -found.fee_cents, journal.FEES, found.rule)


def whole(line: Open, kind: MatchKind) -> MatchPart:
    """Return one part for all that is left to explain of a line, of the kind `FEE` or `OTHER`."""
    return MatchPart(line.id, kind, None, line.cents, _ACCOUNTS[kind], MatchRule.PERSON)


def book(regie: str, parts: Sequence[MatchPart], author: str, reason: str = "") -> None:
    """Write matches, which together explain all that was left of their lines, and their entries.
    Belongs inside `write()`."""
    require_write()
    at, last = to_text(clock.now()), LineMatch.select(fn.MAX(LineMatch.id)).scalar() or 0
    execute_many(_MATCH, (_columns(part, at, author, reason) for part in parts))
    execute_many(_MATCHED, [(last,)])
    journal.append_all(_move(regie, part) for part in parts)


def _columns(part: MatchPart, at: str, author: str, reason: str) -> tuple[object, ...]:
    kind, number = part.kind, part.id
    return (
        part.line_id, _WORDS[kind], number if kind is _SETTLEMENT else None,
        number if kind is _REPAYMENT else None, number if kind is _DEPOSIT else None,
        part.cents, _WORDS[part.rule], at, author, reason,
    )  # fmt: skip


def _move(regie: str, part: MatchPart) -> journal.Move:
    return _entry(regie, part.line_id, part.account, part.cents, _LABELS[part.kind])


def _entry(
    regie: str, line: int, account: str, cents: int, label: str, corrects: int | None = None
) -> journal.Move:
    debit, credit = _sides(regie, account, is_credit=cents > 0)
    about = journal.About(regie, None, None, line)
    return journal.Move(about, label, debit, credit, abs(cents), corrects)


@lru_cache(100)  # the same for the thousands of lines of a file
def _sides(regie: str, account: str, *, is_credit: bool) -> tuple[str, str]:
    """Return the accounts that a line of a statement debits and credits."""
    of_line, other = (journal.account(each, regie) for each in (journal.STATEMENT_ACCOUNT, account))
    return (of_line, other) if is_credit else (other, of_line)


def undo(match: LineMatch, author: str, reason: str) -> None:
    """Undo a match that is in force: its line is open, the others of it are as they were. Belongs
    inside `write()`; the author and the reason were verified. Raises Refused where it was undone
    meanwhile."""
    changed = (
        LineMatch.update(undone_at=clock.now(), undone_by=author, undo_reason=reason)
        .where(LineMatch.id == match.id, LineMatch.undone_at.is_null())
        .execute()
    )
    if not changed:
        raise Refused(["Ce rapprochement est déjà annulé."])
    StatementLine.update(state=LineState.OPEN).where(StatementLine.id == match.line_id).execute()
    journal.append_all([contrary(match, f"rapprochement annulé ({author} : {reason})")])


def contrary(match: LineMatch, label: str) -> journal.Move:
    """Return the entry that reverses that of a match."""
    regie, account = match.line.regie, _account_of(match)
    was = _entry(regie, match.line_id, account, match.amount_cents, "")
    return _entry(regie, match.line_id, account, -match.amount_cents, label, _entry_of(was))


def _account_of(match: LineMatch) -> str:
    kind = MatchKind(match.kind)
    if kind in _ACCOUNTS:
        return _ACCOUNTS[kind]
    of = match.repayment.settlement if match.repayment else match.settlement
    settlement = Settlement.get_by_id(of)
    if settlement.gateway:
        return f"bank:{settlement.gateway}"
    return f"counter:{settlement.mode}"


def _entry_of(was: journal.Move) -> int:
    """Return the number of the entry of a match: if several are alike, the first that is not
    reversed."""
    undone = JournalEntry.select(JournalEntry.corrects).where(
        JournalEntry.line == was.about.line_id, JournalEntry.corrects.is_null(False)
    )
    number: int | None = (
        JournalEntry.select(fn.MIN(JournalEntry.number))
        .where(
            JournalEntry.line == was.about.line_id,
            JournalEntry.debit == was.debit,
            JournalEntry.credit == was.credit,
            JournalEntry.amount_cents == was.cents,
            JournalEntry.corrects.is_null(),
            JournalEntry.number.not_in(undone),
        )
        .scalar()
    )
    if number is None:
        raise RuntimeError(f"no entry for a match of line {was.about.line_id}")
    return number
