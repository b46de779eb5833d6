"""The leases of the chores that one process at a time may do."""

from peewee import TextField

from kiosque.db.fields import UtcDateTimeField
from kiosque.db.models.base import BaseModel


class Lease(BaseModel):
    """A chore that one process at a time may do: `holder` does it, until `expires_at` at most;
    `finished_at` is when it was last done to its end."""

    name = TextField(primary_key=True)
    holder = TextField()
    expires_at = UtcDateTimeField()
    started_at = UtcDateTimeField()
    finished_at = UtcDateTimeField(null=True)
