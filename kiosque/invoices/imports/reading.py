"""Reading a CSV file whose encoding, separator and decimals are not known beforehand."""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from kiosque.db.models import ImportBatch
from kiosque.language import clock
from kiosque.language.amounts import parse_hundredths

#: Shows progress over a sequence: (items, what is being done) -> the same items.
Progress = Callable[[Sequence[Any], str], Iterable[Any]]

MAX_BYTES = 256 * 1024 * 1024
MAX_CELL = 200
#: Beyond this many faults the file is simply not of the right kind.
MAX_FAULTS = 100

CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,19}", re.ASCII)
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,29}", re.ASCII)


@dataclass(frozen=True)
class Fault:
    """What is wrong on one line, and what to do, in French."""

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
class Summary:
    """What a file brought, or would bring. `regies` are the cents of it by the key of the *régie*
    that they belong to."""

    kind: str
    rows: int
    added: int
    unchanged: int
    total_cents: int = 0
    new_families: int = 0
    new_services: tuple[str, ...] = ()
    regies: Mapping[str, int] = field(default_factory=dict)


def sums(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """What the amounts of each name add up to."""
    found: dict[str, int] = {}
    for name, cents in amounts:
        found[name] = found.get(name, 0) + cents
    return found


@dataclass(slots=True)  # frozen, it would take thrice as long to make: a file has 100 000
class Row:
    """One line of a file, by column. `places` tells where each column's cell is: a dictionary for
    each line would take longer than reading it."""

    line: int
    places: Mapping[str, int]
    cells: list[str]

    def __getitem__(self, column: str) -> str:
        return self.cells[self.places[column]]

    def get(self, column: str) -> str:
        """The text of a column that the file may lack."""
        return self[column] if column in self.places else ""

    @property
    def values(self) -> dict[str, str]:
        return dict(zip(self.places, self.cells, strict=True))

    def text(self, column: str) -> str:
        """The text of a cell that must hold one."""
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
    """The number of a cell. Raises ValueError, in French."""
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


@dataclass(frozen=True)
class Sheet:
    """A whole file, decoded."""

    path: Path
    sha256: str
    columns: list[str]
    rows: list[Row]
    faults: "Faults"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises BadFile when it is not a CSV file of a sensible size."""
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
        except OSError:
            raise BadFile([Fault(0, f"{path} ne peut pas être lu. Vérifiez son nom.")]) from None
        if data is None:
            raise BadFile([Fault(0, "fichier de plus de 256 Mo. Partagez-le en plusieurs.")])
        columns, rows, faults = _parse(_decode(data))
        return cls(path, hashlib.sha256(data).hexdigest(), columns, rows, faults)

    def check(self, expected: Sequence[str], *, optional: frozenset[str]) -> None:
        """Raises BadFile when a column is missing, unknown or repeated, or a row malformed."""
        faults = [f"colonne {name} absente" for name in expected if name not in self.columns]
        faults = [fault for fault in faults if fault.split()[1] not in optional]
        faults += [f"colonne {name} inconnue" for name in self.columns if name not in expected]
        if len(set(self.columns)) < len(self.columns):
            faults.append("une colonne figure deux fois")
        if faults:
            raise BadFile([Fault(1, fault) for fault in faults])
        self.faults.raise_any()
        if not self.rows:
            raise BadFile([Fault(1, "le fichier n’a que son titre de colonnes")])

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


class Faults:
    """Collects what is wrong line by line, so that one reading names it all."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, line: int, text: str) -> None:
        self._found.append(Fault(line, text))
        if len(self._found) >= MAX_FAULTS:
            self.raise_any()

    def raise_any(self) -> None:
        if self._found:
            raise BadFile(sorted(self._found, key=lambda fault: fault.line))


def silent(items: Sequence[Any], _what: str) -> Iterable[Any]:
    """Progress shown to nobody."""
    return items


def _decode(data: bytes) -> str:
    """UTF-8 if it is, else Windows-1252. What is neither is refused."""
    if b"\0" in data or data.startswith(b"PK\x03\x04"):
        raise BadFile([Fault(0, "ce n’est pas un CSV. Enregistrez-le en CSV, en UTF-8.")])
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return unicodedata.normalize("NFC", text)
    raise BadFile([Fault(0, "encodage inconnu. Enregistrez le fichier en UTF-8.")])


def _parse(text: str) -> tuple[list[str], list[Row], Faults]:
    header = text.partition("\n")[0]
    if not header.strip():
        raise BadFile([Fault(0, "le fichier est vide")])
    separator = ";" if header.count(";") >= header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    faults, rows = Faults(), []
    try:
        columns = [cell.strip().lower() for cell in next(reader)]
        places, width = {name: place for place, name in enumerate(columns)}, len(columns)
        for cells in reader:
            text = "".join(cells)
            if not text or text.isspace():
                continue
            if len(cells) != width:
                faults.add(reader.line_num, f"{len(cells)} cellules au lieu de {width}")
            # Nearly always all is well: so all of the line is looked at first.
            elif (len(text) > MAX_CELL or not text.isprintable()) and (
                problem := next(filter(None, map(_cell_problem, cells)), None)
            ):
                faults.add(reader.line_num, problem)
            else:
                rows.append(Row(reader.line_num, places, list(map(str.strip, cells))))
    except csv.Error as error:
        raise BadFile([Fault(reader.line_num, f"CSV mal formé ({error})")]) from None
    return columns, rows, faults


def _cell_problem(cell: str) -> str | None:
    if len(cell) > MAX_CELL:
        return f"une cellule de plus de {MAX_CELL} caractères"
    if not cell.isprintable() and any(unicodedata.category(char) == "Cc" for char in cell):
        return "un caractère de contrôle ou un retour à la ligne dans une cellule"
    return None
