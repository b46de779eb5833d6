"""Formats: each reads the files of some software as rows, which the rules of a load then judge.

A format is a class without arguments, found by the entry-point group `kiosque.importers`, ours and
those of other packages alike (`registry`). `testing.FormatContract` is its suite of tests. What no
format recognises is read as CSV.

A row's cells are texts, as people write them. The first row names the columns: the town's own
(docs/import.md), or any that a mapping knows. In place of `code_famille`, a format may give what it
knows of who pays: `tiers_reference`, `tiers_nom`, `tiers_adresse`, `tiers_ville`. A file that tells
no `date_echeance` gets one by the settings.
"""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from kiosque.invoices.imports.reading import NumberedLine
from kiosque.invoices.imports.receiving import File

__all__ = ["File", "Format", "NumberedLine"]


@runtime_checkable
class Format(Protocol):
    """A reader of one kind of file. `unit` is the French word for one of its rows, such as `ligne`,
    used in the sentences about faults."""

    unit: str

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell by the first 64 kB of a file whether it is of this format. Never raise."""
        ...

    def read(self, file: File) -> Iterator[NumberedLine]:
        """Yield the columns' names, then the rows, each with a number that a person finds in the
        file. Raise BadFile, in French, for what cannot be read."""
        ...
