"""Take in a bank's file: read it, load it, match its lines. Remember a person's answers about the
columns of tables and the unit of amounts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from kiosque.db import write
from kiosque.db.models import Attempt, ColumnMapping
from kiosque.db.prepared import PreparedQuery
from kiosque.db.statement_words import MatchRule
from kiosque.invoices.imports.mappings import OF_BANKS
from kiosque.language import clock
from kiosque.statements import matching, reading
from kiosque.statements.accounts import AccountHolder
from kiosque.statements.columns import Columns, signature
from kiosque.statements.loading import Loaded, load
from kiosque.statements.records import Meaning, ParsedFile, Unit


@dataclass
class Received:
    """How much of a file was new, and how many lines each rule then matched."""

    loaded: Loaded
    matched: dict[MatchRule, int] = field(default_factory=dict)


def read(
    name: str,
    content: bytes,
    *,
    unit: Unit | None = None,
    columns: Mapping[str, Columns] | None = None,
) -> ParsedFile:
    """Read a file, with the remembered meanings of columns and those in `columns`, by signature.
    Raises UnreadableFile, UnknownColumns, OfInvoices."""
    answers = {**remembered(), **(columns or {})}
    return reading.read(name, content, answers, unit=unit, known=_known_cents)


def receive(
    file: ParsedFile,
    name: str,
    content: bytes,
    regies: Mapping[str, AccountHolder],
    author: str,
    *,
    regie: str | None = None,
) -> Received:
    """Load a file that was read, and match what leaves no doubt. Raises Refused, WhichRegie,
    changing nothing."""
    digest = hashlib.sha256(content).hexdigest()
    loaded = load(file, name, digest, regie=regie, regies=regies, author=author)
    found = Received(loaded)
    for of in loaded.regies:
        for rule, lines in matching.match_all(of).items():
            found.matched[rule] = found.matched.get(rule, 0) + lines
    return found


def remembered() -> Mapping[str, Columns]:
    """Return the answers about columns, by the signature of a header."""
    return {each.signature.removeprefix(OF_BANKS): columns_of(each) for each in answers()}


def answers() -> list[ColumnMapping]:
    """Return what is remembered of the columns of tables, the oldest first."""
    return _ANSWERS.models()


_ANSWERS = PreparedQuery(
    lambda: (
        ColumnMapping.select()
        .where(ColumnMapping.signature.startswith(OF_BANKS))
        .order_by(ColumnMapping.id)
    )
)


def columns_of(answer: ColumnMapping) -> dict[Meaning, str]:
    """Return the columns of an answer, by their meaning."""
    return {Meaning(meaning): column for meaning, column in json.loads(answer.mapping).items()}


def forget(number: int) -> bool:
    """Forget an answer: the next table of these columns is asked about again. Return whether it
    was there."""
    which = ColumnMapping.id == number, ColumnMapping.signature.startswith(OF_BANKS)
    with write():
        return bool(ColumnMapping.delete().where(*which).execute())


def remember(header: Sequence[str], columns: Columns, author: str) -> None:
    """Store the meanings of the columns of a header, for all files that have it."""
    values = {
        "name": "relevé",
        "mapping": json.dumps(columns, ensure_ascii=False, sort_keys=True),
        "author": author,
        "made_at": clock.now(),
    }
    key = f"{OF_BANKS}{signature(header)}"
    with write():
        if not ColumnMapping.update(values).where(ColumnMapping.signature == key).execute():
            ColumnMapping.create(signature=key, **values)


def _known_cents(day: date, transaction_id: str) -> int | None:
    """Return the cents of a payment of ours, by its UTC day and its number at the gateway."""
    if not transaction_id.isdecimal():
        return None
    same = Attempt.day == day.strftime("%Y%m%d"), Attempt.number == int(transaction_id)
    found = [each.amount_cents for each in Attempt.select(Attempt.amount_cents).where(*same)]
    return found[0] if len(found) == 1 else None
