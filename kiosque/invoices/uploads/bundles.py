"""Put together the files that some software writes separately for one load, as if zipped."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import IO

#: Magnus writes the invoices, their lines and their other debtors in files of the same name with
#: different suffixes.
_LINES, _OTHERS = "AS", ("AS", "_TSOL")


def bundled(files: Sequence[tuple[str, IO[bytes]]], longest: int) -> list[tuple[str, IO[bytes]]]:
    """Return the files by name, those that belong together as one archive. Read at most `longest`
    bytes of each."""
    left = dict(files)
    if len(left) < len(files):  # two files of one name: it is not clear which go together
        return list(files)
    found = []
    for name in list(left):
        parts = {each: left[each] for each in _parts(name) if each in left}
        if _named(name, _LINES) in parts and name in left:
            found.append(
                (f"{PurePath(name).stem}.zip", _zipped({name: left[name], **parts}, longest))
            )
            for each in (name, *parts):
                del left[each]
    return [*left.items(), *found]


def _parts(name: str) -> list[str]:
    return [_named(name, added) for added in _OTHERS]


def _named(name: str, added: str) -> str:
    path = PurePath(name)
    return f"{path.stem}{added}{path.suffix}"


def _zipped(files: Mapping[str, IO[bytes]], longest: int) -> IO[bytes]:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in files.items():
            archive.writestr(name, file.read(longest + 1))
    whole.seek(0)
    return whole
