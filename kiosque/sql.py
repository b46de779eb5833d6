"""Peewee writes each column of each query through five calls and as many copies of its settings:
a third of what a query costs. Here a column is written at once, to the same letters."""

from peewee import SCOPE_VALUES, Context, Field, FieldAlias


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
