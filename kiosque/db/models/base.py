"""The parents of all models."""

from peewee import AutoField, Model

from kiosque.db.transactions import database


class BaseModel(Model):
    class Meta:
        database = database
        legacy_table_names = False


class NumberedModel(BaseModel):
    """A table whose rows have a number given by the database."""

    id = AutoField()
