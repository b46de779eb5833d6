"""Read a CSV file whose encoding, separator and decimals are not known beforehand."""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from kiosque.db.models import ImportBatch
from kiosque.language import clock
from kiosque.language.amounts import parse_hundredths

#: Shows progress over many items: (items, what is being done) -> the same items.
Progress = Callable[[Iterable[Any], str], Iterable[Any]]

#: The number of a line in its file, and its cells.
NumberedLine = tuple[int, list[str]]

MAX_BYTES = 256 * 1024 * 1024
MAX_CELL = 200
#: Beyond this many faults the file is simply not of the right kind.
MAX_FAULTS = 100

CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,19}", re.ASCII)
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,29}", re.ASCII)


@dataclass(frozen=True)
class Fault:
    """A fault of one line and what to do about it, in French."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"ligne {self.line} : {self.text}"


class BadFile(Exception):  # the word of the domain
    """The file cannot be loaded; nothing of it was."""

    def __init__(self, faults: Sequence[Fault]):
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Confirmed:
    """The surprises of a file that a person has said are meant; the others refuse it."""

    new_services: bool = False
    new_families: bool = False
    removals: bool = False


#: No surprise is let in.
NOTHING = Confirmed()


@dataclass(frozen=True)
class Summary:
    """Counts of what a file brought, or would bring. `regies` gives the cents that belong to each
    *régie*, by its key. `joined_services` are (spelling in the file, name kept), `joined_children`
    (family code, spelling, name kept); `removals` say in French what leaves the record;
    `left_since` names the invoices of payments known before, whose money has left since."""

    kind: str
    rows: int
    added: int
    unchanged: int
    total_cents: int = 0
    new_families: int = 0
    new_services: tuple[str, ...] = ()
    regies: Mapping[str, int] = field(default_factory=dict)
    joined_services: tuple[tuple[str, str], ...] = ()
    joined_children: tuple[tuple[str, str, str], ...] = ()
    removals: tuple[str, ...] = ()
    left_since: tuple[str, ...] = ()


def sums(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up the amounts of each name."""
    found: dict[str, int] = {}
    for name, cents in amounts:
        found[name] = found.get(name, 0) + cents
    return found


@dataclass(frozen=True)
class Row:
    """One line of a file. Its methods raise ValueError, in French, for a cell that cannot serve."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def get(self, column: str) -> str:
        """Return the text of a column that the file may lack."""
        return self.cells.get(column, "")

    def text(self, column: str) -> str:
        """Return the text of a cell that must not be empty."""
        if not (value := self[column]):
            raise ValueError(f"{column} est vide")
        return value

    def code(self) -> str:
        code = "".join(self["code_famille"].split()).upper()
        if not CODE.fullmatch(code):
            raise ValueError("code_famille : attendu 1 à 20 lettres, chiffres ou tirets")
        return code

    def number(self) -> str:
        if not NUMBER.fullmatch(self["numero_facture"]):
            raise ValueError(
                "numero_facture : attendu 1 à 30 lettres, chiffres, points, tirets ou barres"
            )
        return self["numero_facture"]

    def date(self, column: str) -> date:
        if (found := _date(self[column])) is None:
            raise ValueError(f"{column} : attendu une date comme 2026-10-31 ou 31/10/2026")
        return found


def hundredths(column: str, text: str) -> int:
    """Read the number in a cell, as hundredths. Raise ValueError, in French."""
    try:
        return parse_hundredths(text)
    except ValueError:
        raise ValueError(
            f"{column} : attendu un nombre à deux décimales au plus, comme 12,50"
        ) from None


# The same few dates come again at every line of a file.
@lru_cache(maxsize=10_000)
def _date(text: str) -> date | None:
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            found = datetime.strptime(text, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
        if 2000 <= found.year <= 2100:
            return found
    return None


class Faults:
    """Collect the faults of all lines, so that one reading names them all.

    Too many of them raise BadFile at once.
    """

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, line: int, text: str) -> None:
        self._found.append(Fault(line, text))
        if len(self._found) >= MAX_FAULTS:
            self.raise_any()

    def raise_any(self) -> None:
        if self._found:
            raise BadFile(sorted(self._found, key=lambda fault: fault.line))


@dataclass(frozen=True)
class Sheet:
    """A file, its lines read once, as they are asked for. `faults` takes the malformed ones."""

    path: Path
    sha256: str
    columns: list[str]
    lines: Iterator[NumberedLine]
    length: int
    faults: Faults = field(default_factory=Faults)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raise BadFile when it is not a CSV file of a sensible size."""
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
        except OSError:
            raise BadFile([Fault(0, f"{path} ne peut pas être lu. Vérifiez son nom.")]) from None
        if data is None:
            raise BadFile([Fault(0, "fichier de plus de 256 Mo. Partagez-le en plusieurs.")])
        text = _decode(data)
        title = text.partition("\n")[0]
        if not title.strip():
            raise BadFile([Fault(0, "le fichier est vide")])
        lines = _parse(text, ";" if title.count(";") >= title.count(",") else ",")
        columns = [cell.strip().lower() for cell in next(lines)[1]]
        return cls(path, hashlib.sha256(data).hexdigest(), columns, lines, text.count("\n"))

    def check(self, expected: Sequence[str], *, optional: frozenset[str]) -> None:
        """Raise BadFile when a column is missing, unknown or repeated."""
        absent = [name for name in expected if name not in self.columns and name not in optional]
        faults = [f"colonne {name} absente" for name in absent]
        faults += [f"colonne {name} inconnue" for name in self.columns if name not in expected]
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
        for number, cells in self.lines:
            # Nearly always all is well: so all of the line is looked at first.
            text = "".join(cells)
            if not text or text.isspace():
                continue
            is_empty = False
            if len(cells) != width:
                self.faults.add(number, f"{len(cells)} cellules au lieu de {width}")
            elif (len(text) > MAX_CELL or not text.isprintable()) and (
                problem := next(filter(None, map(_cell_problem, cells)), None)
            ):
                self.faults.add(number, problem)
            else:
                yield number, list(map(str.strip, cells))
        if is_empty:
            raise BadFile([Fault(1, "le fichier n’a que son titre de colonnes")])

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
        )


def silent(items: Iterable[Any], _what: str) -> Iterable[Any]:
    """Show no progress."""
    return items


def _decode(data: bytes) -> str:
    """Decode UTF-8 or, failing that, Windows-1252. Raise BadFile for what is neither."""
    if b"\0" in data or data.startswith(b"PK\x03\x04"):
        raise BadFile([Fault(0, "ce n’est pas un CSV. Enregistrez-le en CSV, en UTF-8.")])
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return unicodedata.normalize("NFC", text)
    raise BadFile([Fault(0, "encodage inconnu. Enregistrez le fichier en UTF-8.")])


def _parse(text: str, separator: str) -> Iterator[NumberedLine]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise BadFile([Fault(reader.line_num, f"CSV mal formé ({error})")]) from None


def _cell_problem(cell: str) -> str | None:
    if len(cell) > MAX_CELL:
        return f"une cellule de plus de {MAX_CELL} caractères"
    if not cell.isprintable() and any(unicodedata.category(char) == "Cc" for char in cell):
        return "un caractère de contrôle ou un retour à la ligne dans une cellule"
    return None
