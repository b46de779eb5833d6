"""Tables of any bank: CSV, or the first sheet of a workbook."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from kiosque.invoices.imports.dates import parse_date
from kiosque.invoices.imports.reading import (
    BadFile,
    Fault,
    Faults,
    NumberedLine,
    every,
    quoted,
)
from kiosque.language.formats import format_euros
from kiosque.spelling import fold
from kiosque.statements.cells import (
    MAX_REFERENCE,
    account_in,
    cents_in,
    column_key,
    day_in,
    one_line,
)
from kiosque.statements.columns import Columns, chosen, named, unknown
from kiosque.statements.records import (
    FileKind,
    Meaning,
    Movement,
    ParsedFile,
    Period,
    TableReading,
)

SEPARATORS = ";\t,|"
#: Most lines above the columns: they say which account it is, and until when.
MAX_PREAMBLE = 30
MAX_COLUMNS = 100
_IBAN = re.compile(r"\bFR[0-9]{2}(?: ?[0-9A-Z]){23}\b", re.ASCII)
_NUMBER = re.compile(r"compte\D{0,30}([0-9]{11})\b", re.ASCII | re.IGNORECASE)
#: Beginnings of lines that are no movement.
_TOTALS = ("total", "solde")
_EURO = frozenset({"", "eur", "978"})
_SIDES = {"d": -1, "deb": -1, "debit": -1, "c": 1, "cre": 1, "cred": 1, "credit": 1}


class _Heading(NamedTuple):
    """How many lines precede the movements, and how the columns are understood."""

    height: int
    table: TableReading

    @property
    def where(self) -> Mapping[Meaning, int]:
        """The place of each meaning in a line, from 0."""
        return {name: self.table.header.index(each) for name, each in self.table.columns.items()}


@dataclass(frozen=True, slots=True)
class _Row:
    """A movement, its line, its account, and the balance after it where the line tells one."""

    line: int
    account: str
    movement: Movement
    balance_cents: int | None


def of_csv(text: str, answers: Mapping[str, Columns]) -> ParsedFile:
    """Read a CSV. Its separator is the one with which its columns are recognised."""
    found = [_top(lines(text, separator)) for separator in SEPARATORS]
    understood = [at for at, top in enumerate(found) if _heading(top, answers)]
    widths = [max((len(cells) for _number, cells in top), default=0) for top in found]
    at = understood[0] if understood else widths.index(max(widths))
    return read(lines(text, SEPARATORS[at]), answers)


def lines(text: str, separator: str) -> Iterator[NumberedLine]:
    """Yield the lines of a CSV. Raise BadFile for one that is malformed."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error:
        text = "CSV mal formé : un guillemet n’est pas fermé, ou du texte suit celui qui ferme"
        raise BadFile([Fault(reader.line_num, text)]) from None


def _top(rows: Iterable[NumberedLine]) -> list[NumberedLine]:
    """Return the first lines, up to one that is malformed by this separator."""
    found: list[NumberedLine] = []
    with suppress(BadFile):
        for row in islice(rows, MAX_PREAMBLE):
            found.append(row)  # noqa: PERF402  # keep the rows before an error
    return found


def read(rows: Iterator[NumberedLine], answers: Mapping[str, Columns]) -> ParsedFile:
    """Read a table, by a person's answers about its columns if there are any. Raise BadFile, or
    UnknownColumns if a person has to answer."""
    top = list(islice(rows, MAX_PREAMBLE))
    heading = _heading(top, answers)
    if heading is None:
        raise unknown(_header(_widest(top)))
    below = chain(top[heading.height :], rows)
    try:
        periods = _periods(top[: heading.height], below, heading.where)
    except BadFile as error:
        if heading.table.is_answered:
            raise
        raise unknown(heading.table.header, [str(fault) for fault in error.faults]) from None
    return ParsedFile(FileKind.CSV, periods, table=heading.table)


def _periods(
    above: Sequence[NumberedLine], below: Iterable[NumberedLine], where: Mapping[Meaning, int]
) -> tuple[Period, ...]:
    """Return the statements that lines make. Raise BadFile."""
    said = " ".join(cell for _number, cells in above for cell in cells)
    faults = Faults()
    found = _rows(below, where, _account(said), faults)
    faults.raise_any()
    if not found:
        raise BadFile([Fault(0, "aucun mouvement dans ce fichier")])
    periods = [_period(account, of_account, faults) for account, of_account in found.items()]
    faults.raise_any()
    return tuple(periods)


def _heading(top: Sequence[NumberedLine], answers: Mapping[str, Columns]) -> _Heading | None:
    """Return the first line whose columns are recognised; None if a person has to say."""
    for height, (_number, cells) in enumerate(top, 1):
        header = _header(cells)
        if 2 < len(cells) <= MAX_COLUMNS and (table := chosen(header, answers)):
            is_named = header == named(cells)
            return _Heading(height if is_named else height - 1, table)
    return None


def _header(cells: Sequence[str]) -> list[str]:
    """Return the names of the first MAX_COLUMNS columns; numbers if the line is already a
    movement."""
    cells = cells[:MAX_COLUMNS]
    has_day = any(parse_date(cell.strip()) for cell in cells if len(cell) < 20)
    return named([""] * len(cells) if has_day else cells)


def _widest(top: Sequence[NumberedLine]) -> Sequence[str]:
    """Return the first of the lines that have most cells filled in."""
    said = [sum(map(bool, map(str.strip, cells))) for _number, cells in top]
    return top[said.index(max(said))][1] if said else ()


def _account(said: str) -> str:
    """Return the account that the lines above a table name."""
    if found := _IBAN.search(said):
        return account_in(found[0])
    found = _NUMBER.search(said)
    return found[1] if found else ""


def _rows(
    below: Iterable[NumberedLine], where: Mapping[Meaning, int], account: str, faults: Faults
) -> dict[str, list[_Row]]:
    """Return the movements of each account."""
    found: dict[str, list[_Row]] = {}
    for number, cells in below:
        told = {meaning: cells[at].strip() for meaning, at in where.items() if at < len(cells)}
        if not any(told.values()):
            continue
        try:
            if row := _row(number, told, account):
                found.setdefault(row.account, []).append(row)
        except ValueError as error:
            if not any(fold(cell).startswith(_TOTALS) for cell in cells):
                faults.add(number, *error.args)
    return found


def _row(number: int, told: Mapping[Meaning, str], account: str) -> _Row | None:
    """Read a line; return None for a line of text only. Raise ValueError, in French."""
    amounts = (Meaning.AMOUNT, Meaning.DEBIT, Meaning.CREDIT)
    if not any(map(told.get, amounts)) and not parse_date(told.get(Meaning.BOOKED_ON, "")[:20]):
        return None
    if column_key(told.get(Meaning.CURRENCY, "")) not in _EURO:
        raise ValueError(f"devise {quoted(told[Meaning.CURRENCY])} : attendu l’euro")
    booked_on, value_on, cents, balance = every(
        lambda: day_in(told.get(Meaning.BOOKED_ON, "")),
        lambda: day_in(text) if (text := told.get(Meaning.VALUE_ON)) else None,
        lambda: _cents(told),
        lambda: cents_in(text) if (text := told.get(Meaning.BALANCE)) else None,
    )
    movement = Movement(
        booked_on, value_on, cents,
        one_line(told.get(Meaning.LABEL, ""), told.get(Meaning.DETAILS, "")),
        one_line(told.get(Meaning.REFERENCE, ""), most=MAX_REFERENCE),
    )  # fmt: skip
    return _Row(number, account_in(told.get(Meaning.ACCOUNT, "")) or account, movement, balance)


def _cents(told: Mapping[Meaning, str]) -> int:
    """Return the cents of a line, below zero if they leave the account."""
    if amount := told.get(Meaning.AMOUNT):
        cents = cents_in(amount)
        if Meaning.SIDE not in told:
            return cents
        if (side := _SIDES.get(column_key(told[Meaning.SIDE]))) is None:
            raise ValueError(f"sens {quoted(told[Meaning.SIDE])} : attendu D ou C")
        return side * abs(cents)
    debit, credit = (
        cents_in(text) if (text := told.get(meaning)) else 0
        for meaning in (Meaning.DEBIT, Meaning.CREDIT)
    )
    if bool(debit) == bool(credit) and not (told.get(Meaning.DEBIT) or told.get(Meaning.CREDIT)):
        raise ValueError("montant vide")
    if (debit and credit) or credit < 0:
        raise ValueError(
            f"débit {quoted(told.get(Meaning.DEBIT, ''))}, crédit "
            f"{quoted(told.get(Meaning.CREDIT, ''))} : attendu l’un des deux, sans signe"
        )
    return credit - abs(debit)


def _period(account: str, rows: list[_Row], faults: Faults) -> Period:
    """Return the statement that the lines of an account make, in the order of time. If lines have
    balances, each must follow from the one before."""
    days = rows[0].movement.booked_on, rows[-1].movement.booked_on
    is_backwards = days[0] > days[1] or (days[0] == days[1] and bool(_breaks(rows)))
    if is_backwards and not (days[0] == days[1] and _breaks(rows[::-1])):
        rows = rows[::-1]
    for line, text in _breaks(rows):
        faults.add(line, text)
    movements = tuple(row.movement for row in rows if row.movement.cents)
    opening = _opening(rows)
    closing = None if opening is None else opening + sum(each.cents for each in movements)
    closed_on = rows[-1].movement.booked_on if rows else None
    return Period(account, None, opening, closed_on, closing, movements)


def _opening(rows: Sequence[_Row]) -> int | None:
    """Return the balance before the first line, from the first that tells one."""
    moved = 0
    for row in rows:
        moved += row.movement.cents
        if row.balance_cents is not None:
            return row.balance_cents - moved
    return None


def _breaks(rows: Sequence[_Row]) -> list[tuple[int, str]]:
    """Return the lines whose balance does not follow from the one before."""
    found = []
    running: int | None = None
    for row in rows:
        if running is not None:
            running += row.movement.cents
        told = row.balance_cents
        if told is None:
            continue
        if running is not None and told != running:
            text = (
                f"solde {format_euros(told)} au lieu de {format_euros(running)} : l’écart est de "
                f"{format_euros(abs(told - running))}, une ligne manque ou est en double"
            )
            found.append((row.line, text))
        running = told
    return found
