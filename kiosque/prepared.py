"""Queries whose SQL is worked out once: for the page that every family opens, and for what a
bank's notice does. Building a query costs Peewee more than answering it costs the base."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any, TypeVar

from peewee import (
    AutoField,
    DateField,
    Field,
    ForeignKeyField,
    IntegerField,
    Model,
    Select,
    TextField,
    Value,
)

from kiosque.database import db

Row = Sequence[Any]
AnyModel = TypeVar("AnyModel", bound=Model)


class Prepared:
    """A query with places for its values, as Peewee writes it for the base in use.

    `build` makes it, given by name what stands for each value; `fields` say how each value goes
    into the base.
    """

    def __init__(self, build: Callable[..., Select], **fields: "Field[Any]") -> None:
        self._build = build
        self._fields = fields
        self._written: dict[str, _Written] = {}

    def rows(self, **values: object) -> list[Row]:
        """What the base answers, as the models have it."""
        # Each kind of base marks the places in its own way.
        written = self._written.get(db.param) or self._write()
        given = {name: self._fields[name].db_value(value) for name, value in values.items()}
        bound = [given[each.name] if type(each) is _Place else each for each in written.bound]
        found: list[Row] = db.execute_sql(written.sql, bound).fetchall()
        return [written.read(row) for row in found]

    def models(self, **values: object) -> list[Any]:
        """The same, as models: for a query that selects whole rows of one."""
        rows = self.rows(**values)
        return [as_read(self._written[db.param].model, row) for row in rows]

    def _write(self) -> "_Written":
        places = {name: Value(_Place(name), converter=False) for name in self._fields}
        query: Any = self._build(**places)
        sql, bound = query.sql()
        written = _Written(sql, bound, query.model, query.selected_columns)
        self._written[db.param] = written
        return written


def insert(row: Any, *, unless_known: bool = False) -> bool:
    """Put a new row into its table, and the number that the base gives into the row, by SQL that
    is written once a table. With `unless_known`, one that a unique constraint says is there
    already is left out: False then."""
    model: Any = type(row)
    fields, key = columns(model), model._meta.primary_key.name  # noqa: SLF001
    given = {name: value for name, value in row.__data__.items() if (name, value) != (key, None)}
    statement = _insert(model, tuple(given), db.param, unless_known=unless_known)
    bound = [fields[name].db_value(value) for name, value in given.items()]
    found = db.execute_sql(statement, bound).fetchall()
    if found:
        row._pk = found[0][0]  # noqa: SLF001  # Peewee's own door
        row._dirty.clear()  # noqa: SLF001
    return bool(found)


@cache
def _insert(model: Any, names: tuple[str, ...], mark: str, *, unless_known: bool) -> str:
    fields, table = columns(model), model._meta  # noqa: SLF001
    key: Any = table.primary_key
    places = ", ".join(f'"{fields[name].column_name}"' for name in names)
    marks = ", ".join([mark] * len(names))
    known = " ON CONFLICT DO NOTHING" if unless_known else ""
    return (
        f'INSERT INTO "{table.table_name}" ({places}) VALUES ({marks}){known}'  # noqa: S608
        f' RETURNING "{key.column_name}"'
    )


def columns(model: type[Model]) -> "dict[str, Field[Any]]":
    """The columns of a table, by name, in order."""
    found: dict[str, Field[Any]] = model._meta.fields  # noqa: SLF001  # Peewee's own door
    return found


def as_read(model: type[AnyModel], row: Row) -> AnyModel:
    """The model of a row of all its table's columns, in order."""
    made = model(__no_default__=True)
    made.__data__.update(zip(columns(model), row, strict=True))
    return made


class _Place:
    """Stands for a value in a query that has none yet."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Written:
    """SQL, what is bound to it, and how to read the columns that the base keeps otherwise than
    the models do."""

    def __init__(
        self, sql: str, bound: list[Any], model: Any, columns: "Sequence[Field[Any]]"
    ) -> None:
        self.sql, self.bound, self.model = sql, bound, model
        self._readers = [
            (place, _date if type(column) is DateField else column.python_value)
            for place, column in enumerate(columns)
            if isinstance(column, Field) and type(column) not in _AS_KEPT
        ]

    def read(self, row: Row) -> Row:
        read = list(row)
        for place, reader in self._readers:
            if read[place] is not None:
                read[place] = reader(read[place])
        return read


def _date(value: str | date) -> date:
    """As Peewee, which tries several formats, would read it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


_AS_KEPT = {AutoField, ForeignKeyField, IntegerField, TextField}
