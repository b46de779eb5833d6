"""Queries whose SQL is worked out once: for the page that every family opens, and for what a
bank's notice does. Building a query costs Peewee more than answering it costs the base."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from inspect import signature
from types import CodeType
from typing import Any, TypeVar

from peewee import (
    AutoField,
    DateField,
    Field,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from kiosque.database import db
from kiosque.sql import Place

Row = Sequence[Any]
AnyModel = TypeVar("AnyModel", bound=Model)


class Prepared:
    """A query with places for its values, as Peewee writes it for the base in use.

    `build` makes it; each of its parameters stands for the value that is given by that name.
    """

    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build
        self._written: dict[str, _Written] = {}

    def rows(self, **values: object) -> list[Row]:
        """What the base answers, as the models have it."""
        written = self._for_this_base()
        found: list[Row] = db.execute_sql(written.sql, written.bind(values)).fetchall()
        return [written.read(row) for row in found]

    def models(self, **values: object) -> list[Any]:
        """The same, as models: for a query that selects whole rows of one."""
        model = self._for_this_base().model
        return [as_read(model, row) for row in self.rows(**values)]

    def change(self, **values: object) -> int:
        """Carry out an UPDATE. Returns how many rows it changed."""
        written = self._for_this_base()
        done = db.execute_sql(written.sql, written.bind(values))
        changed: int = db.rows_affected(done)
        return changed

    def _for_this_base(self) -> "_Written":
        # Each kind of base marks the places in its own way.
        found = self._written.get(db.param)
        if found is None:
            places = {name: Place(name) for name in signature(self._build).parameters}
            found = self._written[db.param] = _Written(self._build(**places))
        return found


def change(build: Callable[..., Any], **values: object) -> int:
    """Carry out an UPDATE whose SQL is written once, where it stands: `build` is a lambda that
    makes it of parameters, and knows of nothing else around. A parameter may be set to None, not
    compared with it. Returns how many rows it changed."""
    if build.__closure__:
        raise TypeError("what changes from one time to the next is a parameter")
    # The lambda is made anew each time; its code is not.
    key = build.__module__, build.__code__
    if key not in _changes:
        _changes[key] = Prepared(build)
    return _changes[key].change(**values)


_changes: dict[tuple[str, CodeType], Prepared] = {}


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


class _Written:
    """SQL, what is bound to it, and how to read the columns that the base keeps otherwise than
    the models do."""

    def __init__(self, query: Any) -> None:
        self.sql: str
        self._bound: list[object]
        self.sql, self._bound = query.sql()
        self._places = [
            (number, each) for number, each in enumerate(self._bound) if isinstance(each, Place)
        ]
        self.model = query.model
        self._readers = [
            (place, _date if type(column) is DateField else column.python_value)
            for place, column in enumerate(getattr(query, "selected_columns", ()))
            if isinstance(column, Field) and type(column) not in _AS_KEPT
        ]

    def bind(self, values: Mapping[str, object]) -> list[object]:
        """What goes into each place."""
        bound = self._bound.copy()
        for number, place in self._places:
            value = values[place.name]
            bound[number] = place.keep(value) if place.keep else value
        return bound

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
