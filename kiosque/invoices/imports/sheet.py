"""Read a CSV file whose encoding, separator and first line are not known beforehand."""

import csv
import hashlib
import io
import re
import sys
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from kiosque import system
from kiosque.db.models import ImportBatch
from kiosque.invoices.imports.decoding import NO_CSV, SAVE_ANEW, SEPARATORS, decode, misread_word
from kiosque.invoices.imports.reading import (
    MAX_FAULTS,
    BadFile,
    Fault,
    Faults,
    Row,
    Summary,
    quoted,
)
from kiosque.language import clock
from kiosque.spelling import fold

#: The number of a line in its file, and its cells.
NumberedLine = tuple[int, list[str]]

MAX_BYTES = 256 * 1024 * 1024
MAX_CELL = 200
#: A title, and a few lines about who made the file and when, may precede the columns.
MAX_PREAMBLE = 10
#: The file's name that means standard input.
STANDARD_INPUT = Path("-")
#: What tells a row from the line of a total, and what such a line says: how many rows, how much.
_TOTALS = ("total", "soustotal")
_FIGURE = re.compile(r"[0-9][0-9\s.,]*€?")
_IDENTITY = ("numero_facture", "code_famille")
#: What a row has and a total lacks, though the family's code begin with TOTAL.
_OWN = frozenset({"date_emission", "role", "date_encaissement"})


@dataclass(frozen=True)
class Sheet:
    """A file, its lines read once, as they are asked for. `faults` takes the malformed ones,
    `totals` the lines that sum up others, `warnings` what is loaded, or left out, and wants to be
    looked at."""

    path: Path
    sha256: str
    columns: list[str]
    lines: Iterator[NumberedLine]
    length: int
    faults: Faults
    author: str
    totals: list[NumberedLine] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    @classmethod
    def read(
        cls, path: Path, names: Collection[str], keys: Sequence[Collection[str]], author: str
    ) -> Self:
        """Read the file that `author` loads, or standard input where the path is `-`.

        Its columns are at the first line that holds all of one of `keys`; those of `names` are
        known however spelt. Raise BadFile when it is not a CSV file of a sensible size.
        """
        data = _bytes(path)
        text = decode(data)
        if not text.strip():
            raise BadFile([Fault(0, "le fichier est vide")])
        canonical = {fold(name): name for name in names}
        first, separator, cells = _heading(text, [set(map(fold, key)) for key in keys])
        columns = [canonical.get(fold(cell), cell.strip().lower()) for cell in cells]
        faults = Faults()
        lines, length = _parse(text, separator, first, faults), text.count("\n")
        return cls(path, hashlib.sha256(data).hexdigest(), columns, lines, length, faults, author)

    def check(self, expected: Sequence[str], *, optional: frozenset[str]) -> None:
        """Raise BadFile when a column is missing, unknown or repeated."""
        absent = [name for name in expected if name not in self.columns and name not in optional]
        faults = [f"colonne {name} absente" for name in absent]
        faults += [
            f"colonne {quoted(name)} inconnue" for name in self.columns if name not in expected
        ]
        if len(set(self.columns)) < len(self.columns):
            faults.append("une colonne figure deux fois")
        if faults:
            raise BadFile([Fault(1, fault) for fault in faults])

    def __length_hint__(self) -> int:
        """Tell a progress bar about how many lines there are."""
        return self.length

    def __iter__(self) -> Iterator[NumberedLine]:
        """Yield each line that is sound. Raise BadFile when there is none at all."""
        is_empty, width = True, len(self.columns)
        identity = [self.columns.index(name) for name in _IDENTITY if name in self.columns]
        own = [at for at, name in enumerate(self.columns) if name in _OWN]
        for number, cells in self.lines:
            # Nearly always all is well: so all of the line is looked at first.
            text = " ".join(cells)
            if not text or text.isspace():
                continue
            is_empty = False
            if len(cells) != width:
                cells = _without_empty_end(cells, width)  # noqa: PLW2901
            if not text.isascii() and (misread := misread_word(text)):
                self.warn(number, f"accents mal lus, comme {quoted(misread)}. {SAVE_ANEW}")
            if _is_total(cells, identity, own):
                self.warn(number, "total, laissé de côté")
                self.totals.append((number, cells))
            elif len(cells) != width:
                self.faults.add(number, f"{len(cells)} cellules au lieu de {width}")
            elif (len(text) > MAX_CELL or not text.isprintable()) and (
                problems := list(filter(None, map(_cell_problem, self.columns, cells)))
            ):
                self.faults.add(number, *problems)
            else:
                yield number, [cell.strip() for cell in cells]
        if is_empty and not self.faults:
            raise BadFile([Fault(1, "le fichier n’a que son titre de colonnes")])

    def warn(self, line: int, text: str) -> None:
        """Tell a person to look at a line, which is no fault. Beyond a hundred, no more is told."""
        if len(self.warnings) < MAX_FAULTS:
            self.warnings.append(Fault(line, text))

    @property
    def warned(self) -> tuple[Fault, ...]:
        """Return what a person should look at, by line."""
        return tuple(sorted(self.warnings, key=lambda warning: warning.line))

    def rows(self) -> Iterator[Row]:
        """Yield each line that is sound, as a row."""
        return map(self.row, self)

    def row(self, line: NumberedLine) -> Row:
        number, cells = line
        return Row(number, dict(zip(self.columns, cells, strict=True)))

    def log(self, summary: Summary) -> ImportBatch:
        """Note that the file was loaded, as part of the transaction that loads it."""
        return ImportBatch.create(
            file_name=self.path.name,
            sha256=self.sha256,
            kind=summary.kind,
            row_count=summary.rows,
            added_count=summary.added,
            imported_at=clock.now(),
            author=self.author,
        )


def _bytes(path: Path) -> bytes:
    try:
        if path == STANDARD_INPUT:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadFile(
            [Fault(0, f"ce fichier ne peut pas être lu ({system.why(error)}).")]
        ) from None
    except ValueError:  # it holds a NUL
        raise BadFile([Fault(0, "ce fichier ne peut pas être lu.")]) from None
    if len(data) > MAX_BYTES:
        raise BadFile([Fault(0, "fichier de plus de 256 Mo. Partagez-le en plusieurs.")])
    return data


def _heading(text: str, keys: Sequence[set[str]]) -> tuple[int, str, list[str]]:
    """Return how many lines precede the rows, the separator, and the names of the columns.

    Where no line holds the columns of a known kind, the first that says something is taken. Raise
    BadFile if the text is none, besides.
    """
    top = text.split("\n", MAX_PREAMBLE)[:MAX_PREAMBLE]
    for number, line in enumerate(top, 1):
        for separator in SEPARATORS:
            cells = _cells(line, separator)
            if any(key <= set(map(fold, cells)) for key in keys) and "\0" not in line:
                return number, separator, cells
    before, nul, _after = text.partition("\0")
    if nul:
        *above, line = before.split("\n")
        raise BadFile([Fault(len(above) + 1, f"octet nul, caractère {len(line) + 1} : {NO_CSV}")])
    number, line = next(
        ((number, line) for number, line in enumerate(top, 1) if line.strip()), (1, "")
    )
    separator = max(SEPARATORS, key=line.count)
    return number, separator, _cells(line, separator)


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of one line, without the empty ones at its end."""
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
    return _without_empty_end(cells, 1)


def _without_empty_end(cells: list[str], width: int) -> list[str]:
    """Leave out the empty cells that a spreadsheet adds beyond the width."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _is_total(cells: list[str], identity: Sequence[int], own: Sequence[int]) -> bool:
    """Tell whether a line belongs to no family nor invoice and says that it is a total. `own` are
    the columns that no row leaves empty."""
    for at in own:
        if at < len(cells) and cells[at].strip():
            return False
    if not identity:
        return False
    names = [name for at in identity if at < len(cells) and (name := cells[at].strip())]
    others = [name for name in names if not fold(name).startswith(_TOTALS)]
    if len(others) == len(names):  # the cell that says it is another one
        return not names and any(fold(cell).startswith(_TOTALS) for cell in cells)
    return all(map(_FIGURE.fullmatch, others))


def _parse(text: str, separator: str, first: int, faults: Faults) -> Iterator[NumberedLine]:
    """Yield the lines that follow the first ones, up to one that is malformed."""
    lines = io.StringIO(text, newline="")
    for _ in range(first):
        lines.readline()
    reader = csv.reader(lines, delimiter=separator, strict=True)
    read = first
    try:
        for cells in reader:
            read = first + reader.line_num
            yield read, cells
    except csv.Error:
        faults.add(
            read + 1,
            "CSV mal formé : un guillemet n’est pas fermé, ou du texte suit celui qui ferme. "
            "Rien n’a été lu ensuite.",
        )


def _cell_problem(column: str, cell: str) -> str | None:
    if len(cell) > MAX_CELL:
        return f"{column} {quoted(cell)} : plus de {MAX_CELL} caractères"
    if not cell.isprintable() and any(unicodedata.category(char) == "Cc" for char in cell):
        return f"{column} {quoted(cell)} : un caractère de contrôle ou un retour à la ligne"
    return None
