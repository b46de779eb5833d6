"""Keep the files that are deposited, under their digests, until they are loaded or too old."""

import hashlib
import os
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path, PurePath
from typing import IO, NamedTuple

from peewee import Expression, ModelDelete

from kiosque.db import write
from kiosque.db.models import Upload
from kiosque.db.states import UploadState
from kiosque.invoices.uploads import archives
from kiosque.invoices.uploads.archives import BadArchive
from kiosque.language import clock

#: How long a file that nobody loads is kept, and the row of a loaded one.
KEPT = timedelta(days=30)
#: A stored file whose row does not exist after this belongs to nobody, and is erased.
_FRESH = timedelta(hours=1)
#: Most files that may wait to be loaded, for all agents together.
MOST = 30
MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_ARCHIVE_BYTES = archives.MAX_BYTES
#: Longest name in characters, then in bytes, so that a file system takes it with an extension.
LONGEST_NAME, _LONGEST_BYTES = 100, 200
#: Most characters of a name that are looked at.
_MOST_SIGNS = 1000
_FOLDER = "deposits"
_CHUNK = 1024 * 1024


class BadUpload(Exception):
    """A file that cannot be kept; the text says why, in French."""


class KeptFile(NamedTuple):
    """A file under its digest, and whether it is an archive of PDFs."""

    name: str
    sha256: str
    size: int
    has_pdfs: bool


def clean_name(name: str) -> str:
    """Return the name of a file without its folders and invisible characters, cut to a length that
    every file system takes."""
    last = PurePath(name.replace("\\", "/")).name
    shown = "".join(sign for sign in last[-_MOST_SIGNS:] if sign.isprintable())
    shown = " ".join(unicodedata.normalize("NFC", shown).split()).strip(". ")
    stem, dot, ending = shown.rpartition(".")
    if not dot or len(ending) > 10:
        return _cut(shown, LONGEST_NAME) or "fichier"
    return f"{_cut(stem, LONGEST_NAME - len(ending) - 1)}.{ending}" if stem else "fichier"


def _cut(text: str, signs: int) -> str:
    return text[:signs].encode()[:_LONGEST_BYTES].decode(errors="ignore")


def keep(file: IO[bytes], name: str, data: Path) -> KeptFile:
    """Write a file under its digest, for the town's user alone, and look at what it is. Raise
    BadUpload, having kept nothing, for one that is empty, too large or an archive to distrust."""
    folder, name = data / _FOLDER, clean_name(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f".{secrets.token_hex(8)}"
    try:
        digest, size = _copy(file, part)
        has_pdfs = archives.holds_pdfs(part)
        _require_more_than_a_pdf(part)
        if size > MAX_FILE_BYTES and not has_pdfs:
            raise BadUpload("plus de 20 Mo. Partagez-le en plusieurs.")
        part.replace(folder / digest)
    except BadArchive as error:
        raise BadUpload(str(error)) from None
    finally:
        part.unlink(missing_ok=True)
    return KeptFile(name, digest, size, has_pdfs)


def _require_more_than_a_pdf(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(5) == b"%PDF-":
            raise BadUpload(
                "un PDF seul ne se charge pas. Mettez les PDF dans une archive zip, et déposez-la "
                "avec le fichier de leurs factures."
            )


def _copy(file: IO[bytes], to: Path) -> tuple[str, int]:
    """Copy a file; return its digest and its size."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while part := file.read(_CHUNK):
            size += len(part)
            if size > MAX_ARCHIVE_BYTES:
                raise BadUpload("plus de 200 Mo. Partagez-le en plusieurs.")
            digest.update(part)
            target.write(part)
    if not size:
        raise BadUpload("le fichier est vide.")
    return digest.hexdigest(), size


def add(kept: KeptFile, pdfs: KeptFile | None, author: str) -> Upload:
    """Note a file that is kept, with the PDFs that came along."""
    with write():
        return Upload.create(
            sha256=kept.sha256,
            pdfs_sha256=pdfs.sha256 if pdfs else "",
            file_name=kept.name,
            byte_count=kept.size,
            author=author,
            uploaded_at=clock.now(),
        )


def path_of(sha256: str, data: Path) -> Path:
    return data / _FOLDER / sha256


def drop(upload: Upload) -> bool:
    """Drop a file unless it is loaded, or about to be. Return whether it was dropped."""
    settled = Upload.state.in_([UploadState.STORED, UploadState.READ, UploadState.REFUSED])
    with write():
        return bool(ModelDelete(Upload).where(Upload.id == upload.id, settled).execute())


def is_full() -> bool:
    """Tell whether too many files wait to be loaded to accept another: each takes room on the
    disk."""
    return Upload.select().where(Upload.state != UploadState.LOADED).count() >= MOST


def waiting() -> list[Upload]:
    """Return the files that wait for a person, to agree to them or to see that they were
    refused."""
    return [each for each in under_way() if each.state in (UploadState.READ, UploadState.REFUSED)]


def under_way() -> list[Upload]:
    """Return the files that are not loaded yet, the newest first, without what was read of them."""
    found = Upload.select(
        Upload.id,
        Upload.sha256,
        Upload.pdfs_sha256,
        Upload.file_name,
        Upload.author,
        Upload.uploaded_at,
        Upload.state,
    ).where(Upload.state != UploadState.LOADED)
    return list(found.order_by(Upload.id.desc()))


def past() -> Expression:
    """Select the files deposited longer ago than KEPT."""
    return Upload.uploaded_at < clock.now() - KEPT


def purge() -> None:
    """Erase the rows past their time. Their files go with `erase_files`."""
    with write():
        ModelDelete(Upload).where(past()).execute()


def erase_files(data: Path) -> None:
    """Erase the files that no row needs any more: once loaded, the town has its own copy. Keep
    those younger than an hour, which may have no row yet."""
    needed = {"", *_needed()}
    oldest = (clock.now() - _FRESH).timestamp()
    with suppress(FileNotFoundError):
        for path in (data / _FOLDER).iterdir():
            if path.name not in needed and path.lstat().st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _needed() -> Iterator[str]:
    for upload in under_way():
        yield from (upload.sha256, upload.pdfs_sha256)


def is_whole(path: Path) -> bool:
    """Tell whether a kept file is unaltered: its name is its digest."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == path.name
    except OSError:
        return False
