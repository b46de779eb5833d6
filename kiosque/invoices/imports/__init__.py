"""Files that family software writes, loaded all or nothing.

`load` is the one way in. A format reads the file (`formats`), its columns become the town's own
(`adapting`), and these tell the kinds apart: invoices (the format of `docs/import.md`), families,
and payments taken at the counter.
"""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from peewee import IntegrityError

from kiosque.invoices.imports import codes
from kiosque.invoices.imports.codes import FoundDebtor
from kiosque.invoices.imports.families import FamiliesFile
from kiosque.invoices.imports.headers import Rules, adapted, opened, under_our_columns
from kiosque.invoices.imports.invoices import InvoicesFile
from kiosque.invoices.imports.kinds import file_of
from kiosque.invoices.imports.reading import (
    NOTHING,
    BadFile,
    Confirmed,
    Fault,
    FileSummary,
    Progress,
    digest,
    silent,
)
from kiosque.invoices.imports.settlements import SettlementsFile
from kiosque.invoices.imports.sheet import Noted, Sheet, untold
from kiosque.payments import Refused
from kiosque.settings import OtherRegie, Regie


class Changed(Exception):  # the word of the domain
    """The load would not do what was agreed to; nothing was done."""


#: Where the settings say nothing.
NO_RULES = Rules()

__all__ = [
    "BadFile",
    "Changed",
    "Confirmed",
    "Fault",
    "FileSummary",
    "FoundDebtor",
    "Rules",
    "columns",
    "debtors",
    "fingerprint",
    "first_rows",
    "load",
]


def fingerprint(summary: FileSummary) -> str:
    """Return a digest of the effect of a load; a different effect has a different digest."""
    return digest(summary)


def load(  # noqa: PLR0913  # its options
    path: Path,
    *,
    pdf_folder: Path,
    closes_after_days: int | None = None,
    rules: Rules = NO_RULES,
    regies: Mapping[str, Regie] = MappingProxyType({}),
    preview: bool = False,
    confirmed: Confirmed = NOTHING,
    progress: Progress = silent,
    author: str = "",
    with_pdfs: bool = False,
    agreed: str = "",
    most_payments: int | None = None,
    noted: Noted = untold,
) -> FileSummary:
    """Load one file into the database. With `preview`, only check it and say what it would do.

    `regies` are the town's by key, the first one's being empty: an invoice belongs for good to the
    one that collects for its services. `rules` are the settings for what files leave out. A
    surprise, unless `confirmed`, makes the file refused. Loading the same file again changes
    nothing. `with_pdfs` says that PDFs beside the file are named by the numbers of their invoices.
    Raise BadFile, naming every faulty line, also for more than `most_payments`; raise Changed if
    the effect no longer has the fingerprint `agreed`. Nothing is changed then.
    `noted` is given the load, in the transaction that loads.
    """
    sheet = Sheet.of(adapted(path, rules), author, noted)
    file = file_of(sheet, progress)
    others = {key: each for key, each in regies.items() if isinstance(each, OtherRegie)}
    if isinstance(file, InvoicesFile):
        own_services = regies[""].services if "" in regies else ()
        if with_pdfs:
            file.take_pdfs()
        file.prepare(closes_after_days, pdf_folder, own_services, others, confirmed)
    elif isinstance(file, FamiliesFile):
        file.prepare(others, confirmed)
    else:
        file.prepare(regies, confirmed, most_payments)
    sheet.faults.raise_any()
    return _done(file, agreed, preview=preview)


def _done(
    file: InvoicesFile | FamiliesFile | SettlementsFile, agreed: str, *, preview: bool
) -> FileSummary:
    """Store a file that was checked, or say what that would do. Raise BadFile and Changed."""
    try:
        if preview:
            return file.summary()
        if agreed and fingerprint(file.summary()) != agreed:
            raise Changed
        return file.store()
    except (IntegrityError, Refused):
        if agreed:
            raise Changed from None
        raise BadFile([Fault(0, "la base a changé pendant la lecture. Recommencez.")]) from None


def debtors(path: Path) -> list[FoundDebtor]:
    """Return who owes, in a file without *code famille*, and which family each is or may be. Raise
    BadFile."""
    return codes.debtors(under_our_columns(path))


def columns(path: Path) -> list[str]:
    """Return the names of the columns of a file, as it spells them. Raise BadFile."""
    return opened(path).columns


def first_rows(path: Path, count: int) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns of a file, and its first lines that are not empty, so that a
    person can say what the columns are. Raise BadFile."""
    table = opened(path)
    lines = (cells for _number, cells in table.lines if any(map(str.strip, cells)))
    return table.columns, list(islice(lines, count))
