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

from kiosque.db import database
from kiosque.db.sql import Place

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
        base = database.obj  # each look through its proxy is a search
        written = self._for(base)
        found: list[Row] = base.execute_sql(written.sql, written.bind(values)).fetchall()
        return [written.read(row) for row in found]

    def models(self, **values: object) -> list[Any]:
        """The same, as models: for a query that selects whole rows of one."""
        model = self._for(database.obj).model
        return [as_read(model, row) for row in self.rows(**values)]

    def change(self, **values: object) -> int:
        """Carry out an UPDATE. Returns how many rows it changed."""
        base = database.obj
        written = self._for(base)
        changed: int = base.rows_affected(base.execute_sql(written.sql, written.bind(values)))
        return changed

    def _for(self, base: Any) -> "_Written":
        # Each kind of base marks the places in its own way.
        found = self._written.get(base.param)
        if found is None:
            places = {name: Place(name) for name in signature(self._build).parameters}
            found = self._written[base.param] = _Written(self._build(**places))
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
    base, given = database.obj, row.__data__
    key = model._meta.primary_key.name  # noqa: SLF001
    if given.get(key, 0) is None:
        given = {name: value for name, value in given.items() if name != key}
    statement, keepers = _insert(model, tuple(given), base.param, unless_known=unless_known)
    bound = [
        keep(value) if keep else value for keep, value in zip(keepers, given.values(), strict=True)
    ]
    found = base.execute_sql(statement, bound).fetchall()
    if found:
        row._pk = found[0][0]  # noqa: SLF001  # Peewee's own door
        row._dirty.clear()  # noqa: SLF001
    return bool(found)


@cache
def _insert(
    model: Any, names: tuple[str, ...], mark: str, *, unless_known: bool
) -> "tuple[str, list[Callable[[Any], object] | None]]":
    """The statement, and how each column keeps its value; None for one kept as it is."""
    fields, table = columns(model), model._meta  # noqa: SLF001
    key: Any = table.primary_key
    places = ", ".join(f'"{fields[name].column_name}"' for name in names)
    marks = ", ".join([mark] * len(names))
    known = " ON CONFLICT DO NOTHING" if unless_known else ""
    statement = (
        f'INSERT INTO "{table.table_name}" ({places}) VALUES ({marks}){known}'  # noqa: S608
        f' RETURNING "{key.column_name}"'
    )
    given = [fields[name] for name in names]
    return statement, [None if type(each) in _AS_KEPT else each.db_value for each in given]


def columns(model: type[Model]) -> "dict[str, Field[Any]]":
    """The columns of a table, by name, in order."""
    found: dict[str, Field[Any]] = model._meta.fields  # noqa: SLF001  # Peewee's own door
    return found


def as_read(model: type[AnyModel], row: Row) -> AnyModel:
    """The model of a row of all its table's columns, in order."""
    made: Any = model.__new__(model)
    # What Peewee's own `__init__` begins with, before it looks at what it is given.
    made.__data__ = dict(zip(columns(model), row, strict=True))
    made.__rel__ = {}
    made._dirty = set()  # noqa: SLF001
    found: AnyModel = made
    return found


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
