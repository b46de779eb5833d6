"""Queries whose SQL is written once, for the page that every family opens and for a bank's message.

Peewee takes longer to write the SQL of such a query than the database takes to answer it. Every
other query is plain Peewee.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

from peewee import (
    AutoField,
    Field,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
    Value,
)

from kiosque.db.transactions import database

Row = Sequence[Any]

_READ_AS_STORED = (AutoField, ForeignKeyField, IntegerField, TextField)


class PreparedQuery:
    """A query to keep as a constant, and to run with other values each time.

    `build` returns the Peewee query. Each of its parameters stands for a value, which each run
    gives under the parameter's name: a text, an integer, a boolean, a date, an aware datetime, the
    id of a row, or None to set a column to NULL. The value does not pass by the column's
    `db_value`.
    """

    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build
        self._written: dict[str, _Written] = {}

    def rows(self, **values: object) -> list[Row]:
        """Return the rows of a SELECT, each column as its field reads it."""
        written = self._for_database()
        cursor = database.execute_sql(written.sql, written.bind(values))
        return [written.read(row) for row in cursor.fetchall()]

    def models(self, **values: object) -> list[Any]:
        """Return the rows of a SELECT of all the columns of one table, as its model."""
        written = self._for_database()
        names = [column.name for column in written.columns]
        return [written.model(**dict(zip(names, row, strict=True))) for row in self.rows(**values)]

    def execute(self, **values: object) -> int:
        """Run an UPDATE or a DELETE. Return how many rows it changed."""
        written = self._for_database()
        cursor = database.execute_sql(written.sql, written.bind(values))
        changed: int = database.rows_affected(cursor)
        return changed

    def _for_database(self) -> "_Written":
        mark = database.param  # SQLite and PostgreSQL mark a place in different ways
        if mark not in self._written:
            places = {name: place(name) for name in signature(self._build).parameters}
            self._written[mark] = _Written(self._build(**places))
        return self._written[mark]


class PreparedInsert:
    """The INSERT of whole rows of one table, to keep as a constant.

    With `unless_known`, a row that would break a unique constraint is left out.
    """

    def __init__(self, model: type[Model], *, unless_known: bool = False) -> None:
        fields = model._meta.sorted_fields  # noqa: SLF001
        self._fields = [each for each in fields if not isinstance(each, AutoField)]
        self._key: Any = model._meta.primary_key  # noqa: SLF001
        insert = model.insert({each: place(each.name) for each in self._fields})
        if unless_known:
            insert = insert.on_conflict("NOTHING")
        self._query = PreparedQuery(lambda: insert.returning(self._key))

    def add(self, row: Model) -> bool:
        """Insert the row, and give it its number. Return False when it was left out."""
        values = {each.name: getattr(row, each.safe_name) for each in self._fields}
        found = self._query.rows(**values)
        if found:
            setattr(row, self._key.name, found[0][0])
        return bool(found)


@dataclass(frozen=True)
class _Place:
    name: str


def place(name: str) -> Value:
    """Return a placeholder to put in a query, for the value that each run gives by this name."""
    return Value(_Place(name), converter=False)


class _Written:
    """A query in SQL, what to bind to it, and how to read its columns."""

    def __init__(self, query: Any) -> None:
        self.sql: str
        self.sql, self._bound = query.sql()
        self.model: type[Model] = query.model
        self.columns: list[Any] = list(getattr(query, "selected_columns", ()))
        self._readers: list[tuple[int, Callable[[Any], Any]]] = [
            (number, column.python_value)
            for number, column in enumerate(self.columns)
            if isinstance(column, Field) and not isinstance(column, _READ_AS_STORED)
        ]

    def bind(self, values: Mapping[str, object]) -> list[object]:
        return [values[each.name] if isinstance(each, _Place) else each for each in self._bound]

    def read(self, row: Row) -> Row:
        found = list(row)
        for number, reader in self._readers:
            found[number] = reader(found[number])
        return found
