"""The rows of a file under the town's own columns, checked before the rules see them."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from kiosque.db.models import ImportBatch
from kiosque.invoices.imports.decoding import SAVE_ANEW, misread_word
from kiosque.invoices.imports.reading import (
    MAX_FAULTS,
    BadFile,
    Confirmed,
    Fault,
    Faults,
    FileSummary,
    NumberedLine,
    Row,
    quoted,
)
from kiosque.invoices.imports.receiving import File
from kiosque.invoices.imports.tables import SourceTable, without_empty_end
from kiosque.language import clock
from kiosque.spelling import fold

MAX_CELL = 200
#: A line is a total if a column of `_IDENTITY` begins so and the other one is empty or a figure; or
#: if any column begins so and both of these are empty.
_TOTALS = ("total", "soustotal")
_FIGURE = re.compile(r"[0-9][0-9\s.,]*€?")
_IDENTITY = ("numero_facture", "code_famille")
#: Columns that any row has and a total lacks: a family's code may begin with TOTAL.
_OWN = frozenset({"date_emission", "role", "date_encaissement"})


#: What is told of a load, in the transaction that loads.
Noted = Callable[[ImportBatch], None]


def untold(_batch: ImportBatch) -> None:
    """Tell nobody of a load."""


@dataclass(frozen=True)
class Sheet:
    """A file, its lines read once, as they are asked for. `faults` collects the malformed ones,
    `totals` the lines that sum up others, `warnings` what a person should look at although it is
    loaded or left out, `surprises` what a person has confirmed."""

    file: File
    columns: list[str]
    lines: Iterator[NumberedLine]
    length: int
    faults: Faults
    author: str
    noted: Noted
    totals: list[NumberedLine] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    surprises: list[Fault] = field(default_factory=list)

    @classmethod
    def of(cls, table: SourceTable, author: str, noted: Noted) -> Self:
        """Take a file, in the town's own columns, that `author` loads, and what is told of it."""
        read = table.file, table.columns, table.lines, table.length, table.faults
        return cls(*read, author, noted)

    @property
    def path(self) -> Path:
        return self.file.path

    def require_columns(self, expected: Sequence[str], *, optional: frozenset[str]) -> None:
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
        own = next((at for at, name in enumerate(self.columns) if name in _OWN), width)
        for number, cells in self.lines:
            # Nearly every line is sound: check the whole line first, which is quicker.
            text = ";".join(cells)
            if not text.isascii() and (misread := misread_word(text.replace(";", " "))):
                self.warn(number, f"accents mal lus, comme {quoted(misread)}. {SAVE_ANEW}")
            if own < len(cells) == width and cells[own] and _is_plain(text):
                is_empty = False
                yield number, cells
                continue
            texts = without_empty_end([*map(str.strip, cells)], width)
            if not any(texts):
                continue
            is_empty = False
            if not any(texts[own : own + 1]) and _is_total(texts, identity):
                self.warn(number, "total, laissé de côté")
                self.totals.append((number, texts))
            elif len(texts) != width:
                self.faults.add(number, f"{len(texts)} cellules au lieu de {width}")
            elif problems := [*filter(None, map(_cell_problem, self.columns, texts))]:
                self.faults.add(number, *problems)
            else:
                yield number, texts
        if is_empty and not self.faults:
            raise BadFile([Fault(1, "le fichier n’a que son titre de colonnes")])

    def warn(self, line: int, text: str) -> None:
        """Add a warning about a line that is no fault, for a person; ignore those beyond a
        hundred."""
        if len(self.warnings) < MAX_FAULTS:
            self.warnings.append(Fault(line, text, unit=self.faults.unit))

    def surprise(self, confirmed: Confirmed, needs: str, line: int, text: str) -> None:
        """Refuse a surprise, unless a person has confirmed all of its kind (`needs`). Report a
        hundred at most."""
        if not getattr(confirmed, needs):
            self.faults.add(line, text, needs=needs)
        elif len(self.surprises) < MAX_FAULTS:
            self.surprises.append(Fault(line, text, needs, self.faults.unit))

    @property
    def warned(self) -> tuple[Fault, ...]:
        """Return what a person should look at, by line."""
        of_format = [Fault(line, text, unit=self.faults.unit) for line, text in self.file.warnings]
        return tuple(sorted([*of_format, *self.warnings], key=lambda warning: warning.line))

    def rows(self) -> Iterator[Row]:
        """Yield each line that is sound, as a row."""
        return map(self.row, self)

    def row(self, line: NumberedLine) -> Row:
        number, cells = line
        return Row(number, dict(zip(self.columns, cells, strict=True)))

    def log(self, summary: FileSummary) -> ImportBatch:
        """Note that the file was loaded, as part of the transaction that loads it."""
        batch: ImportBatch = ImportBatch.create(
            file_name=self.path.name,
            sha256=self.file.sha256,
            kind=summary.kind,
            row_count=summary.rows,
            added_count=summary.added,
            imported_at=clock.now(),
            author=self.author,
        )
        self.noted(batch)
        return batch


def _is_plain(text: str) -> bool:
    """Tell whether nothing can be wrong with the cells of a line, joined by semicolons, and none
    begins or ends with a space: this costs a tenth of looking at each."""
    return (
        len(text) <= MAX_CELL
        and text.isprintable()
        and not ("; " in text or " ;" in text or text[0] == " " or text[-1] == " ")
    )


def _is_total(texts: list[str], identity: Sequence[int]) -> bool:
    """Tell whether a line that has nothing in the columns of `_OWN` says that it is a total, and
    belongs to no family nor invoice."""
    if not identity:
        return False
    names = [name for at in identity if at < len(texts) and (name := texts[at])]
    others = [name for name in names if not fold(name).startswith(_TOTALS)]
    if len(others) == len(names):  # another cell may say that it is a total
        return not names and any(fold(text).startswith(_TOTALS) for text in texts)
    return all(map(_FIGURE.fullmatch, others))


def _cell_problem(column: str, cell: str) -> str | None:
    if len(cell) > MAX_CELL:
        return f"{column} {quoted(cell)} : plus de {MAX_CELL} caractères"
    if not cell.isprintable() and any(unicodedata.category(char) == "Cc" for char in cell):
        return f"{column} {quoted(cell)} : un caractère de contrôle ou un retour à la ligne"
    return None
