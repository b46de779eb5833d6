"""Requests of families to the town's service."""

from peewee import ForeignKeyField, TextField

from kiosque.db.fields import UtcDateTimeField, WordField
from kiosque.db.models.base import NumberedModel
from kiosque.db.models.families import Family
from kiosque.db.models.invoices import Invoice
from kiosque.db.states import RequestState


class FamilyRequest(NumberedModel):
    """A change of its record that a family asks for, or an error that it sees on an `invoice`.

    `message` is the family's own text. Nothing else changes by it. `answered_by` is the agent who
    answered; `applied`, as JSON, what the answer changed of the record, empty for nothing.
    """

    family = ForeignKeyField(Family)
    family_id: int
    invoice = ForeignKeyField(Invoice, null=True)
    invoice_id: int | None
    topic = TextField()
    message = TextField()
    state = WordField(default=RequestState.OPEN)
    asked_at = UtcDateTimeField()
    answer = TextField(default="")
    answered_at = UtcDateTimeField(null=True)
    answered_by = TextField(default="")
    applied = TextField(default="")
