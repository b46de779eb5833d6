"""What every table has in common."""

from typing import Any, Self

from peewee import AutoField, Model

from kiosque.db.prepared import insert
from kiosque.db.transactions import database


class Base(Model):
    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def create(cls, **values: Any) -> Self:
        """A new row, put into its table: as Peewee's own, but for the time it takes."""
        row = cls(**values)
        insert(row)
        return row


class Table(Base):
    id = AutoField()
