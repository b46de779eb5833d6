"""A disk that loses power: SQLite's own file system, seen through a VFS.

What is written is only surely on the disk once synced. Until then, at a cut, any part of it may
be there or not, in any order, down to the sector: disks and systems write when they please. A
name in a folder is no better: a new file may be gone, a deleted one may be back, until the folder
is synced, which SQLite does when it first syncs a new journal or WAL (`UNIXFILE_DIRSYNC` in its
os_unix.c). What surrounds a write is left whole: SQLite counts on it (`SQLITE_IOCAP_
POWERSAFE_OVERWRITE`, its default).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apsw

SECTOR = 512

#: What is left after a cut: the content of each file, by the end of its name.
Remains = dict[str, bytes]


@dataclass
class Inode:
    """A file: what is surely on the disk, then what was done since, in order: (offset, data),
    or (size, None) when it was cut to a size."""

    sure: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for at, data in self.since:
            _apply(self.sure, at, data)
        self.since.clear()

    def after_a_cut(self, random: Random) -> bytes:
        content, kept = bytearray(self.sure), random.choice((0.0, 0.5, 0.9))
        for at, data in self.since:
            for start, piece in _sectors(at, data):
                if random.random() < kept:
                    _apply(content, start, piece)
        return bytes(content)


def _apply(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
        return
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(data)] = data


def _sectors(at: int, data: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    """A write, sector by sector: any of them may be lost alone."""
    if data is None:
        yield at, None
        return
    start = 0
    while start < len(data):
        end = min(len(data), start + SECTOR - (at + start) % SECTOR)
        yield at + start, data[start:end]
        start = end


class Disk:
    """One database's files. `watch` is told before each thing done to them: the moment of a cut."""

    def __init__(self, base: Path, watch: Callable[[], object]) -> None:
        self._base = str(base)
        self._watch = watch
        self._names: dict[str, Inode] = {}
        if base.exists():
            self._names[""] = Inode(bytearray(base.read_bytes()))
        self._sure_names = dict(self._names)

    def holds(self, path: str) -> bool:
        return path.startswith(self._base) and path.removeprefix(self._base) in KEPT

    def open(self, path: str) -> Inode:
        self._watch()
        return self._names.setdefault(path.removeprefix(self._base), Inode())

    def change(self, inode: Inode, at: int, data: bytes | None) -> None:
        self._watch()
        inode.since.append((at, data))

    def sync(self, path: str, inode: Inode) -> None:
        self._watch()
        inode.sync()
        if path != self._base:
            self._sure_names = dict(self._names)

    def delete(self, path: str, *, sync: bool) -> None:
        self._watch()
        self._names.pop(path.removeprefix(self._base), None)
        if sync:
            self._sure_names = dict(self._names)

    def after_a_cut(self, random: Random) -> Remains:
        remains = {}
        for name in sorted({*self._names, *self._sure_names}):
            inode = random.choice((self._names, self._sure_names)).get(name)
            if inode:
                remains[name] = inode.after_a_cut(random)
        return remains


#: The index of a WAL (-shm) is memory: it is made again.
KEPT = ("", "-wal", "-journal")


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: apsw.URIFilename | str, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._disk = disk
        self._inode = disk.open(self._path)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.change(self._inode, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.change(self._inode, size, None)
        super().xTruncate(size)

    def xSync(self, _flags: int) -> None:  # noqa: N802
        self._disk.sync(self._path, self._inode)  # this machine's own disk need not


class _System(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        super().__init__("losing-power", "unix", makedefault=True)
        self._disk = disk

    def xOpen(  # noqa: N802
        self, name: apsw.URIFilename | str | None, flags: list[int]
    ) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or not self._disk.holds(path):
            return apsw.VFSFile("unix", name, flags)
        return _File(self._disk, name, flags)

    def xDelete(self, path: str, sync: bool) -> None:  # noqa: N802
        if self._disk.holds(path):
            self._disk.delete(path, sync=sync)
        super().xDelete(path, sync)


@contextmanager
def losing_power(disk: Disk) -> Iterator[None]:
    """While it lasts, SQLite's files are on this disk."""
    system = _System(disk)
    try:
        yield
    finally:
        system.unregister()


class Cuts:
    """Some moments of a run, drawn evenly among all, and what a cut then would have left."""

    def __init__(self, random: Random, count: int) -> None:
        self._random = random
        self._count = count
        self._seen = 0
        self.disk: Disk
        self.told: list[str] = []  # acknowledged so far
        self.drawn: list[tuple[Remains, list[str]]] = []

    def watch(self) -> None:
        """Draw, or not, this moment (reservoir sampling)."""
        self._seen += 1
        if len(self.drawn) < self._count:
            self.drawn.append(self._now())
        elif (place := self._random.randrange(self._seen)) < self._count:
            self.drawn[place] = self._now()

    def _now(self) -> tuple[Remains, list[str]]:
        return self.disk.after_a_cut(self._random), list(self.told)


def put_back(remains: Remains, base: Path) -> None:
    """Write what a cut left, for SQLite to recover."""
    for name in (*KEPT, "-shm"):
        Path(f"{base}{name}").unlink(missing_ok=True)
    for name, content in remains.items():
        Path(f"{base}{name}").write_bytes(content)
