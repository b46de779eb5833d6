"""Find the format of a file. Ours and those of other packages are entry points alike."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from kiosque.invoices.imports.formats import Format
from kiosque.invoices.imports.reading import BadFile, Fault, NumberedLine
from kiosque.invoices.imports.receiving import File

GROUP = "kiosque.importers"
_HERE = "kiosque.invoices.imports.formats"

#: Our own, declared here since the project also runs from its folder, without being installed.
BUILT_IN = (
    EntryPoint("pes", f"{_HERE}.pes:Pes", GROUP),
    EntryPoint("pes_return", f"{_HERE}.pes_return:PesReturn", GROUP),
    EntryPoint("magnus", f"{_HERE}.magnus:Magnus", GROUP),
    EntryPoint("workbook", f"{_HERE}.workbook:Workbook", GROUP),
)


def available() -> dict[str, EntryPoint]:
    """Return every format by name, ours first. No package can take the name of one of ours."""
    ours = {point.name: point for point in BUILT_IN}
    found = {point.name: point for point in entry_points(group=GROUP)}
    return ours | {name: point for name, point in found.items() if name not in ours}


def find(head: bytes, name: str) -> str | None:
    """Return the name of the format that recognises a file; None for what is read as CSV."""
    for known, point in available().items():
        try:
            if make(point).recognises(head, name):
                return known
        except Exception as error:  # noqa: BLE001  # a stranger's may raise anything
            raise _broken(known, error) from None
    return None


def is_known(head: bytes, name: str) -> bool:
    """Tell whether a format recognises a file."""
    return find(head, name) is not None


def make(point: EntryPoint) -> Format:
    return cast(Format, point.load()())


def rows(name: str, file: File) -> Iterator[NumberedLine]:
    """Yield the rows of a file of this format. Raise BadFile."""
    try:
        yield from make(available()[name]).read(file)
    except BadFile:
        raise
    except Exception as error:  # noqa: BLE001  # a stranger's may raise anything
        raise _broken(name, error) from None


def _broken(name: str, error: Exception) -> BadFile:
    return BadFile([Fault(0, f"le lecteur {name} a un défaut ({type(error).__name__}).")])
