"""The database's own facts: its environment, its restorations."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import UtcDateTimeField
from kiosque.db.models.base import NumberedModel


class Deployment(NumberedModel):
    """The one row that says of which `environment` the database is, from its first day."""

    environment = TextField()
    noted_at = UtcDateTimeField()


class Restoration(NumberedModel):
    """A time when the database was put back as it was at `backup_at`: what came between the two
    instants is lost."""

    backup_at = UtcDateTimeField()
    restored_at = UtcDateTimeField()


class ReceiptGap(NumberedModel):
    """Numbers of receipts, `first` to `last` of a sequence, that may have been given in the time
    that a restoration lost: they are never given again."""

    restoration = ForeignKeyField(Restoration)
    sequence = TextField()
    first = IntegerField()
    last = IntegerField()
