"""A file as a table: the names of its columns, and its lines, whatever wrote it."""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

from kiosque.invoices.imports.decoding import NO_CSV, SEPARATORS, decode
from kiosque.invoices.imports.formats import registry
from kiosque.invoices.imports.reading import BadFile, Fault, Faults, NumberedLine
from kiosque.invoices.imports.receiving import File, receive
from kiosque.spelling import fold

#: A title, and a few lines about who made the file and when, may precede the columns.
MAX_PREAMBLE = 10
#: Most columns, since a page asks a person about each.
MAX_COLUMNS = 300
#: For a progress bar, where rows are not lines.
BYTES_A_ROW = 64


@dataclass(frozen=True)
class SourceTable:
    """A file, its lines read once, as they are asked for, `length` of them about. `faults` takes
    the malformed ones."""

    file: File
    columns: list[str]
    lines: Iterator[NumberedLine]
    length: int
    faults: Faults


def open_table(path: Path, keys: Sequence[Collection[str]]) -> SourceTable:
    """Read the file at a path, or standard input where the path is `-`.

    Its columns are in the first line that holds all names of one of `keys`, however spelt; if none
    does, in the first of the lines that have most cells. Raise BadFile if it is no table of a
    sensible size.
    """
    folded = [set(map(fold, key)) for key in keys]
    file = receive(path, partial(_is_known, folded))
    name = registry.find(file.head, file.name)
    table = _of_csv(file, folded) if name is None else _of_format(name, file, folded)
    if len(table.columns) > MAX_COLUMNS:
        raise BadFile([Fault(1, f"plus de {MAX_COLUMNS} colonnes. Ne gardez que les utiles.")])
    return table


def squared(table: SourceTable) -> SourceTable:
    """Return a table whose lines all have one cell for each column, so that columns can be added or
    removed. Lines that have more become faults of the table."""
    return replace(table, lines=_squared(table))


def _squared(table: SourceTable) -> Iterator[NumberedLine]:
    width = len(table.columns)
    for number, cells in table.lines:
        if any(map(str.strip, cells[width:])):
            table.faults.add(number, f"{len(cells)} cellules au lieu de {width}")
        elif any(map(str.strip, cells)):
            texts = [cell.strip() for cell in cells[:width]]
            yield number, texts + [""] * (width - len(texts))


def _is_known(keys: Sequence[set[str]], head: bytes, name: str) -> bool:
    """Tell whether a format recognises a file, or it begins with the columns of a known table."""
    if registry.is_known(head, name):
        return True
    try:
        text = decode(head[: head.rfind(b"\n") + 1])
    except BadFile:
        return False
    top = text.split("\n", MAX_PREAMBLE)[:MAX_PREAMBLE]
    return any(_holds(_cells(line, sign), keys) for line in top for sign in SEPARATORS)


def _of_format(name: str, file: File, keys: Sequence[set[str]]) -> SourceTable:
    faults = Faults(registry.make(registry.available()[name]).unit)
    rows = registry.rows(name, file)
    top = list(islice(rows, MAX_PREAMBLE))
    if not top:
        raise BadFile([Fault(0, "le fichier est vide")])
    known = (at for at, (_number, cells) in enumerate(top) if _holds(cells, keys))
    at = next(known, _widest([cells for _number, cells in top]))
    columns = without_empty_end(top[at][1], 1)
    lines = (
        (number, cells + [""] * (len(columns) - len(cells)))
        for number, cells in chain(top[at + 1 :], rows)
    )
    return SourceTable(file, columns, lines, len(file.data) // BYTES_A_ROW, faults)


def _of_csv(file: File, keys: Sequence[set[str]]) -> SourceTable:
    text = decode(file.data)
    if not text.strip():
        raise BadFile([Fault(0, "le fichier est vide")])
    first, separator, columns = _heading(text, keys)
    faults = Faults()
    return SourceTable(
        file, columns, _parse(text, separator, first, faults), text.count("\n"), faults
    )


def _holds(cells: Sequence[str], keys: Sequence[set[str]]) -> bool:
    if len(cells) > MAX_COLUMNS:  # no table of ours: do not check millions of cells
        return False
    found = set(map(fold, cells))
    return any(key <= found for key in keys)


def _heading(text: str, keys: Sequence[set[str]]) -> tuple[int, str, list[str]]:
    """Return how many lines precede the rows, the separator, and the names of the columns.

    Raise BadFile if the text is no table.
    """
    top = text.split("\n", MAX_PREAMBLE)[:MAX_PREAMBLE]
    for number, line in enumerate(top, 1):
        for separator in SEPARATORS:
            cells = _cells(line, separator)
            if _holds(cells, keys) and "\0" not in line:
                return number, separator, cells
    before, nul, _after = text.partition("\0")
    if nul:
        *above, line = before.split("\n")
        raise BadFile([Fault(len(above) + 1, f"octet nul, caractère {len(line) + 1} : {NO_CSV}")])
    separator = max(SEPARATORS, key=lambda sign: max(line.count(sign) for line in top))
    rows = [_cells(line, separator) for line in top]
    number = _widest(rows)
    return number + 1, separator, rows[number]


def _widest(rows: Sequence[Sequence[str]]) -> int:
    """Return which of the first rows names the columns, if no known one does: the first of those
    that have most cells."""
    said = [sum(map(bool, map(str.strip, row))) for row in rows]
    return said.index(max(said))


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of one line, without the empty ones at its end."""
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
    return without_empty_end(cells, 1)


def without_empty_end(cells: list[str], width: int) -> list[str]:
    """Leave out the empty cells that a spreadsheet adds beyond the width."""
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


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
