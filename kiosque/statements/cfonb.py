"""CFONB 120, the statements of French banks and of the Treasury: lines of 120 signs.

A statement is an old balance (`01`), its movements (`04`) with what completes them (`05`), a new
balance (`07`); a file holds several, of several accounts. Source: CFONB, *Relevé de compte sur
support informatique*, 7.4, July 2004.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from kiosque.invoices.imports.reading import Faults, quoted
from kiosque.statements.cells import (
    MAX_CENTS,
    MAX_REFERENCE,
    day_in,
    french_iban,
    imbalance,
    one_line,
)
from kiosque.statements.records import FileKind, Movement, ParsedFile, Period

WIDTH = 120
OLD, MOVEMENT, DETAIL, NEW = "01", "04", "05", "07"
_RECORD = re.compile(r"0[1457][0-9A-Z ]{5}.{9}[A-Z]{3}[0-9]", re.ASCII)
#: The last sign of an amount is its last figure and its sign.
_LAST = {sign: (str(at % 10), at > 9) for at, sign in enumerate("{ABCDEFGHI}JKLMNOPQR")}
_FIGURES = re.compile(r"[0-9]{13}", re.ASCII)
#: Qualifiers of the details that are kept: who, why, with which reference; no IBAN.
_TOLD = frozenset({"LIB", "NPY", "NBE", "LCC", "LC2", "LCS", "REF", "RCN"})


def is_cfonb(line: str) -> bool:
    """Tell whether the first line of a file is one of these."""
    return bool(_RECORD.match(line)) and len(line) > 75


def read(text: str) -> ParsedFile:
    """Read a file. Raise BadFile, naming each line that cannot be."""
    reader = _Reader(Faults())
    for number, line in _lines(text):
        try:
            reader.take(number, line.ljust(WIDTH))
        except ValueError as error:
            reader.faults.add(number, *error.args)
    reader.end()
    reader.faults.raise_any()
    return ParsedFile(FileKind.CFONB, tuple(reader.periods))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something. Some banks end none: the file is one long line."""
    lines = text.split("\n")
    if len(lines[0]) >= 2 * WIDTH and not "".join(lines[1:]).strip():
        lines = [lines[0][at : at + WIDTH] for at in range(0, len(lines[0]), WIDTH)]
    return ((at, line) for at, line in enumerate(lines, 1) if line.strip())


@dataclass
class _Line:
    """A movement, to which the details that follow are added."""

    booked_on: date
    value_on: date | None
    cents: int
    reference: str
    texts: list[str]

    def movement(self) -> Movement:
        reference = one_line(self.reference, most=MAX_REFERENCE)
        return Movement(self.booked_on, self.value_on, self.cents, one_line(*self.texts), reference)


@dataclass
class _Statement:
    """A statement being read, from the line of its old balance. `is_open` once it has a movement,
    to which details can be added."""

    line: int
    number: str
    account: str
    opened_on: date | None = None
    opening_cents: int | None = None
    moved: list[_Line] = field(default_factory=list)
    is_open: bool = False


class _Reader:
    """Takes in one record after another."""

    def __init__(self, faults: Faults):
        self.faults = faults
        self.periods: list[Period] = []
        self._current: _Statement | None = None
        #: True once a statement was told to lack its first record: say so once.
        self._is_lost = False
        self._takes = {
            OLD: self._open, MOVEMENT: self._move, DETAIL: self._detail, NEW: self._close,
        }  # fmt: skip

    def take(self, number: int, line: str) -> None:
        """Take in a record. Raise ValueError, in French, if it is not valid."""
        if line[WIDTH:].strip():
            raise ValueError(f"{len(line.rstrip())} caractères au lieu de {WIDTH}")
        take = self._takes.get(line[:2])
        if take is None:
            raise ValueError(f"enregistrement {quoted(line[:2])} : attendu 01, 04, 05 ou 07")
        if line[:2] == OLD:
            self._is_lost = False
        elif self._current is None and self._is_lost:
            return
        take(number, line)

    def end(self) -> None:
        if self._current:
            self.faults.add(self._current.line, "ce relevé n’a pas de nouveau solde (07)")
            self._current = None

    def _open(self, number: int, line: str) -> None:
        self.end()
        account = french_iban(line[2:7], line[11:16], line[21:32])
        self._current = current = _Statement(number, line[21:32], account)
        current.opened_on, current.opening_cents = _day(line, 34), _cents(line)

    def _move(self, _number: int, line: str) -> None:
        current = self._statement(line, "mouvement (04)")
        current.is_open = True
        value_on = _day(line, 42) if line[42:48].strip() else None
        reference = line[104:120].strip()
        current.moved.append(
            _Line(_day(line, 34), value_on, _cents(line), reference, [line[48:79]])
        )

    def _detail(self, _number: int, line: str) -> None:
        current = self._statement(line, "complément (05)")
        if not current.is_open:
            raise ValueError("complément (05) sans mouvement (04) avant lui")
        qualifier, told = line[45:48], line[48:118].strip()
        if qualifier in _TOLD and current.moved:
            last = current.moved[-1]
            last.texts.append(told)
            last.reference = last.reference or (told if qualifier == "REF" else "")

    def _close(self, number: int, line: str) -> None:
        current = self._statement(line, "nouveau solde (07)")
        self._current = None
        period = Period(
            current.account, current.opened_on, current.opening_cents, _day(line, 34), _cents(line),
            tuple(moved.movement() for moved in current.moved if moved.cents),
        )  # fmt: skip
        self.periods.append(period)
        if not self.faults and (fault := imbalance(period)):
            self.faults.add(number, fault)

    def _statement(self, line: str, what: str) -> _Statement:
        """Return the statement that a record belongs to."""
        current = self._current
        if current is None:
            self._is_lost = line[:2] != NEW
            raise ValueError(f"{what} hors d’un relevé : son ancien solde (01) manque")
        if line[21:32] != current.number:
            raise ValueError(
                f"{what} du compte {quoted(line[21:32].strip())} dans le relevé du compte "
                f"{quoted(current.number.strip())}"
            )
        return current


def _day(line: str, at: int) -> date:
    """Read a day, JJMMAA."""
    text = line[at : at + 6]
    try:
        return day_in(f"20{text[4:6]}{text[2:4]}{text[:2]}")
    except ValueError:
        raise ValueError(
            f"date {quoted(text)}, caractères {at + 1} à {at + 6} : attendu JJMMAA"
        ) from None


def _cents(line: str) -> int:
    """Read an amount in euros as cents. Its last character stands for both its last digit and its
    sign."""
    text = line[90:104]
    if line[16:20] != "EUR2":
        raise ValueError(f"devise {quoted(line[16:20])} : attendu EUR, à 2 décimales")
    last = _LAST.get(text[13])
    if last is None or not _FIGURES.fullmatch(text[:13]):
        raise ValueError(f"montant {quoted(text)}, caractères 91 à 104, illisible")
    figure, is_negative = last
    cents = int(text[:13] + figure)
    if cents > MAX_CENTS:
        raise ValueError(f"montant {quoted(text)} trop grand")
    return -cents if is_negative else cents
