"""The folder where a program drops files to load, `KIOSQUE_DATA/inbox`.

A file without anything doubtful is loaded; any other waits for a person. An archive of PDFs belongs
to the file of the same name with another extension.
"""

import os
import stat
from datetime import timedelta
from pathlib import Path

from kiosque.db.models import Upload
from kiosque.db.states import UploadState
from kiosque.invoices.imports import Fault, FileSummary
from kiosque.invoices.uploads import previews, processing, storing
from kiosque.invoices.uploads.previews import Preview
from kiosque.invoices.uploads.storing import BadUpload, KeptFile
from kiosque.language import clock
from kiosque.settings import Settings

FOLDER = "inbox"
#: The author of a load that nobody needed to look at.
AUTHOR = "dossier de dépôt"
#: A file unchanged for this long is taken as complete.
STILL = timedelta(minutes=2)
#: Files taken in one run; the next minute takes others.
A_RUN = 20
#: Bytes of a name on a disk.
_LONGEST_NAME = 255


def take(settings: Settings) -> None:
    """Take the files of the folder, where there is one, and load those that nobody needs to look
    at. Safe to call at any moment, and twice at once."""
    for path, pdfs in _found(settings.data / FOLDER)[:A_RUN]:
        if upload := _take_in(path, pdfs, settings.data):
            processing.advance(upload.id, settings)
            _load_if_clear(upload.id, settings)


def is_clear(summary: FileSummary) -> bool:
    """Tell whether nothing of a file is doubtful."""
    doubts = (summary.warnings, summary.to_confirm, summary.removals, summary.left_since)
    return not any((*doubts, summary.absent))


def _found(folder: Path) -> list[tuple[Path, Path | None]]:
    """Return the files that are complete, each with its archive of PDFs."""
    files = sorted(path for path in folder.iterdir() if _is_still(path)) if folder.is_dir() else []
    mains = {path.stem for path in files if path.suffix.lower() != ".zip"}
    pdfs = {path.stem: path for path in files if path.suffix.lower() == ".zip"}
    return [
        (path, pdfs.get(path.stem) if path.suffix.lower() != ".zip" else None)
        for path in files
        if path.suffix.lower() != ".zip" or path.stem not in mains
    ]


def _is_still(path: Path) -> bool:
    """Tell whether a path is a plain file, neither hidden nor a link, and no longer being
    written."""
    try:
        found = path.lstat()
    except OSError:
        return False
    still = found.st_mtime <= (clock.now() - STILL).timestamp()
    return stat.S_ISREG(found.st_mode) and still and not path.name.startswith(".")


def _take_in(path: Path, pdfs: Path | None, data: Path) -> Upload | None:
    """Record a file of the folder, and remove it from there once it is kept. A file that cannot be
    kept is recorded as refused, and renamed so that no run takes it again. Return None if another
    process has taken it, or a program has rewritten it meanwhile: a later run will take it."""
    both = [each for each in (path, pdfs) if each]
    try:
        before = [_written(each) for each in both]
        kept, kept_pdfs = _keep(path, data), _keep(pdfs, data) if pdfs else None
        if kept.has_pdfs or (kept_pdfs and not kept_pdfs.has_pdfs):
            raise BadUpload("une archive zip de PDF accompagne un fichier du même nom.")
    except BadUpload as error:
        return _set_aside(path, str(error))
    except FileNotFoundError:
        return None
    upload = storing.add(kept, kept_pdfs, "")
    try:
        if before != [_written(each) for each in both]:
            storing.drop(upload)
            return None
        for each in both:
            each.unlink()
    except OSError as error:  # else the next minute would take it again
        storing.drop(upload)
        if isinstance(error, FileNotFoundError):
            return None
        raise
    return upload


def _written(path: Path) -> tuple[int, int, int]:
    """Return values that change when a file is changed or replaced."""
    found = path.lstat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _keep(path: Path, data: Path) -> KeptFile:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError:
        raise BadUpload("le site n’a pas le droit de le lire.") from None
    with os.fdopen(descriptor, "rb") as file:
        return storing.keep(file, path.name, data)


def _set_aside(path: Path, why: str) -> Upload:
    name, size = storing.clean_name(path.name), path.stat().st_size
    aside = os.fsencode(f".refused-{path.name}")[:_LONGEST_NAME]
    path.rename(path.with_name(os.fsdecode(aside)))
    upload = storing.add(KeptFile(name, "", size, has_pdfs=False), None, "")
    processing.refuse(upload, [Fault(0, f"{why} Il est resté dans le dossier de dépôt.")])
    return upload


def _load_if_clear(number: int, settings: Settings) -> None:
    upload = Upload.get_by_id(number)
    if upload.state != UploadState.READ:
        return
    preview: Preview = previews.read(upload.preview)
    if preview.summary and is_clear(preview.summary):
        processing.agree(upload, AUTHOR, upload.fingerprint, ())
        processing.advance(number, settings)
