"""Check the database, then the accounts in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peewee import PeeweeException

from gateways.base import ConfigError
from kiosque import db, payments, resources
from kiosque.checkup import sqlite_file
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation
from kiosque.db import deployment
from kiosque.language.formats import counted
from kiosque.payments import journal, verification


class DatabaseUnreadable(Exception):
    """The database cannot be read; `check_database` says why."""


def configure(installation: Installation) -> None:
    """Name the database for all checks that read it. Raises ConfigError."""
    if installation.address:
        db.configure(installation.address, durable=installation.live)
    elif path := _file(installation):
        db.configure(path)


def _file(installation: Installation) -> Path | None:
    """Return the SQLite file, or None if there is none."""
    path = installation.database_path
    return path if path and path.is_file() else None


@contextmanager
def reading(installation: Installation) -> Iterator[None]:
    """Connect to the database for the block, without changing it. Raises DatabaseUnreadable."""
    path = _file(installation)
    if path is None and not installation.address:
        raise DatabaseUnreadable
    try:
        with (
            sqlite_file.connected(path, files_open=installation.files_open)
            if path
            else db.connection()
        ):
            yield
    except PeeweeException as error:
        raise DatabaseUnreadable from error


def check_database(installation: Installation) -> Result:
    """Report the state of the database: its file or server, content, version, right to write."""
    found, path = Findings(), _file(installation)
    if installation.address:
        _check_server(installation, found)
    elif installation.database_path is None:
        found.unknown("le réglage database n’a pas pu être lu", "Corrigez-le d’abord.")
    elif path is None:
        found.broken(
            f"la base n’existe pas ({installation.database_path})",
            f"{_migrate()} Ou voyez KIOSQUE_DATA.",
        )
    else:
        _check_file(installation, path, found)
    return found.result("Base")


def _check_server(installation: Installation, found: Findings) -> None:
    """Report whether PostgreSQL answers, is set up as it must be, and may be written to."""
    try:
        configure(installation)
        with reading(installation):
            found.see(db.database.description())
            fault = db.database.fault()
            _tell_version(found, installation.environment)
    except ConfigError as error:
        found.broken(error.faults[0], "Voyez docs/postgresql.md.")
        return
    except DatabaseUnreadable as error:
        found.broken(
            f"la base ne répond pas ({_reason(error)})",
            "Voyez si PostgreSQL tourne, l’adresse, le mot de passe (docs/postgresql.md).",
        )
        return
    if fault:
        found.broken(fault, "Voyez si ce serveur n’est qu’une réplique.")


def _check_file(installation: Installation, path: Path, found: Findings) -> None:
    try:
        configure(installation)
    except ConfigError as error:
        found.broken(error.faults[0], "« .venv/bin/pip install -r requirements.txt ».")
        return
    found.see(sqlite_file.describe(path))
    sqlite_file.check_files(path, found, live=installation.live)
    if sqlite_file.check_content(path, found, files_open=installation.files_open):
        _check_version(installation, found)


def _check_version(installation: Installation, found: Findings) -> None:
    try:
        with reading(installation):
            _tell_version(found, installation.environment)
    except DatabaseUnreadable as error:
        found.broken(
            f"le site ne peut pas ouvrir la base ({_reason(error)})",
            "Voyez les droits du dossier et la place sur le disque.",
        )


def _tell_version(found: Findings, environment: str) -> None:
    pending, unknown = db.pending_migrations(), db.unknown_migrations()
    if unknown:
        found.broken(
            f"la base est d’une version plus récente que le site ({unknown[-1]})",
            "Remettez en service la version qui l’a mise à jour, ou restaurez la sauvegarde "
            "faite avant.",
        )
    elif pending:
        found.broken(
            f"la base est d’une version plus ancienne (migrations à faire\u00a0: {len(pending)})",
            _migrate(),
        )
    elif words := deployment.fault(environment):
        found.broken(words, "« docs/ouverture.md » y mène pas à pas.")
    else:
        found.see("à jour")


def _reason(error: DatabaseUnreadable) -> str:
    return db.why(error.__cause__ or error)


def check_books(installation: Installation) -> Result:
    """Report what the `verify` command checks, and the settings that the accounts still need."""
    found = Findings()
    try:
        with reading(installation):
            faults = verification.faults()
            removed = _removed_too_early(installation)
            number, _ = journal.last()
    except DatabaseUnreadable:
        found.unknown("les comptes n’ont pas pu être lus", "Voyez « Base ».")
        return found.result("Comptes")
    for fault in faults[:_MOST]:
        found.broken(fault, _tell())
    if len(faults) > _MOST:
        found.broken(f"et {len(faults) - _MOST} autres", _tell())
    for words in removed:
        found.broken(words, f"{installation.settings_file}, puis relancez le site.")
    if not faults:
        found.see(f"intacts, {counted(number, 'écriture')} au journal")
    return found.result("Comptes")


def _removed_too_early(installation: Installation) -> list[str]:
    """Return, in French, the gateways and *régies* in use that the settings no longer have."""
    if installation.settings is None:
        return []
    removed = payments.gateways_removed_too_early(list(installation.settings.gateways))
    return [
        *map(payments.describe_removed_gateway, removed),
        *payments.describe_closed_regies(list(installation.settings.regies)),
    ]


#: Number of faults shown; the `verify` command shows all of them.
_MOST = 5


def _tell() -> str:
    verify = resources.typed("verify")
    return f"Ne corrigez rien à la main. « {verify} » dit tout ; prévenez le régisseur."


def _migrate() -> str:
    return f"« {resources.typed('migrate')} »."
