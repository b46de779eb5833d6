"""Peewee writes each column of each query through five calls and as many copies of its settings:
a third of what a query costs. Here a column is written at once, to the same letters. A query may
have places for values that are not there yet. And the words of our own that a query compares with,
such as the state of an invoice, are part of its text: of a value that is bound, the base cannot
know whether an index of some rows only (`WHERE state = 'open'`) holds those that are asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from peewee import SCOPE_VALUES, Context, Field, FieldAlias


@dataclass(frozen=True)
class Place:
    """Stands in a query for a value that has a name; `keep` is how its column keeps one."""

    name: str
    keep: Callable[[Any], object] | None = None


class QuickContext(Context):
    """What Peewee writes SQL into; quicker for the columns of tables under no name of ours."""

    __slots__ = ()

    def sql(self, obj: object) -> Context:
        if not isinstance(obj, Field) or isinstance(obj, FieldAlias):
            written: Context = super().sql(obj)  # type: ignore[no-untyped-call]
            return written
        opening, closing = self.state.quote
        name = f"{opening}{obj.column_name}{closing}"
        if self.state.scope == SCOPE_VALUES:
            self.literal(name)
        else:
            alias = self.alias_manager[obj.model._meta.table]  # noqa: SLF001  # Peewee's own door
            self.literal(f"{opening}{alias}{closing}.{name}")
        return self

    def value(self, value: object, converter: Any = None, add_param: bool = True) -> Context:
        """What is bound where a value stands. Of a place, how its column keeps one is found as
        Peewee finds it (None for that of the column beside it, False for none), and kept. A truth
        or a word of ours is not bound but written: nobody outside chooses its letters."""
        if isinstance(value, bool):
            return self._written(str(int(value)))
        if isinstance(value, StrEnum) and value.isidentifier():
            return self._written(f"'{value}'")
        if isinstance(value, Place):
            found = self.state.converter if converter is None else converter
            value, converter = Place(value.name, found or None), False
        written: Context = super().value(value, converter, add_param)
        return written

    def _written(self, text: str) -> Context:
        written: Context = self.literal(text)
        return written
