"""Take in a file as it is given: alone, with its neighbours, in a folder or in a zip.

Only files that are read are opened: a bank mandate beside them, with its IBAN, never is.
"""

import hashlib
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from kiosque import os_errors
from kiosque.invoices.imports.reading import MAX_FAULTS, BadFile, Fault

MAX_BYTES = 256 * 1024 * 1024
#: Bytes at the head of a file by which its format is recognised.
HEAD_BYTES = 64 * 1024
#: Most files in a zip or a folder to load.
MAX_FILES = 50
#: The file's name that means standard input.
STANDARD_INPUT = Path("-")
#: Files of bank mandates, which family software writes beside the others.
NEVER_READ = ("mandat",)
#: A zip that holds one of these is a workbook.
_WORKBOOKS = frozenset({"xl/workbook.xml", "xl/workbook.bin", "content.xml"})
#: Endings of the files that are loaded from a folder or a zip: the PDFs beside are not.
_TEXTS = (".csv", ".txt", ".xml", ".xlsx", ".ods", ".xls")
_ZIP = b"PK\x03\x04"
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    OSError, ValueError,
)  # fmt: skip
_ONE = (
    "ce dossier ou cette archive ne peut pas être lu : donnez un fichier à la fois, ou les trois "
    "de Magnus."
)

#: Reads a file, or a number of bytes at its beginning.
Reader = Callable[[int], bytes]
#: Tells whether a file, by its head and its name, is the main one of a format.
Recognises = Callable[[bytes, str], bool]


@dataclass
class File:
    """A file to load. `path` is its own, or that of the archive that holds it; `neighbours` gives
    readers of the files beside it, by name; `warnings` collects, by line, sentences in French about
    what a person should look at."""

    name: str
    data: bytes
    path: Path
    neighbours: Mapping[str, Reader] = field(default_factory=dict)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    _also: list[bytes] = field(default_factory=list)

    @property
    def head(self) -> bytes:
        return self.data[:HEAD_BYTES]

    @property
    def sha256(self) -> str:
        """Return the digest of all that was read of it so far."""
        digest = hashlib.sha256(self.data)
        for each in self._also:
            digest.update(each)
        return digest.hexdigest()

    def beside(self, name: str) -> bytes | None:
        """Read a neighbour, whatever its capitals; None if there is none."""
        for each, read in self.neighbours.items():
            if each.lower() == name.lower():
                self._also.append(data := read(MAX_BYTES))
                return data
        return None

    def warn(self, line: int, text: str) -> None:
        """Add a warning about a line, for a person; ignore those beyond a hundred."""
        if len(self.warnings) < MAX_FAULTS:
            self.warnings.append((line, text))


def receive(path: Path, recognises: Recognises) -> File:
    """Read the file at a path, or standard input for `-`. In a folder or a zip, read the file that
    `recognises` accepts, else the only text. Raise BadFile."""
    if path != STANDARD_INPUT and path.is_dir():
        with _readable():
            inside = [each for each in sorted(path.iterdir()) if each.is_file()]
        return _chosen(path, {each.name: partial(_bytes, each) for each in inside}, recognises)
    data = _bytes(path, MAX_BYTES)
    if data.startswith(_ZIP) and (members := _members(data)) is not None:
        return _chosen(path, members, recognises)
    return File(path.name, data, path, _siblings(path))


def _siblings(path: Path) -> dict[str, Reader]:
    """Return readers of the files beside one whose names begin as its own does."""
    if path == STANDARD_INPUT:
        return {}
    beside = sorted(path.parent.glob(f"{_escaped(path.stem)}*"))[:MAX_FILES]
    return {each.name: partial(_bytes, each) for each in beside if each != path}


def _escaped(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def _chosen(path: Path, readers: dict[str, Reader], recognises: Recognises) -> File:
    """Take the one file of several that a format recognises, else the only text."""
    names = [name for name in readers if not name.startswith((".", "__")) and not _is_secret(name)]
    texts = [name for name in names if Path(name).suffix.lower() in _TEXTS]
    if len(names) > MAX_FILES:
        raise BadFile([Fault(0, _ONE)])
    known = [name for name in texts if recognises(readers[name](HEAD_BYTES), name)]
    chosen = known or texts
    if len(chosen) != 1:
        raise BadFile([Fault(0, _ONE)])
    name = chosen[0]
    inside = path / name if path.is_dir() else path
    others = {each: readers[each] for each in names if each != name}
    return File(name, readers[name](MAX_BYTES), inside, others)


def _is_secret(name: str) -> bool:
    return name.lower().startswith(NEVER_READ)


def _members(data: bytes) -> dict[str, Reader] | None:
    """Return readers of the files of a zip, by their names without folder; None for a workbook, or
    for what is no zip after all. Raise BadFile for more than can be loaded."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN:
        return None
    inside = [each for each in archive.infolist() if not each.is_dir()]
    if _WORKBOOKS & {each.filename for each in inside}:
        return None
    if len(inside) > MAX_FILES or sum(each.file_size for each in inside) > MAX_BYTES:
        raise BadFile([Fault(0, "archive de plus de 50 fichiers ou de 256 Mo.")])
    return {PurePosixPath(each.filename).name: partial(_member, archive, each) for each in inside}


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    try:
        # Read no more than the declared size, on which the limit was checked.
        with archive.open(info) as member:
            return member.read(limit)
    except _BROKEN:
        raise BadFile([Fault(0, "archive abîmée ou protégée par un mot de passe.")]) from None


def _bytes(path: Path, limit: int) -> bytes:
    with _readable():
        if path == STANDARD_INPUT:
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with path.open("rb") as file:
                data = file.read(limit + 1)
    if len(data) > MAX_BYTES:
        raise BadFile([Fault(0, "fichier de plus de 256 Mo. Partagez-le en plusieurs.")])
    return data[:limit] if len(data) > limit else data


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        text = f"ce fichier ne peut pas être lu ({os_errors.why(error)})."
        raise BadFile([Fault(0, text)]) from None
    except ValueError:  # its path holds a NUL
        raise BadFile([Fault(0, "ce fichier ne peut pas être lu.")]) from None
