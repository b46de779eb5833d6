"""Files that family software writes, loaded all or nothing.

`load` is the one way in. It tells the kinds of file apart by their columns: invoices (the
format of `docs/import.md`), families, and payments taken at the counter.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from peewee import IntegrityError

from kiosque.invoices.imports.families import FamiliesFile
from kiosque.invoices.imports.invoices import InvoicesFile
from kiosque.invoices.imports.reading import (
    NOTHING,
    BadFile,
    Confirmed,
    Fault,
    Progress,
    Summary,
    silent,
)
from kiosque.invoices.imports.settlements import SettlementsFile
from kiosque.invoices.imports.sheet import Sheet
from kiosque.settings import OtherRegie, Regie

KINDS = (InvoicesFile, FamiliesFile, SettlementsFile)

__all__ = ["BadFile", "Confirmed", "Fault", "Summary", "load"]


def load(  # noqa: PLR0913  # its options
    path: Path,
    *,
    pdf_folder: Path,
    closes_after_days: int | None = None,
    regies: Mapping[str, Regie] = MappingProxyType({}),
    preview: bool = False,
    confirmed: Confirmed = NOTHING,
    progress: Progress = silent,
    author: str = "",
) -> Summary:
    """Load one file into the database. With `preview`, only check it and say what it would do.

    `regies` are the town's by key, the first one's empty: an invoice belongs for good to the one
    that collects for its services. What would surprise refuses the file unless `confirmed`. Loading
    the same file again changes nothing. Raise BadFile, naming every faulty line, having changed
    nothing.
    """
    names = {name for kind in KINDS for name in kind.COLUMNS}
    sheet = Sheet.read(path, names, [kind.KEY_COLUMNS for kind in KINDS], author)
    kind = next((kind for kind in KINDS if set(sheet.columns) >= kind.KEY_COLUMNS), None)
    if kind is None:
        expected = " ou ".join(";".join(kind.COLUMNS) for kind in KINDS)
        raise BadFile([Fault(1, f"colonnes inattendues. Attendu : {expected}")])
    sheet.check(kind.COLUMNS, optional=kind.OPTIONAL)
    file = kind(sheet, progress)
    others = {key: each for key, each in regies.items() if isinstance(each, OtherRegie)}
    if isinstance(file, InvoicesFile):
        own_services = regies[""].services if "" in regies else ()
        file.prepare(closes_after_days, pdf_folder, own_services, others, confirmed)
    elif isinstance(file, FamiliesFile):
        file.prepare(others, confirmed)
    else:
        file.prepare(regies, confirmed)
    sheet.faults.raise_any()
    try:
        return file.summary() if preview else file.store()
    except IntegrityError:
        raise BadFile([Fault(0, "la base a changé pendant la lecture. Recommencez.")]) from None
