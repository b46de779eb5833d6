"""Turn a table into the town's own rows by a mapping (`mappings`)."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kiosque.invoices.imports.decoding import SEPARATORS, decode
from kiosque.invoices.imports.formats.words import month_of
from kiosque.invoices.imports.mappings import (
    COLUMN,
    CONSTANT,
    OPTIONAL,
    VALUE,
    Columns,
    Join,
    Row,
    Source,
)
from kiosque.invoices.imports.reading import BadFile, Fault, NumberedLine, quoted
from kiosque.invoices.imports.receiving import File
from kiosque.invoices.imports.tables import SourceTable, squared
from kiosque.language.formats import format_euros
from kiosque.language.parsing import parse_hundredths
from kiosque.spelling import fold

#: The cells of a line by the names of its columns, folded.
Cells = dict[str, str]


def mapped(table: SourceTable, mapping: Columns) -> SourceTable:
    """Return a table under the town's own columns."""
    return replace(table, columns=mapping.targets, lines=_lines(table, mapping))


def _lines(table: SourceTable, mapping: Columns) -> Iterator[NumberedLine]:
    columns = [fold(name) for name in table.columns]
    others = [at for at, name in enumerate(columns) if name not in mapping.named]
    joined = [_Joined(table.file, join) for join in mapping.joins]
    is_of_persons, seen = "role" in mapping.targets, set[tuple[str, ...]]()
    for number, texts in squared(table).lines:
        line = dict(zip(columns, texts, strict=False))
        services = [(table.columns[at], texts[at]) for at in others]
        if fault := _sum_fault(services, line.get(fold(mapping.total), "")):
            table.faults.add(number, fault)
            continue
        for row in [
            row for each in _joined(line, joined) for row in _rows(each, services, mapping)
        ]:
            # A table of one child a line repeats the parents.
            if is_of_persons and tuple(row) in seen:
                continue
            if is_of_persons:
                seen.add(tuple(row))
            yield number, row


def _rows(
    cells: Cells, services: Sequence[tuple[str, str]], mapping: Columns
) -> Iterator[list[str]]:
    for row in mapping.rows:
        each_service = VALUE in row.values()
        for name, value in services if each_service else [("", "")]:
            if each_service and _is_nothing(value):
                continue
            made = {target: _text(source, cells, name, value) for target, source in row.items()}
            if "periode" in made:
                made["periode"] = month_of(made["periode"]) or made["periode"]
            if _says_somebody(made, row):
                yield [made.get(target, "") for target in mapping.targets]


def _says_somebody(made: Cells, row: Row) -> bool:
    """Tell whether a row of a person names one."""
    return "role" not in row or bool(made.get("nom") or made.get("prenom"))


def _text(source: Source, cells: Cells, name: str, value: str) -> str:
    if not isinstance(source, str):
        return " ".join(filter(None, (_text(each, cells, name, value) for each in source)))
    if source == COLUMN:
        return name
    if source == VALUE:
        return value
    if source.startswith(CONSTANT):
        return source.removeprefix(CONSTANT)
    return cells.get(fold(source.removeprefix(OPTIONAL)), "")


def _is_nothing(value: str) -> bool:
    try:
        return not value or parse_hundredths(value) == 0
    except ValueError:  # told by who reads the row
        return False


def _sum_fault(services: Sequence[tuple[str, str]], total: str) -> str:
    """Say in French that the services of a line do not make its total, if it has one: a column may
    be missing."""
    if not total:
        return ""
    try:
        made = sum(parse_hundredths(cell or "0") for _name, cell in services)
        said = parse_hundredths(total)
    except ValueError:  # told by who reads the rows
        return ""
    if made == said:
        return ""
    return (
        f"les prestations font {format_euros(made)}, le total de la ligne dit {format_euros(said)}"
    )


class _Joined:
    """The lines of a neighbouring file, by the value that they are joined on."""

    def __init__(self, file: File, join: Join) -> None:
        self.on = fold(join.column)
        self._lines: dict[str, list[Cells]] = {}
        if (data := file.beside(join.file)) is None:
            text = f"il manque {quoted(join.file)} : donnez ensemble les fichiers de l’archive."
            raise BadFile([Fault(0, text)])
        text = decode(data)
        separator = max(SEPARATORS, key=text.partition("\n")[0].count)
        try:
            for line in csv.DictReader(io.StringIO(text), delimiter=separator, restval=""):
                cells = _prefixed(line, join.file)
                key = cells.get(fold(f"{join.file}/{join.of}"), "")
                self._lines.setdefault(key, []).append(cells)
        except csv.Error:
            raise BadFile([Fault(0, f"{quoted(join.file)} : CSV mal formé.")]) from None

    def of(self, key: str) -> list[Cells]:
        return self._lines.get(key, []) if key else []


def _prefixed(line: Mapping[str, str], file: str) -> Cells:
    named = {name: value for name, value in line.items() if isinstance(name, str)}
    return {fold(f"{file}/{name}"): (value or "").strip() for name, value in named.items()}


def _joined(cells: Cells, joined: Sequence[_Joined]) -> list[Cells]:
    lines = [cells]
    for each in joined:
        lines = [
            {**line, **more} for line in lines for more in each.of(line.get(each.on, "")) or [{}]
        ]
    return lines
