"""The database's own facts: its environment, its restorations, what the town hall set."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import UtcDateTimeField
from kiosque.db.models.base import BaseModel, NumberedModel


class Deployment(NumberedModel):
    """The one row that says which `environment` the database belongs to, from its first day."""

    environment = TextField()
    noted_at = UtcDateTimeField()


class OfficeSetting(BaseModel):
    """A setting that the town hall changed, over the one of the file. `name` is its full name
    (`town.phone`), `value` its value as JSON, `changed_by` the agent's address."""

    name = TextField(primary_key=True)
    value = TextField()
    changed_at = UtcDateTimeField()
    changed_by = TextField()


class Restoration(NumberedModel):
    """A restoration of the database from a backup made at `backup_at`: what was recorded between
    `backup_at` and `restored_at` is lost."""

    backup_at = UtcDateTimeField()
    restored_at = UtcDateTimeField()


class ReceiptGap(NumberedModel):
    """Numbers of receipts, `first` to `last` of a sequence, that may have been given in the time
    that a restoration lost: they are never given again."""

    restoration = ForeignKeyField(Restoration)
    sequence = TextField()
    first = IntegerField()
    last = IntegerField()


class DepositGap(NumberedModel):
    """Deposits of a *régie* and a year that a restoration may have lost. `first` is the number
    after the last one known; `last` is None until a person gives it, below `first` if none was
    lost."""

    restoration = ForeignKeyField(Restoration)
    regie = TextField()
    year = IntegerField()
    first = IntegerField()
    last = IntegerField(null=True)
    noted_at = UtcDateTimeField(null=True)
    author = TextField(default="")

    class Meta:
        indexes = ((("restoration", "regie", "year"), True),)
