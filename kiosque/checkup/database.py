"""Checks: the base, and whether the books in it hold together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peewee import OperationalError, PeeweeException

from gateways.base import ConfigError
from kiosque import db, payments
from kiosque.checkup import sqlite_file
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Ground
from kiosque.language.formats import counted
from kiosque.payments import journal, verification

_MIGRATE = "« python app.py migrate »."


class NoBase(Exception):
    """The base cannot be read; the check named « Base » says why."""


def configure(ground: Ground) -> None:
    """Say which base it is, for all that read it here. Raises ConfigError."""
    if ground.address:
        db.configure(ground.address, durable=ground.live)
    elif path := _file(ground):
        db.configure(path)


def _file(ground: Ground) -> Path | None:
    """The base's file, where it is there."""
    path = ground.database_path
    return path if path and path.is_file() else None


@contextmanager
def reading(ground: Ground) -> Iterator[None]:
    """The base, connected and left as it is. Raises NoBase."""
    path = _file(ground)
    if path is None and not ground.address:
        raise NoBase
    try:
        with sqlite_file.connected(path, files_open=ground.files_open) if path else db.connection():
            yield
    except PeeweeException as error:
        raise NoBase from error


def check(ground: Ground) -> Result:
    """The file, its whole content, its version; and that one may write."""
    found, path = Findings(), _file(ground)
    if ground.address:
        _check_server(ground, found)
    elif ground.database_path is None:
        found.unknown("le réglage database n’a pas pu être lu", "Corrigez-le d’abord.")
    elif path is None:
        found.broken(
            f"la base n’existe pas ({ground.database_path})", f"{_MIGRATE} Ou voyez KIOSQUE_DATA."
        )
    else:
        _check_file(ground, path, found)
    return found.result("Base")


def _check_server(ground: Ground, found: Findings) -> None:
    """PostgreSQL: that it answers, is as it must be, may be written to, and is of this version."""
    try:
        configure(ground)
        with reading(ground):
            found.see(db.database.description())
            pending, fault = db.pending_migrations(), db.database.fault()
    except ConfigError as error:
        found.broken(error.faults[0], "Voyez docs/postgresql.md.")
        return
    except NoBase as error:
        found.broken(
            f"la base ne répond pas ({_reason(error)})",
            "Voyez si PostgreSQL tourne, l’adresse, le mot de passe (docs/postgresql.md).",
        )
        return
    if fault:
        found.broken(fault, "Voyez si ce serveur n’est qu’une réplique.")
    _tell_version(pending, found)


def _check_file(ground: Ground, path: Path, found: Findings) -> None:
    try:
        configure(ground)
    except ConfigError as error:
        found.broken(error.faults[0], "« .venv/bin/pip install -r requirements.txt ».")
        return
    found.see(sqlite_file.describe(path))
    sqlite_file.check_files(path, found, live=ground.live)
    if sqlite_file.check_content(path, found, files_open=ground.files_open):
        _check_version(ground, found)


def _check_version(ground: Ground, found: Findings) -> None:
    try:
        with reading(ground):
            pending = db.pending_migrations()
    except NoBase as error:
        found.broken(
            f"le site ne peut pas ouvrir la base ({_reason(error)})",
            "Voyez les droits du dossier et la place sur le disque.",
        )
        return
    _tell_version(pending, found)


def _tell_version(pending: list[str], found: Findings) -> None:
    if pending:
        found.broken(
            f"la base est d’une version plus ancienne (migrations à faire\u00a0: {len(pending)})",
            _MIGRATE,
        )
    else:
        found.see("à jour")


def _reason(error: NoBase) -> str:
    cause = error.__cause__
    return str(cause.args[-1]) if isinstance(cause, OperationalError) else type(cause).__name__


def books(ground: Ground) -> Result:
    """What `verify` checks."""
    found = Findings()
    try:
        with reading(ground):
            faults = verification.faults()
            removed = _removed_too_early(ground)
            number, _ = journal.last()
    except NoBase:
        found.unknown("les comptes n’ont pas pu être lus", "Voyez « Base ».")
        return found.result("Comptes")
    for fault in faults[:_MOST]:
        found.broken(fault, _TELL)
    if len(faults) > _MOST:
        found.broken(f"et {len(faults) - _MOST} autres", _TELL)
    for words in removed:
        found.broken(words, f"{ground.settings_file}, puis relancez le site.")
    if not faults:
        found.see(f"intacts, {counted(number, 'écriture')} au journal")
    return found.result("Comptes")


def _removed_too_early(ground: Ground) -> list[str]:
    """The gateways and *régies* that the base still needs, and the settings no longer have."""
    if ground.settings is None:
        return []
    unserved = payments.unserved(list(ground.settings.gateways))
    return [*map(payments.words, unserved), *payments.closed_regies(list(ground.settings.regies))]


#: Faults told; `verify` tells all of them.
_MOST = 5
_TELL = "Ne corrigez rien à la main. « python app.py verify » dit tout ; prévenez le régisseur."
