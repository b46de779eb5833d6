"""Copy a town's SQLite database to PostgreSQL: everything, or nothing at all.

The file is locked against writers meanwhile, and only read. On the other side one transaction
makes the tables, fills them, and compares them with the file, row by row; any difference undoes
it all. The command is in `database.py`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from peewee import sort_models  # type: ignore[attr-defined]  # absent from the stubs

from kiosque import db, resources
from kiosque.db import database, models
from kiosque.payments import journal

#: How long to wait for the file, should the site still write to it.
PATIENCE_MILLISECONDS = 2000

Rows = Iterable[Sequence[Any]]


class CannotMove(Exception):
    """Nothing was moved; the text says why, in French."""


@dataclass(frozen=True)
class CopiedTable:
    """One table as copied: its number of rows, and the sum of each column of money, in cents."""

    name: str
    count: int
    cents: dict[str, int]


@dataclass(frozen=True)
class Moved:
    """The tables copied, and the last journal entry: its number and its fingerprint."""

    tables: list[CopiedTable]
    last_entry: tuple[int, str]


def move(source: Path, target: str, *, durable: bool, progress: Callable[[str], None]) -> Moved:
    """Copy the SQLite file `source` into the empty PostgreSQL database at the address `target`.

    Call `progress` with each table's name. Raises CannotMove, ConfigError for an address that
    makes no sense, OperationalError when a database does not answer; nothing has then changed.
    """
    with _held(source) as file:
        db.configure(target, durable=durable)
        with db.connection(), db.write():
            _require_empty()
            # Lift the site's limits: nobody else works there, and a large table takes long.
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                database.execute_sql(f"SET LOCAL {limit} = 0")
            db.migrate()
            tables = []
            for name in _names():
                progress(name)
                _copy(file, name)
                tables.append(_compare(file, name))
            database.number_on(dict(file.execute("SELECT name, seq FROM sqlite_sequence")))
            last = _last_entry(file)
            if journal.last() != last:
                raise CannotMove("La dernière écriture du journal n’est pas la même.")
        return Moved(tables, last)


@contextmanager
def _held(source: Path) -> Iterator[apsw.Connection]:
    """Open the file, locked against writers until the end of the block. Raises CannotMove."""
    if not source.is_file():
        raise CannotMove(f"{source} : aucune base SQLite ici.")
    file = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        file.set_busy_timeout(PATIENCE_MILLISECONDS)
        file.execute("BEGIN IMMEDIATE")
        _require_up_to_date(file)
        yield file
    except apsw.BusyError:
        raise CannotMove(
            f"{source} : une écriture est en cours. Arrêtez d’abord le site et ses minuteries."
        ) from None
    except (apsw.NotADBError, apsw.CorruptError, apsw.CantOpenError, apsw.ReadOnlyError) as error:
        raise CannotMove(f"{source} : base illisible ({db.why(error)}).") from None
    finally:
        file.close()


def _require_up_to_date(file: apsw.Connection) -> None:
    applied: set[Any] = set()
    if file.execute("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migration'").fetchall():
        applied = {name for (name,) in file.execute("SELECT name FROM schema_migration")}
    if applied != {path.stem for path in db.MIGRATIONS.glob("[0-9]*.py")}:
        raise CannotMove(
            "La base SQLite n’est pas de cette version : lancez d’abord "
            f"« {resources.typed('migrate')} »."
        )


def _require_empty() -> None:
    for name in database.get_tables():
        held = database.execute_sql(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()  # noqa: S608
        if held and name != "schema_migration":
            raise CannotMove(f"La base d’arrivée n’est pas vide : {name} contient des lignes.")


def _names() -> list[str]:
    """Return the name of every table, those that others refer to first."""
    found = [
        model
        for model in vars(models).values()
        if isinstance(model, type)
        and issubclass(model, models.BaseModel)
        and model not in (models.BaseModel, models.NumberedModel)
    ]
    return [model._meta.table_name for model in sort_models(found)]  # noqa: SLF001  # Peewee's own


def _columns(file: apsw.Connection, table: str) -> list[str]:
    return [row[1] for row in file.execute(f'PRAGMA table_info("{table}")')]


def _select(columns: Sequence[str], table: str) -> str:
    """Return the query for all rows, ordered by the key, which is the first column."""
    names = ", ".join(f'"{column}"' for column in columns)
    return f'SELECT {names} FROM "{table}" ORDER BY "{columns[0]}"'  # noqa: S608  # names of ours


def _copy(file: apsw.Connection, table: str) -> None:
    columns = _columns(file, table)
    database.copy_in(table, columns, file.execute(_select(columns, table)))


def _compare(file: apsw.Connection, table: str) -> CopiedTable:
    """Describe a table that both databases hold alike, to the last letter. Raises CannotMove."""
    columns = _columns(file, table)
    select = _select(columns, table)
    before, after = (
        _described(table, columns, rows)
        for rows in (file.execute(select), database.execute_sql(select))
    )
    if before != after:
        raise CannotMove(f"{table} : ce qui est arrivé n’est pas ce qui est parti.")
    return before[0]


def _described(table: str, columns: Sequence[str], rows: Rows) -> tuple[CopiedTable, str]:
    """Return the table's description and a digest of all its rows."""
    digest, count = hashlib.sha256(), 0
    cents = {column: 0 for column in columns if column.endswith("_cents")}
    for row in rows:
        count += 1
        digest.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
        for column, value in zip(columns, row, strict=True):
            if column in cents:
                cents[column] += value
    return CopiedTable(table, count, cents), digest.hexdigest()


def _last_entry(file: apsw.Connection) -> tuple[int, str]:
    rows = file.execute("SELECT number, hash FROM journal_entry ORDER BY number DESC LIMIT 1")
    return next(iter([(row[0], row[1]) for row in rows]), (0, journal.GENESIS))
