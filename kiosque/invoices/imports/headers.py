"""Bring a table of any software to the town's own columns."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from kiosque.invoices.imports import codes, mappings
from kiosque.invoices.imports.kinds import KEYS, NAMES
from kiosque.invoices.imports.mapped_rows import mapped
from kiosque.invoices.imports.reading import NumberedLine, Row
from kiosque.invoices.imports.tables import SourceTable, open_table, squared
from kiosque.language.formats import short_date
from kiosque.settings import Payment
from kiosque.spelling import fold

_ISSUED, _DUE, _LIST = "date_emission", "date_echeance", "liste_tresor"

_OURS = {fold(name): name for name in (*NAMES, *codes.COLUMNS)}


@dataclass(frozen=True)
class Rules:
    """The town's settings for what its files leave out. An invoice without a due date is due
    `due_after_days` after its issue; the Treasury collects *titres*, unless `titres_paid_here`."""

    due_after_days: int = 30
    titres_paid_here: bool = False

    @classmethod
    def of(cls, payment: Payment) -> Self:
        return cls(payment.due_after_days, payment.titres_paid_here)


def adapted(path: Path, rules: Rules) -> SourceTable:
    """Read a file under the town's own columns, with the codes of its debtors and its due dates.
    Raise BadFile."""
    table = codes.resolved(under_our_columns(path))
    return with_treasury(with_due_dates(table, rules.due_after_days), rules)


def under_our_columns(path: Path) -> SourceTable:
    """Read a file under the town's own columns, those of its debtors too: as they are, however
    spelt, or by a mapping; as they are where none is known."""
    table = opened(path)
    columns = [_OURS.get(fold(cell), cell.strip().lower()) for cell in table.columns]
    if any(set(columns) >= key for key in KEYS):
        ours = replace(table, columns=columns)
        return squared(ours) if _is_to_complete(columns) else ours
    mapping = mappings.find(table.columns)
    return replace(table, columns=columns) if mapping is None else mapped(table, mapping)


def _is_to_complete(columns: Collection[str]) -> bool:
    """Tell whether columns must be added to those of a file, or removed."""
    lacks_due_date = _ISSUED in columns and _DUE not in columns
    return lacks_due_date or not {*codes.COLUMNS, _LIST}.isdisjoint(columns)


def opened(path: Path) -> SourceTable:
    """Read a file under its own columns. Raise BadFile."""
    return open_table(path, [*KEYS, *mappings.keys()])


def with_treasury(table: SourceTable, rules: Rules) -> SourceTable:
    """Warn once for each list by which the Treasury has invoices; remove it from the rows if the
    settings say that these are paid here."""
    if _LIST not in table.columns:
        return table
    return replace(table, lines=_with_treasury(table, rules))


def _with_treasury(table: SourceTable, rules: Rules) -> Iterator[NumberedLine]:
    at, told = table.columns.index(_LIST), {""}
    for number, cells in table.lines:
        if rules.titres_paid_here:
            cells[at] = ""
        elif cells[at] not in told:
            told.add(cells[at])
            table.file.warn(number, f"{cells[at]} : au Trésor public déjà, ne se paie pas ici")
        yield number, cells


def with_due_dates(table: SourceTable, due_after_days: int) -> SourceTable:
    """Give invoices without a due date one that is `due_after_days` after their issue. Warn once
    for each day of issue."""
    if _DUE in table.columns or _ISSUED not in table.columns or "montant" not in table.columns:
        return table
    columns = [*table.columns, _DUE]
    return replace(table, columns=columns, lines=_with_due_dates(table, due_after_days))


def _with_due_dates(table: SourceTable, days: int) -> Iterator[NumberedLine]:
    at, known = table.columns.index(_ISSUED), dict[str, str]()
    for number, cells in table.lines:
        if (text := cells[at]) not in known:
            try:
                due = Row(number, {_ISSUED: text}).date(_ISSUED) + timedelta(days=days)
            except ValueError:  # told by who reads the row
                due = None
            known[text] = due.isoformat() if due else text
            if due:
                table.file.warn(number, _due_by_rule(due, days))
        yield number, [*cells, known[text]]


def _due_by_rule(due: date, days: int) -> str:
    return f"le fichier ne dit pas d’échéance : {short_date(due)}, {days} jours après l’émission"
