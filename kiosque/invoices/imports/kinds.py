"""The kinds of file that are loaded, told apart by their columns."""

from kiosque.invoices.imports.families import FamiliesFile
from kiosque.invoices.imports.invoices import InvoicesFile
from kiosque.invoices.imports.reading import COLUMNS, BadFile, Fault, Progress
from kiosque.invoices.imports.settlements import SettlementsFile
from kiosque.invoices.imports.sheet import Sheet

KINDS = (InvoicesFile, FamiliesFile, SettlementsFile)
NAMES = frozenset(name for kind in KINDS for name in kind.COLUMNS)
KEYS = tuple(kind.KEY_COLUMNS for kind in KINDS)


def file_of(sheet: Sheet, progress: Progress) -> InvoicesFile | FamiliesFile | SettlementsFile:
    """Return a sheet as the kind of file that its columns tell. Raise BadFile for none."""
    kind = next((kind for kind in KINDS if set(sheet.columns) >= kind.KEY_COLUMNS), None)
    if kind is None:
        expected = " ou ".join(";".join(kind.COLUMNS) for kind in KINDS)
        text = f"colonnes inattendues. Attendu : {expected}"
        raise BadFile([Fault(1, text, needs=COLUMNS)])
    sheet.require_columns(kind.COLUMNS, optional=kind.OPTIONAL)
    return kind(sheet, progress)
