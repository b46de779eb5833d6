"""Put a backup in the place of the town's database and files, which are kept aside.

Everything is done beside them first: unpacked, checked, brought to this version, marked as
restored, verified. Only then are the old ones moved away, SQLite's `-wal` and `-shm` too: left
beside another database, they would be written into it.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw
from peewee import DatabaseError

from kiosque import db, os_errors, payments
from kiosque.backups import archive, databases, making, portrait, skipped
from kiosque.backups.archive import POSTGRESQL, SQLITE, BadBackup, Manifest
from kiosque.backups.portrait import Portrait
from kiosque.backups.skipped import Skipped
from kiosque.db import deployment, write
from kiosque.db.models import Invoice, Session, StaffSession
from kiosque.language import clock
from kiosque.settings import Settings

_UNPACKED = ".kiosque-retablissement"
_FOLDERS = ("pdf", "texts")
#: SQLite's file and what it writes beside; not our lock of writers.
_BESIDE = ("", "-wal", "-shm", "-journal")


class CannotRestore(Exception):
    """Nothing was changed; the text says why, in French."""


class HalfRestored(Exception):
    """The database is in place, its files are not; the text says what to do, in French."""


@dataclass(frozen=True)
class Restored:
    """A backup put in place: its manifest, where the earlier state was moved, the portrait of the
    restored database, and the names of the PDFs of invoices that are missing."""

    manifest: Manifest
    aside: Path
    now: Portrait
    missing: list[str]


def restore(settings: Settings, file: Path, *, despite_faults: bool = False) -> Restored:
    """Put a backup in place of what is there. Nobody may be at work on it (`db.presence.alone`).

    Raises CannotRestore, BadBackup, DatabaseError, ProgramFailed, OSError: nothing has changed
    then; and HalfRestored.
    """
    with _unpacked(settings, file) as (folder, manifest):
        require_ours(settings, manifest, folder)
        if manifest.faults and not despite_faults:
            raise CannotRestore(
                "Les comptes de cette sauvegarde ont des défauts :\n"
                + "\n".join(manifest.faults[:5])
                + "\nPrenez-en une plus ancienne, ou confirmez par --despite-faults."
            )
        replace = _replace_on_server if settings.on_postgresql else _replace_file
        now, aside = replace(settings, manifest, folder, despite_faults=despite_faults)
        try:
            _replace_folders(settings, folder, aside)
        except OSError as error:
            raise HalfRestored(
                "La base est rétablie, mais les PDF ou les textes n’ont pas tous pu être remplacés "
                f"({error.filename or settings.data} : {os_errors.why(error)}). Ceux d’avant sont "
                f"dans {aside}. Réparez cela et refaites la même commande avant d’ouvrir le site."
            ) from None
    return Restored(manifest, aside, now, _missing(settings))


@contextmanager
def _unpacked(settings: Settings, file: Path) -> Iterator[tuple[Path, Manifest]]:
    """Unpack a backup beside the database, on the same disk."""
    folder = settings.database_path.parent / _UNPACKED
    shutil.rmtree(folder, ignore_errors=True)
    try:
        manifest, _members = archive.read(file, folder)
        yield folder, manifest
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def require_ours(settings: Settings, manifest: Manifest, folder: Path) -> None:
    """Raise CannotRestore for a backup of another environment, version or kind of database."""
    if manifest.environment != settings.environment:
        raise CannotRestore(
            f"Cette sauvegarde est celle de l’environnement « {manifest.environment[:20]} », et "
            f"les réglages disent « {settings.environment} » : un essai ne devient jamais le vrai "
            "site (docs/ouverture.md)."
        )
    if set(manifest.schema) - {path.stem for path in db.MIGRATIONS.glob("[0-9]*.py")}:
        raise CannotRestore(
            f"Cette sauvegarde vient d’une version plus récente ({manifest.version[:20]}) que ce "
            "programme : installez d’abord celle-là."
        )
    if not (folder / (POSTGRESQL if settings.on_postgresql else SQLITE)).exists():
        raise CannotRestore(
            "Cette sauvegarde n’est pas de la sorte de base que disent les réglages (database) : "
            "SQLite d’un côté, PostgreSQL de l’autre. Rétablissez-la sur la sienne, puis "
            "move-database."
        )


def prepare_file(
    settings: Settings,
    manifest: Manifest,
    file: Path,
    known: Mapping[str, int],
    earlier: Skipped,
) -> Portrait:
    """Make an unpacked file ready to serve, and return what it holds. By sequence of receipts,
    `known` are the last that the database it replaces gave, `earlier` those of restorations before.
    """
    try:
        databases.examine(file)
    except databases.Damaged:
        raise BadBackup("la base y est abîmée") from None
    with db.elsewhere(file):
        return _prepare(settings, manifest, known, earlier)


def prepare_server(
    settings: Settings,
    manifest: Manifest,
    address: str,
    known: Mapping[str, int],
    earlier: Skipped,
) -> Portrait:
    """Make a PostgreSQL just loaded ready to serve, and return what it holds."""
    with db.elsewhere(address):
        return _prepare(settings, manifest, known, earlier)


def _prepare(
    settings: Settings, manifest: Manifest, known: Mapping[str, int], earlier: Skipped
) -> Portrait:
    """Bring the database in force to this version, and mark it as restored."""
    db.migrate()
    deployment.note(settings.environment)
    backup_at = datetime.fromisoformat(manifest.created_at)
    with write():
        payments.note_restoration(settings, backup_at, known, earlier)
        # End all sessions: some ended since the backup, by a sign-out, a new password or a role
        # withdrawn.
        for each in (Session, StaffSession):
            each.delete().execute()
    return portrait.draw()


def _require_sound(now: Portrait, manifest: Manifest, *, despite_faults: bool) -> None:
    if now.entry != manifest.entry:
        raise CannotRestore("Le journal de la base n’est pas celui que dit la sauvegarde.")
    if now.faults and not despite_faults:
        raise CannotRestore("Les comptes ne sont pas intacts :\n" + "\n".join(now.faults[:5]))


def _aside(settings: Settings) -> Path:
    """Make the folder that keeps what was there before."""
    stamp = clock.now().strftime("%Y-%m-%dT%H%M%SZ")
    folder = settings.database_path.parent / f"avant-{stamp}"
    folder.mkdir(mode=0o700)
    return folder


def _receipts_given(settings: Settings) -> dict[str, int]:
    """Return the last receipts that the database to replace has given, as far as it can be read."""
    if settings.on_postgresql:
        with suppress(DatabaseError), db.elsewhere(settings.database_location):
            return portrait.last_receipts()
        return {}
    found: dict[str, int] = {}
    if not settings.database_path.is_file():
        return found
    with suppress(apsw.Error), closing(_left_as_it_is(settings.database_path)) as file:
        for query in (portrait.LAST_RECEIPTS, portrait.LAST_SKIPPED):
            for sequence, last in file.execute(query):
                found[sequence] = max(found.get(sequence, 0), last)
    return found


def _earlier(settings: Settings) -> Skipped:
    """Return what earlier restorations of this machine skipped. Raises CannotRestore."""
    try:
        return skipped.read(settings.data)
    except skipped.DamagedFile:
        raise CannotRestore(
            f"{settings.data / skipped.NAME} est illisible : un numéro de reçu pourrait servir "
            "deux fois. S’il n’y a eu aucune autre restauration depuis une heure, effacez ce "
            "fichier et recommencez."
        ) from None


def _left_as_it_is(path: Path) -> apsw.Connection:
    file = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    # Do not let the changes in its WAL be moved into the file.
    file.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    return file


def _replace_file(
    settings: Settings, manifest: Manifest, folder: Path, *, despite_faults: bool
) -> tuple[Portrait, Path]:
    """Replace the SQLite file. Move the old WAL first: SQLite would apply it to the new file."""
    new = folder / SQLITE
    known, earlier = _receipts_given(settings), _earlier(settings)
    now = prepare_file(settings, manifest, new, known, earlier)
    _require_sound(now, manifest, despite_faults=despite_faults)
    skipped.keep(settings.data, now.receipts)
    aside = _aside(settings)
    _move_file(settings, aside)
    new.rename(settings.database_path)
    making.sync(settings.database_path.parent)
    return now, aside


def _move_file(settings: Settings, aside: Path) -> None:
    for suffix in reversed(_BESIDE):
        old = Path(f"{settings.database_path}{suffix}")
        if old.exists():
            old.rename(aside / old.name)


def set_aside(settings: Settings) -> Path:
    """Move the database and the invoices' PDFs aside, so that the town can start again from
    nothing. Return where they are. Nobody may be at work on them. Raises ProgramFailed,
    DatabaseError, OSError."""
    aside = _aside(settings)
    if settings.on_postgresql:
        databases.dump(str(settings.database_location), aside / POSTGRESQL)
        with db.elsewhere(settings.database_location):
            db.database.erase()
    else:
        _move_file(settings, aside)
    if (settings.data / "pdf").exists():
        shutil.move(settings.data / "pdf", aside / "pdf")
    return aside


def _replace_folders(settings: Settings, folder: Path, aside: Path) -> None:
    for name in _FOLDERS:
        old = settings.data / name
        if old.exists():
            shutil.move(old, aside / name)
        if (folder / name).exists():
            shutil.move(folder / name, old)


def _replace_on_server(
    settings: Settings, manifest: Manifest, folder: Path, *, despite_faults: bool
) -> tuple[Portrait, Path]:
    """Replace the tables on a PostgreSQL. The old ones cannot stay beside the new ones: dump them
    to a file first, and load them again if anything goes wrong."""
    known, earlier = _receipts_given(settings), _earlier(settings)
    location, aside = str(settings.database_location), _aside(settings)
    databases.dump(location, aside / POSTGRESQL)
    try:
        _load(location, folder / POSTGRESQL)
        now = prepare_server(settings, manifest, location, known, earlier)
        _require_sound(now, manifest, despite_faults=despite_faults)
        skipped.keep(settings.data, now.receipts)
    except BaseException:
        _load(location, aside / POSTGRESQL)
        raise
    return now, aside


def _load(location: str, dumped: Path) -> None:
    with db.elsewhere(location):
        db.database.erase()
    databases.load(dumped, location)


def _missing(settings: Settings) -> list[str]:
    """Return the PDFs that invoices name and that are missing. Until they are put back, the site
    makes its own, without the layout of the town's software."""
    with db.elsewhere(settings.database_location):
        with_pdf = Invoice.select(Invoice.pdf_name).where(Invoice.pdf_name != "")
        named = [invoice.pdf_name for invoice in with_pdf]
    return [name for name in named if not (settings.data / "pdf" / name).is_file()]
