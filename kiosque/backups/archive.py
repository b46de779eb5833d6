"""The file of a backup: a `.tar.gz` whose last member says what the others must be.

Nothing in it is trusted when it is read: names, sizes and digests are checked, and only plain files
in the folders that we write are extracted.
"""

import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from kiosque.backups.portrait import Portrait

MANIFEST = "manifest.json"
#: SQLite's file, or what `pg_dump` writes of a PostgreSQL.
SQLITE, POSTGRESQL = "kiosque.sqlite3", "kiosque.dump"
#: The folders of the town that a backup may hold, beside the database.
FOLDERS = ("pdf", "texts", "settings")
FORMAT = 1
_LONGEST_MANIFEST = 256 * 1024 * 1024
_CHUNK = 1024 * 1024
#: Compression level: PDFs do not shrink, the database does by a factor of six; a slower level gains
#: nothing.
_COMPRESSION = 2
#: Bytes to leave free on the disk when a backup is unpacked.
_SPARE_BYTES = 50 * 1024 * 1024
_KEEPS_NO_SECRET = 0o640
#: More than the longest name that we write.
_LONGEST_NAME = 500
#: Errors that the readers of gzip and of tar raise on a damaged or forged file.
_NOT_WHOLE = (
    tarfile.TarError,
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    ValueError,
    OverflowError,
)


class BadBackup(Exception):
    """A file is not a whole backup of ours; the text says why, in French."""


@dataclass(frozen=True)
class Manifest(Portrait):
    """The description inside a backup: the portrait of its database, the version and the
    environment of the site that made it, `created_at`, the instant of the database's state, and
    whether it has the secrets of the settings."""

    version: str
    environment: str
    created_at: str
    secrets: bool


#: The size and digest of each member, by name.
Members = dict[str, tuple[int, str]]


class _Digested:
    """A file that is digested as it is read or written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self._size = file, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        return self._seen(self._file.read(size))

    def write(self, data: bytes) -> int:
        return self._file.write(self._seen(data))

    def _seen(self, data: bytes) -> bytes:
        self._digest.update(data)
        self._size += len(data)
        return data

    @property
    def sum(self) -> tuple[int, str]:
        return self._size, self._digest.hexdigest()


class Writer:
    """A backup being written. `close_with` puts its manifest at the end."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar, self._members = tar, Members()

    @classmethod
    @contextmanager
    def on(cls, path: Path) -> Iterator[Self]:
        with tarfile.open(
            path, "x:gz", compresslevel=_COMPRESSION, format=tarfile.PAX_FORMAT
        ) as tar:
            yield cls(tar)

    def add(self, name: str, file: IO[bytes], size: int, modified: float) -> None:
        """Add `size` bytes of a file. Raises OSError if it holds fewer."""
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, int(modified), _KEEPS_NO_SECRET
        digested = _Digested(file)
        self._tar.addfile(member, digested)
        self._members[name] = digested.sum

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            found = path.stat()
            self.add(name, file, found.st_size, found.st_mtime)

    def add_bytes(self, name: str, content: bytes, modified: float) -> None:
        self.add(name, io.BytesIO(content), len(content), modified)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._members)

    def close_with(self, manifest: Manifest, modified: float) -> None:
        told = {"format": FORMAT, **asdict(manifest), "members": self._members}
        content = json.dumps(told, ensure_ascii=False, indent=1).encode()
        self.add_bytes(MANIFEST, content, modified)


def read(path: Path, into: Path | None = None) -> tuple[Manifest, Members]:
    """Read a whole backup, each digest compared; unpack it into a folder when one is given.

    Raises BadBackup, and OSError where the disk refuses.
    """
    found, told = Members(), b""
    if into:
        into.mkdir(parents=True, exist_ok=True, mode=0o750)
    try:
        with gzip.open(path) as whole, tarfile.open(fileobj=whole, mode="r:") as tar:
            for member in tar:
                content = _content(tar, member)
                if member.name == MANIFEST:
                    told = content.read(_LONGEST_MANIFEST)
                else:
                    _require_safe(member, found)
                    found[member.name] = _take(member, content, into)
            while whole.read(_CHUNK):  # read to the end, where gzip has its checksum
                pass
    except _NOT_WHOLE as error:
        raise BadBackup(f"archive abîmée ou tronquée ({type(error).__name__})") from None
    manifest, members = _understood(told)
    _require_same(members, found)
    return manifest, members


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise BadBackup(f"{member.name[:80]!r} n’est pas un fichier ordinaire")
    return content


def _require_safe(member: tarfile.TarInfo, found: Members) -> None:
    """Raise BadBackup for a name that is not one of ours, or is there twice."""
    parts = PurePosixPath(member.name).parts
    ours = member.name in (SQLITE, POSTGRESQL) or (len(parts) > 1 and parts[0] in FOLDERS)
    plain = member.name == "/".join(parts) and ".." not in parts and "\0" not in member.name
    plain = plain and len(member.name) <= _LONGEST_NAME
    if not (ours and plain) or member.name in found:
        raise BadBackup(f"nom inattendu\u00a0: {member.name[:80]!r}")


def _take(member: tarfile.TarInfo, content: IO[bytes], into: Path | None) -> tuple[int, str]:
    """Read a member to its end, into its file where one is wanted; return its size and digest."""
    if into is None:
        digested = _Digested(content)
        while digested.read(_CHUNK):
            pass
        return digested.sum
    if member.size > shutil.disk_usage(into).free - _SPARE_BYTES:
        raise BadBackup("il n’y a pas la place de le déballer sur ce disque")
    target = into / member.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    with target.open("xb") as file:
        written = _Digested(file)
        shutil.copyfileobj(content, written, _CHUNK)
    target.chmod(_KEEPS_NO_SECRET)
    return written.sum


def _understood(told: bytes) -> tuple[Manifest, Members]:
    try:
        values: dict[str, Any] = json.loads(told)
        members = {name: (int(size), str(sum_)) for name, (size, sum_) in values["members"].items()}
        if values["format"] != FORMAT:
            raise BadBackup("ce format de sauvegarde est d’une autre version du site")
        number, fingerprint = values["entry"]
        values["entry"] = (int(number), str(fingerprint))
        manifest = Manifest(**{item.name: values[item.name] for item in fields(Manifest)})
        _require_shape(manifest)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise BadBackup("ce n’est pas une sauvegarde entière du site") from None
    return manifest, members


def _require_shape(told: Manifest) -> None:
    """Raise ValueError, TypeError or AttributeError if a value is of the wrong type."""
    texts = (told.version, told.environment, *told.schema, *told.faults)
    counts = (*told.rows.values(), *told.sums.values(), *told.receipts.values())
    lists = isinstance(told.schema, list) and isinstance(told.faults, list)
    if not lists or {*map(type, texts)} - {str} or {*map(type, counts)} - {int}:
        raise TypeError
    if not re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", told.created_at):
        raise ValueError
    datetime.fromisoformat(told.created_at)


def _require_same(members: Members, found: Members) -> None:
    for name in sorted({*members, *found}):
        if name not in found:
            raise BadBackup(f"{name[:80]!r} y manque")
        if found[name] != members.get(name):
            raise BadBackup(f"{name[:80]!r} n’est pas ce qui y avait été mis")
    if not {SQLITE, POSTGRESQL} & found.keys():
        raise BadBackup("la base y manque")
