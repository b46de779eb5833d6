"""Try the last backup: restore it elsewhere as `restore` would, verify it, and tell what would be
lost. The town itself is only read."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosque import db, resources
from kiosque.backups import TRIED, archive, databases, making, portrait, restoring, rotation
from kiosque.backups.archive import POSTGRESQL, SQLITE, Manifest
from kiosque.backups.portrait import Portrait
from kiosque.backups.restoring import CannotRestore
from kiosque.db import leases
from kiosque.settings import Settings

_UNPACKED = ".kiosque-essai"


@dataclass(frozen=True)
class Tried:
    """A backup put back elsewhere: its file, how long it took in seconds, the faults of its books,
    and how many journal entries, receipts and cents came since: what would be lost."""

    file: Path
    manifest: Manifest
    seconds: float
    faults: list[str]
    entries: int
    receipts: int
    cents: int


def drill(settings: Settings, environ: Mapping[str, str], file: Path | None = None) -> Tried:
    """Try a backup, the last one of the town unless one is given.

    Raises CannotRestore, BadBackup, DatabaseError, ProgramFailed, OSError.
    """
    file = file or _last(settings, environ)
    if db.pending_migrations():
        raise CannotRestore(f"La base attend « {resources.typed('migrate')} ».")
    live, started = portrait.draw(), time.monotonic()
    with _unpacked(settings, file) as folder:
        manifest, _members = archive.read(file, folder)
        restoring.require_ours(settings, manifest, folder)
        now = _prepared(settings, manifest, folder)
    tried = Tried(
        file,
        manifest,
        time.monotonic() - started,
        now.faults,
        live.entry[0] - manifest.entry[0],
        live.rows["receipt"] - now.rows["receipt"],
        live.sums["settled_cents"] - now.sums["settled_cents"],
    )
    if not tried.faults:
        leases.note_done(TRIED)
    return tried


def _last(settings: Settings, environ: Mapping[str, str]) -> Path:
    found = rotation.backups_in(settings.backups_folder, making.town_of(environ))
    if not found:
        raise CannotRestore(f"Aucune sauvegarde dans {settings.backups_folder}.")
    return found[0][1]


@contextmanager
def _unpacked(settings: Settings, file: Path) -> Iterator[Path]:
    """Yield a folder beside the backups, where there is room for them; one drill at a time."""
    name = f"{_UNPACKED}-{settings.environment}"
    try:
        with making.alone_in(file.parent, name) as folder:
            yield folder
    except making.FolderInUse:
        raise CannotRestore(f"Un autre essai est en cours dans {file.parent}.") from None


def _prepared(settings: Settings, manifest: Manifest, folder: Path) -> Portrait:
    """Do with the unpacked database all that `restore` does before it serves."""
    if settings.on_postgresql:
        now = _on_server(settings, manifest, folder / POSTGRESQL)
    else:
        now = restoring.prepare_file(settings, manifest, folder / SQLITE, {}, {})
    if now.entry != manifest.entry:
        raise CannotRestore("Le journal de la base n’est pas celui que dit la sauvegarde.")
    return now


def _on_server(settings: Settings, manifest: Manifest, dumped: Path) -> Portrait:
    try:
        with databases.temporary(str(settings.database_location)) as address:
            databases.load(dumped, address)
            return restoring.prepare_server(settings, manifest, address, {}, {})
    except databases.NotAllowed:
        raise CannotRestore(
            "Le compte de PostgreSQL ne peut pas créer la base de l’essai : « ALTER ROLE kiosque "
            "CREATEDB » (docs/postgresql.md)."
        ) from None
