"""Who does a chore that one process at a time may do."""

from peewee import TextField

from kiosque.db.fields import UtcDateTimeField
from kiosque.db.models.base import BaseModel


class Lease(BaseModel):
    """Who does a chore that one process at a time may do, until when, and when it was last done
    to its end."""

    name = TextField(primary_key=True)
    holder = TextField()
    expires_at = UtcDateTimeField()
    started_at = UtcDateTimeField()
    finished_at = UtcDateTimeField(null=True)
