"""What every table has in common."""

from peewee import AutoField, Model

from kiosque.db.transactions import database


class Base(Model):
    class Meta:
        database = database
        legacy_table_names = False


class Table(Base):
    id = AutoField()
