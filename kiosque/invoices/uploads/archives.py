"""Look into an archive, without trusting anything that it says, and extract its PDFs."""

import errno
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from kiosque.invoices.imports.reading import quoted

#: The first bytes of a zip, then those of an empty zip.
BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
MAX_FILES, MAX_BYTES = 500, 200 * 1024 * 1024
#: A file above SMALL bytes that unpacks to more than MAX_RATIO times its size was made to fill a
#: disk.
MAX_RATIO, SMALL = 100, 1024 * 1024
#: Most bytes of the central directory: enough for MAX_FILES with long names.
_MAX_LIST = 512 * 1024
_END, _END_SIZE = b"PK\x05\x06", 22
_LONGEST_COMMENT = 65_535
_BROKEN = "l’archive est abîmée, ou faite d’une façon inconnue."
#: The locator before the end of a ZIP64 archive, and its size.
_LARGE, _LARGE_SIZE = b"PK\x06\x07", 20
_CHUNK = 1024 * 1024
#: In bytes; a disk takes somewhat more.
LONGEST_NAME = 200
#: Names of files that computers add to archives by themselves.
_ADDED = re.compile(r"(.*/)?(__MACOSX/.*|\.[^/]*|Thumbs\.db)", re.DOTALL)


class BadArchive(Exception):
    """The file is not to be opened; the text says why, in French."""


def holds_pdfs(path: Path) -> bool:
    """Tell whether a file is an archive of PDFs. Raise BadArchive for an archive that is broken,
    that would fill the disk, or that holds PDFs beside something else."""
    with path.open("rb") as file:
        if not file.read(4).startswith(BEGINNINGS):
            return False
    with _opened(path) as archive:
        files = list(_files(archive))
        if not any(entry.filename.lower().endswith(".pdf") for entry in files):
            return False
        seen: set[str] = set()
        for entry in files:
            name = PurePosixPath(entry.filename).name
            if name in seen:
                raise BadArchive(f"deux de ses fichiers s’appellent {quoted(name)}.")
            seen.add(name)
            with archive.open(entry) as inside:
                if not name.lower().endswith(".pdf") or inside.read(5) != b"%PDF-":
                    raise BadArchive(f"{quoted(name)} n’est pas un PDF. Mettez-le à côté.")
    return True


def take_out(path: Path, folder: Path) -> None:
    """Write the PDFs of an archive into a folder, by their own names, without the folders where
    they were. Raise BadArchive, as `holds_pdfs`."""
    with _opened(path) as archive:
        for entry in _files(archive):
            target = folder / PurePosixPath(entry.filename).name
            with archive.open(entry) as inside, target.open("wb") as outside:
                while part := inside.read(_CHUNK):
                    outside.write(part)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose list of files is of a sensible length."""
    try:
        _require_short_list(path)
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error):
        raise BadArchive(_BROKEN) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: an offset before the beginning of the file
            raise
        raise BadArchive(_BROKEN) from None
    except (RuntimeError, ValueError, UnicodeError):  # a password, or an invalid name
        raise BadArchive("l’archive demande un mot de passe, ou a des noms illisibles.") from None


def _require_short_list(path: Path) -> None:
    """Raise BadArchive unless the list can be read in little memory: `zipfile` reads all of it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT - _LARGE_SIZE))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0:
        raise zipfile.BadZipFile
    (length,) = struct.unpack_from("<L", tail, at + 12)
    if length > _MAX_LIST or tail[max(0, at - _LARGE_SIZE) : at].startswith(_LARGE):
        raise BadArchive(f"plus de {MAX_FILES} fichiers. Partagez-la en plusieurs.")


def _files(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Yield the files of an archive, those that a computer adds by itself left out."""
    every = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(every) > MAX_FILES:
        raise BadArchive(f"plus de {MAX_FILES} fichiers. Partagez-la en plusieurs.")
    if sum(entry.file_size for entry in every) > MAX_BYTES:
        raise BadArchive("plus de 200 Mo une fois ouverte. Partagez-la en plusieurs.")
    for entry in every:
        _require_plain(entry)
        if not _ADDED.fullmatch(entry.filename):
            yield entry


def _require_plain(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts = PurePosixPath(name).parts
    if len(parts[-1].encode()) > LONGEST_NAME:
        raise BadArchive(f"{quoted(parts[-1])} est un nom trop long.")
    if name.startswith("/") or "\\" in name or ":" in name or ".." in parts:
        raise BadArchive(f"{quoted(name)} sortirait de son dossier.")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise BadArchive(f"{quoted(name)} n’est pas un vrai fichier, mais un lien.")
    if entry.file_size > max(SMALL, MAX_RATIO * entry.compress_size):
        raise BadArchive(f"{quoted(name)} est plus de {MAX_RATIO} fois plus gros une fois ouvert.")
