"""The schema of the database in force: its migrations, and what keeps it from serving."""

from datetime import UTC, datetime
from pathlib import Path

from peewee import DatabaseError
from playhouse.migrations import Runner

from kiosque.db import write_lock
from kiosque.db.transactions import database
from kiosque.version import VERSION

MIGRATIONS = Path(__file__).parent / "migrations"


class NewerDatabase(Exception):
    """A later version has changed the tables: this one would misread them. The text says in French
    what to do."""


def migrate(target: str | None = None) -> list[str]:
    """Apply the migrations not yet applied, up to `target` when given, each in its own transaction.
    Returns their names. Raises NewerDatabase."""
    with database.alone(write_lock.PATIENCE_SECONDS):
        require_known()
        names: list[str] = _runner().up(target)
    return names


def created_at() -> datetime | None:
    """Return when the first migration was applied; None if none was."""
    applied = _runner().applied().values()
    # The runner keeps them by this machine's clock, without a zone.
    return min(applied).astimezone(UTC) if applied else None


def pending_migrations() -> list[str]:
    return [step.name for step in _runner().status() if step.applied is None]


def unknown_migrations() -> list[str]:
    """Return the migrations applied to the database that this version does not have."""
    return [step.name for step in _runner().status() if step.path is None]


def require_known() -> None:
    """Raise NewerDatabase where a later version has changed the tables."""
    if unknown := unknown_migrations():
        raise NewerDatabase(
            f"La base est d’une version plus récente que ce programme (Kiosque Famille {VERSION} "
            f"ne connaît pas {unknown[-1]})\u00a0: remettez en service la version qui l’a mise à "
            "jour, ou restaurez la sauvegarde faite avant."
        )


def applied_migrations() -> list[str]:
    """Return the names of the migrations that made the database what it is."""
    return sorted(_runner().applied())


def _runner() -> Runner:
    runner = Runner(database.obj, str(MIGRATIONS), table_name="schema_migration")
    runner.database = database.schema_editor()
    return runner


def fault() -> str:
    """Say what keeps the database from serving, in French; empty when nothing does."""
    try:
        database.execute_sql("SELECT 1 FROM invoice LIMIT 1")
        if unknown_migrations():
            return "base plus récente que le site"
        if pending_migrations():
            return "migrations en attente"
        reason: str = database.fault()
    except DatabaseError:
        return "base illisible"
    return reason
