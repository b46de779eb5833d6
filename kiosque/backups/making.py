"""Make a backup: copy, verify, read it again, and only then give it its final name."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kiosque import os_errors
from kiosque.backups import MADE, SENT, archive, databases, programs, rotation, settings_copy
from kiosque.backups.archive import Manifest, Writer
from kiosque.backups.portrait import Portrait
from kiosque.backups.programs import ProgramFailed
from kiosque.db import leases
from kiosque.language import clock
from kiosque.settings import Settings, loading
from kiosque.version import VERSION

#: The folder in which a backup is being made; anything found there is left by an interrupted one.
_BEING_MADE = ".kiosque-en-cours"
_FOLDERS = ("pdf", "texts")
#: The file under KIOSQUE_DATA that keeps the output of the town's own command when it last failed.
_OFFSITE_LOG = "offsite.log"


class CannotBackUp(Exception):
    """No backup was made; the text says why, in French."""


class FolderInUse(Exception):
    """Another process is at work in the folder."""


@dataclass
class Made:
    """A backup that was made: its file, its manifest, the old ones deleted, and warnings in
    French."""

    path: Path
    manifest: Manifest
    removed: list[Path]
    troubles: list[str] = field(default_factory=list)


def town_of(environ: Mapping[str, str]) -> str:
    """Return the prefix of the town's backups: `kiosque-sautron` if its settings are
    sautron.toml."""
    stem = re.sub(r"[^a-z0-9]+", "-", loading.config_path(environ).stem.lower()).strip("-")
    return stem if stem.startswith("kiosque") else f"kiosque-{stem}"


def make(settings: Settings, environ: Mapping[str, str], folder: Path) -> Made:
    """Back up the town into a folder, delete the backups that are too old, and send the new one
    away if the town has a command for that.

    Raises CannotBackUp, DatabaseError, OSError, ProgramFailed: no new backup is then in place,
    unless only the note of it, or the deletion of old ones, has failed.
    """
    with _turn(folder) as work:
        at = clock.now()
        target = folder / rotation.name(town_of(environ), at)
        if target.exists():
            raise CannotBackUp(f"{target} existe déjà.")
        manifest, troubles = _write(settings, environ, work, at)
        archive.read(work / target.name)
        (work / target.name).rename(target)
        sync(folder)
        made = Made(target, manifest, [], troubles)
        if manifest.faults:
            made.troubles.append("les comptes ont des défauts, que verify nomme ; rien n’est ôté")
        else:
            leases.note_done(MADE)
            made.removed = _rotate(settings, environ, folder)
    _send_away(settings, made)
    return made


@contextmanager
def _turn(folder: Path) -> Iterator[Path]:
    try:
        with alone_in(folder, _BEING_MADE) as work:
            yield work
    except FolderInUse:
        raise CannotBackUp(f"Une autre sauvegarde est en cours dans {folder}.") from None


@contextmanager
def alone_in(folder: Path, name: str) -> Iterator[Path]:
    """Make a folder of that name to work in, one process at a time; the kernel releases the lock of
    a process that is killed. Delete what an interrupted one left. Raises FolderInUse."""
    work = folder / name
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _take_turn(descriptor, work)
        for left in work.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield work
        finally:
            shutil.rmtree(work)
    finally:
        os.close(descriptor)


def _take_turn(descriptor: int, work: Path) -> None:
    """Lock the folder, and check that it is still there: a process that has finished deletes it.
    Raises FolderInUse."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), work.stat()):
            return
    except (BlockingIOError, FileNotFoundError):
        pass
    raise FolderInUse


def _write(
    settings: Settings, environ: Mapping[str, str], work: Path, at: datetime
) -> tuple[Manifest, list[str]]:
    """Write the archive, synced to the disk; return its manifest, and warnings."""
    try:
        copied, found = databases.copy(settings.database_location, work)
    except databases.Damaged:
        raise CannotBackUp(
            "La base est abîmée : sa copie n’est pas entière. Gardez les sauvegardes d’avant et "
            "lancez « check »."
        ) from None
    path = work / rotation.name(town_of(environ), at)
    with Writer.on(path) as writer:
        writer.add_file(copied.name, copied)
        copied.unlink()
        for name, file in _files(settings, environ):
            writer.add_file(name, file)
        troubles = _add_settings(writer, settings, environ, at)
        manifest = _manifest(settings, found, at, secrets=settings_copy.WHOLE in writer.names)
        writer.close_with(manifest, at.timestamp())
    path.chmod(0o600)
    with path.open("rb") as whole:
        os.fsync(whole.fileno())
    return manifest, troubles


def _files(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield what is not in the database: the invoices' PDFs, the town's texts and images."""
    for folder in _FOLDERS:
        for path in sorted((settings.data / folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(settings.data)), path
    yield from settings_copy.files(environ)


def _add_settings(
    writer: Writer, settings: Settings, environ: Mapping[str, str], at: datetime
) -> list[str]:
    """Add the settings; return why their secrets are not there, though the town wants them."""
    writer.add_bytes(settings_copy.REDACTED, settings_copy.redacted(environ), at.timestamp())
    if not settings.backup.recipient:
        return []
    try:
        whole = settings_copy.encrypted(environ, settings.backup.recipient)
    except ProgramFailed as error:
        return [f"les secrets n’ont pas été chiffrés, et n’y sont pas\u00a0: {error}"]
    writer.add_bytes(settings_copy.WHOLE, whole, at.timestamp())
    return []


def _manifest(settings: Settings, found: Portrait, at: datetime, *, secrets: bool) -> Manifest:
    return Manifest(
        version=VERSION,
        environment=settings.environment,
        created_at=at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        secrets=secrets,
        **asdict(found),
    )


def _rotate(settings: Settings, environ: Mapping[str, str], folder: Path) -> list[Path]:
    old = rotation.too_old(folder, town_of(environ), settings.backup)
    for path in old:
        path.unlink()
    return old


def _send_away(settings: Settings, made: Made) -> None:
    """Run the town's own command, with the path in place of each `{}`, else at its end."""
    words = settings.backup.offsite
    if not words:
        return
    path = str(made.path)
    placed = [word.replace("{}", path) for word in words]
    try:
        programs.run(
            placed if "{}" in " ".join(words) else [*placed, path],
            seconds=settings.backup.offsite_minutes * 60,
        )
        leases.note_done(SENT)
    except ProgramFailed as error:
        where = _keep_words(settings, error.said)
        made.troubles.append(f"elle n’est pas partie ailleurs\u00a0: {error.why}{where}")


def _keep_words(settings: Settings, said: bytes) -> str:
    """Save the output of the town's command in a file that only the town's account may read, and
    say where. It may hold a password, so it must not be in a log or a mail."""
    log = settings.data / _OFFSITE_LOG
    try:
        log.unlink(missing_ok=True)
        log.touch(0o600)
        log.write_bytes(said)
    except OSError as error:
        return f"\u00a0; {log} ne s’écrit pas ({os_errors.why(error)})"
    return f"\u00a0; ce qu’elle a dit est dans {log}"


def sync(folder: Path) -> None:
    """Sync the entries of a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
