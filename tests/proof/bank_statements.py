"""The statements of the régies' accounts: loaded, matched, and matches undone, on the portal. What
each line is of is compared with the account that the proof keeps."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kiosque.db.models import LineMatch, StatementFile, StatementLine
from kiosque.db.statement_words import MatchKind
from kiosque.payments import Refused, journal
from kiosque.payments.closed_months import is_closed
from kiosque.statements import loading, matching, records, undoing
from kiosque.statements.accounts import ASIDE, AccountHolder
from kiosque.statements.records import Direction, FileKind, Movement, Operation, Period
from tests.proof.accounts import KEPT, NOBODYS, Account, Key, Line, Moved, Owed
from tests.proof.stage import GATEWAYS, NAME, dump, rows

if TYPE_CHECKING:
    from tests.proof.machine import Town

_HOLDERS = {key: AccountHolder(key or "Ville", gateway) for key, gateway in GATEWAYS.items()}
#: What a file that says nothing new may change; what undoing a load leaves.
_TOLD_AGAIN = {"statement_file", "statement", "told_line", "told_operation"}
_GROWS = {"statement_file", "journal_entry", "anomaly"}
#: What undoing a match may change.
_UNDONE = {"statement_line", "line_match", "journal_entry"}


def send(town: "Town", regie: str, what: Sequence[int], how: str, which: int) -> None:
    """The bank sends what moved on the account since its last file; the journal of its remittance,
    if any, comes before or after."""
    account = town.accounts[regie]
    remitted = account.grow(town, what)
    if len(account.movements) == account.told:
        return
    told = [(span[0], _file(account, span)) for span in account.spans(how, which)]
    if remitted:
        journal_ = (account.since, _journal(town, account, remitted))
        told.insert(which % 2 * len(told), journal_)
    for since, file in told:
        account.since = min(account.since, since)
        _load(town, account, file)
    if how == "other words":
        _load(town, account, _in_other_words([file for _, file in told]))
    account.told = len(account.movements)
    account.files += 1
    known = Counter(line.moved for line in account.lines.values())
    assert known == Counter(account.movements), "a movement is lost, or there twice"


def _load(town: "Town", account: Account, file: records.ParsedFile) -> None:
    digest = sha256(repr(file).encode()).hexdigest()
    asked: dict[str, Any] = {"regie": account.regie, "regies": _HOLDERS, "author": "Dominique"}
    if not account.files % 2:
        _undo_load(file, digest, account.regie, asked)
    loading.load(file, "releve", digest, **asked)
    _learn(account)
    match(town, account.regie)
    before = dump()
    loaded = loading.load(file, "le même", digest, **asked)
    assert loaded.is_known
    loaded = loading.load(file, "le même en un autre fichier", f"{digest[1:]}-", **asked)
    assert not loaded.lines + loaded.operations
    matching.match_all(account.regie)
    assert _changes(before) <= _TOLD_AGAIN, "a file told again changes more"
    if _is_undone("deux fois"):
        assert _changes(before) <= {"statement_file"}, "a file undone leaves something"


def _undo_load(file: records.ParsedFile, digest: str, regie: str, asked: dict[str, Any]) -> None:
    """A person loads a file, and undoes that at once: nothing of it is left but in the journal,
    and in what this cites."""
    matching.match_all(regie)
    before, held = _in_use(), _held()
    if loading.load(file, "trop tôt", digest, **asked).is_known:
        return
    matching.match_all(regie)
    if _is_undone("trop tôt"):
        assert _held() == held, "a file undone is still in the books"
        assert _in_use() == before, "a file undone leaves something"


def _held() -> dict[str, int]:
    return {name: cents for name, cents in journal.balances().items() if cents}


def _is_undone(why: str) -> bool:
    """Undo the last load; it may be refused of a month that was closed only."""
    last = StatementFile.select().order_by(StatementFile.id.desc()).get()
    before = dump()
    try:
        undoing.undo(last.id, "Dominique", why)
    except Refused:
        days = [each.opened_on + timedelta(days=1) for each in last.statements]
        assert any(map(partial(is_closed, json.loads(last.regies)[0]), days))
        assert dump() == before
        return False
    return True


def _in_use() -> dict[str, list[tuple[Any, ...]]]:
    """Every table, but for what only grows, what was set aside since the journal cites it, and
    points that have sorted themselves out, whose mails do not leave."""
    is_aside = f"substr(regie, length(regie), 1) = '{ASIDE}'"
    lines = f"SELECT id FROM statement_line WHERE {is_aside}"
    kept = {
        "statement": f"NOT {is_aside}",
        "statement_line": f"NOT {is_aside}",
        "line_match": f"line_id NOT IN ({lines})",
        "anomaly": "resolved_at IS NULL",
        "outbox_mail": "NOT (template = 'anomaly' AND object_id IN "
        "(SELECT id FROM anomaly WHERE resolved_at IS NOT NULL))",
    }
    found = {name: each for name, each in dump().items() if name not in _GROWS}
    found |= {name: rows(f"SELECT * FROM {name} WHERE {which}") for name, which in kept.items()}
    return {name: _sorted(each) for name, each in found.items()}


def _changes(before: dict[str, list[tuple[Any, ...]]]) -> set[str]:
    """The tables that are not as they were."""
    return {name for name, found in dump().items() if _sorted(found) != _sorted(before[name])}


def _sorted(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """PostgreSQL gives last a row that was changed last."""
    return sorted(found, key=repr)


def _file(account: Account, span: tuple[int, int]) -> records.ParsedFile:
    first, last = span
    told = account.movements[first:last]
    opened = account.movements[first - 1].on if first else told[0].on - timedelta(days=1)
    period = Period(
        f"FR76{account.regie or 'VILLE'}", opened, account.balance(first), told[-1].on,
        account.balance(last), tuple(Movement(it.on, it.on, *it[1:]) for it in told),
    )  # fmt: skip
    return records.ParsedFile(FileKind.CFONB, (period,))


def _in_other_words(files: Sequence[records.ParsedFile]) -> records.ParsedFile:
    """The last statement, by another kind of file of the same bank."""
    (period,) = next(file.periods for file in files[::-1] if file.periods)
    said = (Movement(it.booked_on, None, it.cents, "autrement", "") for it in period.movements)
    balances = (period.opened_on, period.opening_cents, period.closed_on, period.closing_cents)
    return records.ParsedFile(FileKind.OFX, (Period("", *balances, tuple(said)),))


def _journal(town: "Town", account: Account, remitted: Sequence[Owed]) -> records.ParsedFile:
    """Return what the acquirer's journal says of a remittance."""
    on, number = account.movements[-1].on, f"R{account.files}"
    return records.ParsedFile(
        FileKind.JRB,
        operations=tuple(
            Operation(town.books.orders[it.order].started_at.date(), it.debit, it.order, it.cents,
                      KEPT, on, number, Direction.DEBIT, "MATCH_OK")
            for it in remitted
        ),
    )  # fmt: skip


def _learn(account: Account) -> None:
    """Take the number of each line that is new."""
    mine = StatementLine.select().where(StatementLine.regie == account.regie)
    for line in mine.order_by(StatementLine.id):
        if line.id not in account.lines:
            moved = Moved(line.booked_on, line.amount_cents, line.label, line.reference)
            account.lines[line.id] = Line(moved, _row(line.id))


def _row(line: int) -> tuple[Any, ...]:
    return rows(f"SELECT * FROM statement_line WHERE id = {line}")[0]


# --- What lines are of ---


def match(town: "Town", regie: str) -> None:
    """Match lines that name their money with it; others with money that is free, of that sum to the
    cent. What is nobody's stays open, and so does what a person undid."""
    account = town.accounts[regie]
    named, free = account.named(town), Counter(each.key for each in account.money(town))
    matching.match_all(regie)
    found = _parts(regie)
    for lines, keys, is_certain in named:
        parts = sorted(key for number in lines for key in found.get(number, ()))
        if is_certain:
            assert parts == keys, "a line that names its money is not matched with it"
        elif len({account.lines[number].moved for number in lines}) == 1 and len(keys) < len(lines):
            assert not {*parts} & {*keys}, "of two lines that are the same, one was chosen"
    for number, line in account.lines.items():
        parts, old = found.get(number, []), sorted(line.parts)
        if parts != old:
            assert not old, "a match was changed"
            assert not line.touched, "what a person undid was made anew"
            assert line.moved.label not in NOBODYS, "what is nobody's was matched"
            _check(parts, line.left, free)
            line.parts = parts
    look(town)


def _check(parts: list[Key], cents: int, free: Counter[Key]) -> None:
    """They add up to what they explain, and their money was in no other place."""
    assert sum(part[2] for part in parts) == cents, "a line is matched with another sum"
    free.subtract(part for part in parts if part[0] not in ("fee", "other"))
    assert min(free.values(), default=0) >= 0, "money is in two places"


def look(town: "Town") -> None:
    """Each line is open or matched as it must be, and the account holds what they say."""
    for account in town.accounts.values():
        found = _parts(account.regie)
        assert found == {number: sorted(line.parts) for number, line in account.lines.items()
                         if line.parts}  # fmt: skip
        states = dict(rows(f"SELECT id, state FROM statement_line WHERE regie = '{account.regie}'"))
        assert states == {
            number: "open" if line.left else "matched" for number, line in account.lines.items()
        }
        if account.lines:
            name = journal.account(journal.STATEMENT_ACCOUNT, account.regie)
            explained = sum(line.moved.cents - line.left for line in account.lines.values())
            assert journal.balances(regie=account.regie).get(
                name, 0
            ) == explained + account.balance(account.since)


def _parts(regie: str) -> dict[int, list[Key]]:
    """Return what explains each line on the portal."""
    found: dict[int, list[Key]] = {}
    for line, kind, name, cents in rows(
        f"""
        SELECT line_id, line_match.kind, COALESCE({NAME}, CAST(deposit_id AS TEXT), ''),
            line_match.amount_cents
        FROM line_match JOIN statement_line ON statement_line.id = line_id
            LEFT JOIN repayment ON repayment.id = repayment_id
            LEFT JOIN settlement
                ON settlement.id = COALESCE(line_match.settlement_id, repayment.settlement_id)
        WHERE undone_at IS NULL AND statement_line.regie = '{regie}'
        """
    ):
        found.setdefault(line, []).append((kind, name, cents))
    return {line: sorted(parts) for line, parts in found.items()}


# --- What a person does ---


def say(town: "Town", regie: str, which: int, kind: MatchKind) -> None:
    """A person says that what is left of a line is a fee, or something else."""
    if number := _one(town.accounts[regie], which, "open"):
        line = town.accounts[regie].lines[number]
        left = line.left
        matching.classify(number, kind, "Dominique", "vu")
        line.parts.append((kind.value, "", left))
    look(town)


def confirm(town: "Town", regie: str, which: int) -> None:
    """A person confirms what is proposed first of a line."""
    account = town.accounts[regie]
    if number := _one(account, which, "open"):
        line = account.lines[number]
        found = matching.proposals(StatementLine.get_by_id(number))
        if found:
            free = Counter(each.key for each in account.money(town))
            matching.confirm(number, found[0].key, "Dominique")
            new = [*(Counter(_parts(regie)[number]) - Counter(line.parts)).elements()]
            _check(new, line.left, free)
            line.parts += new
    look(town)


def undo(town: "Town", regie: str, which: int) -> None:
    """A person undoes one match: nothing else changes, and the line is as it was loaded."""
    account = town.accounts[regie]
    if number := _one(account, which, "explained"):
        line = account.lines[number]
        of_line = LineMatch.undone_at.is_null(), LineMatch.line == number
        matches = list(LineMatch.select().where(*of_line).order_by(LineMatch.id))
        match_, before = matches[which % len(matches)], dump()
        matching.undo(match_.id, "Dominique", "erreur")
        (gone,) = (Counter(line.parts) - Counter(_parts(regie).get(number, ()))).elements()
        line.parts.remove(gone)
        line.touched = True
        assert _changes(before) <= _UNDONE
        assert _row(number) == line.row, "the line is not as it was loaded"
    look(town)


def _one(account: Account, which: int, what: str) -> int | None:
    """One of the lines that are open, or that something explains."""
    found = [number for number, line in account.lines.items()
             if (line.left if what == "open" else line.parts)]  # fmt: skip
    return found[which % len(found)] if found else None
