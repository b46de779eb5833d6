"""Read the files that are deposited, and load those that a person agreed to.

One process at a time is at work on a file. A page does it for a small one; the timer of each minute
does the rest.
"""

import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from operator import length_hint
from pathlib import Path
from typing import Any

from kiosque.db import database, write
from kiosque.db.models import ImportBatch, Upload
from kiosque.db.states import UploadState
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile, Changed, Confirmed, Fault, FileSummary
from kiosque.invoices.imports.reading import EVERYTHING, Progress
from kiosque.invoices.uploads import archives, previews, storing
from kiosque.invoices.uploads.archives import BadArchive
from kiosque.invoices.uploads.previews import Preview
from kiosque.language import clock
from kiosque.settings import Settings

#: A page reads and loads no larger file by itself: some 4 500 lines, a tenth of a second.
SMALL_BYTES = 512 * 1024
#: Most payments in a file. Each takes a millisecond, during which other writers wait, and these
#: wait eight seconds at most.
MAX_PAYMENTS = 3000
SMALL_ARCHIVE_BYTES = 20 * 1024 * 1024
#: A process that claimed a file longer ago than this has died.
_LONGEST = timedelta(minutes=15)
#: Seconds between two updates of the progress.
_PACE = 1.0
_TO_DO = (UploadState.STORED, UploadState.AGREED)


def is_small(upload: Upload, settings: Settings) -> bool:
    """Tell whether a page may read and load the file while its reader waits."""
    if upload.byte_count > SMALL_BYTES:
        return False
    pdfs = storing.path_of(upload.pdfs_sha256, settings.data) if upload.pdfs_sha256 else None
    return pdfs is None or (pdfs.exists() and pdfs.stat().st_size <= SMALL_ARCHIVE_BYTES)


def run(settings: Settings) -> None:
    """Read and load whatever waits for it. Safe to call at any moment, and twice at once. An error
    on one file is raised after the other files have been processed."""
    with ExitStack() as every:  # runs all its callbacks, the last first, whatever they raise
        every.callback(storing.erase_files, settings.data)
        for upload in Upload.select().where(Upload.state.in_(_TO_DO)).order_by(Upload.id.desc()):
            every.callback(advance, upload.id, settings)


def agree(
    upload: Upload,
    by: str,
    fingerprint: str,
    confirmed: Collection[str],
    announce_at: datetime | None = None,
) -> bool:
    """Have a file loaded as shown by the preview of this fingerprint, with the surprises that a
    person confirmed. Return False if the preview has changed."""
    with write():
        changed = (
            Upload.update(
                state=UploadState.AGREED,
                agreed_by=by,
                confirmed=" ".join(sorted(confirmed)),
                announce_at=announce_at,
            )
            .where(
                Upload.id == upload.id,
                Upload.state == UploadState.READ,
                Upload.fingerprint == fingerprint,
            )
            .execute()
        )
    return bool(changed)


def advance(number: int, settings: Settings) -> None:
    """Read a file that is to be read; load one that is to be loaded. If the database has changed so
    that the preview is no longer true, ask for a new agreement instead."""
    upload = _claim(number)
    if upload is None:
        return
    try:
        _work(upload, settings)
    finally:
        with write():
            Upload.update(claimed_at=None).where(Upload.id == number).execute()


def _claim(number: int) -> Upload | None:
    """Take a file that is to be read or loaded; None where another process has it."""
    now = clock.now()
    free = Upload.claimed_at.is_null() | (Upload.claimed_at < now - _LONGEST)
    with write():
        taken = (
            Upload.update(claimed_at=now, done_count=0, line_count=0)
            .where(Upload.id == number, Upload.state.in_(_TO_DO), free)
            .execute()
        )
    return Upload.get_by_id(number) if taken else None


def _work(upload: Upload, settings: Settings) -> None:
    try:
        with laid_out(upload, settings.data) as path:
            if upload.state == UploadState.AGREED:
                try:
                    _load(upload, path, settings)
                except Changed:
                    _read(upload, path, settings, changed=True)
            else:
                _read(upload, path, settings)
    except BadFile as refusal:
        refuse(upload, refusal.faults)
    except BadArchive as error:
        refuse(upload, [Fault(0, f"PDF : {error}")])


def read_again(upload: Upload, settings: Settings) -> None:
    """Have a file that is not loaded read again, after a person answered what it asked."""
    waits = Upload.state.in_([UploadState.READ, UploadState.REFUSED])
    with write():
        Upload.update(state=UploadState.STORED).where(Upload.id == upload.id, waits).execute()
    if is_small(upload, settings):
        advance(upload.id, settings)


@contextmanager
def laid_out(upload: Upload, data: Path) -> Iterator[Path]:
    """Put a file and its PDFs in a temporary folder, under their names. Raise BadFile if a kept
    file is gone or altered."""
    kept, pdfs = (storing.path_of(name, data) for name in (upload.sha256, upload.pdfs_sha256))
    if not storing.is_whole(kept) or (upload.pdfs_sha256 and not storing.is_whole(pdfs)):
        raise BadFile([Fault(0, "la copie déposée n’est plus là. Déposez le fichier de nouveau.")])
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as folder:
        path = Path(folder) / upload.file_name
        shutil.copyfile(kept, path)
        if upload.pdfs_sha256:
            archives.take_out(pdfs, Path(folder))
        yield path


def _read(upload: Upload, path: Path, settings: Settings, *, changed: bool = False) -> None:
    summary = _call(upload, path, settings, preview=True, confirmed=EVERYTHING)
    before = previews.month_before(summary.issued_on) if summary.issued_on else None
    _settle(
        upload,
        state=UploadState.READ,
        kind=summary.kind,
        preview=previews.write(Preview(summary, before=before)),
        fingerprint=imports.fingerprint(summary),
        changed=changed,
    )


def _load(upload: Upload, path: Path, settings: Settings) -> None:
    def note(batch: ImportBatch) -> None:
        """Note that the file is loaded with what it brings: a cut leaves both, or neither."""
        told_at = ImportBatch.update(announce_at=upload.announce_at)
        told_at.where(ImportBatch.id == batch.id).execute()
        _change(upload, state=UploadState.LOADED, preview="", batch=batch)

    confirmed = Confirmed(**dict.fromkeys(upload.confirmed.split(), True))
    agreed = upload.fingerprint
    _call(upload, path, settings, confirmed=confirmed, agreed=agreed, noted=note)


def _call(upload: Upload, path: Path, settings: Settings, **options: Any) -> FileSummary:
    return imports.load(
        path,
        pdf_folder=settings.data / "pdf",
        closes_after_days=settings.payment.closes_after_days,
        rules=imports.Rules.of(settings.payment),
        regies=settings.regies_by_key,
        progress=_progress(upload),
        author=upload.agreed_by,
        with_pdfs=bool(upload.pdfs_sha256),
        most_payments=MAX_PAYMENTS,
        **options,
    )


def refuse(upload: Upload, faults: Sequence[Fault]) -> None:
    """Note why a file cannot be loaded, for a person to read."""
    _settle(upload, state=UploadState.REFUSED, preview=previews.write(Preview(faults=faults)))


def _settle(upload: Upload, **values: Any) -> None:
    with write():
        _change(upload, **values)


def _change(upload: Upload, **values: Any) -> None:
    Upload.update(**values).where(Upload.id == upload.id).execute()


def _progress(upload: Upload) -> Progress:
    """Return a function that records from time to time how many lines are read, for the page that
    waits."""

    def read(items: Iterable[Any], _what: str) -> Iterator[Any]:
        last, count = time.monotonic(), length_hint(items)
        for done, item in enumerate(items):
            if (
                done % 1000 == 0
                and time.monotonic() - last > _PACE
                and not database.in_transaction()
            ):
                last = time.monotonic()
                _settle(upload, done_count=done, line_count=count)
            yield item

    return read
