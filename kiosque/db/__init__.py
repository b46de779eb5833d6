"""The database: its tables, its migrations, and the one way to write to it.

It may import `settings` and `language`. The way in: `write()` for a change, `models` for the
tables, `schema` for the migrations. What differs between SQLite and PostgreSQL is in the modules
of these names.
"""

from peewee import DataError, IntegrityError, InternalError, ProgrammingError

from kiosque.db.failures import is_full, why
from kiosque.db.schema import (
    MIGRATIONS,
    NewerDatabase,
    applied_migrations,
    created_at,
    fault,
    migrate,
    pending_migrations,
    require_known,
    unknown_migrations,
)
from kiosque.db.transactions import (
    configure,
    connection,
    database,
    elsewhere,
    execute_many,
    release,
    require_no_write,
    require_write,
    write,
)

#: Faults of our own queries, not of the database: asking again later would not help.
OUR_FAULTS = (DataError, IntegrityError, InternalError, ProgrammingError)

__all__ = [
    "MIGRATIONS",
    "OUR_FAULTS",
    "NewerDatabase",
    "applied_migrations",
    "configure",
    "connection",
    "created_at",
    "database",
    "elsewhere",
    "execute_many",
    "fault",
    "is_full",
    "migrate",
    "pending_migrations",
    "release",
    "require_known",
    "require_no_write",
    "require_write",
    "unknown_migrations",
    "why",
    "write",
]
