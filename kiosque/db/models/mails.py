"""E-mail to send, and what families were told."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import UtcDateTimeField, WordField
from kiosque.db.models.base import NumberedModel
from kiosque.db.models.families import Family
from kiosque.db.models.invoices import Invoice
from kiosque.db.states import MailState


class OutboxMail(NumberedModel):
    """An e-mail to send, queued in the transaction that made it necessary.

    It is rendered when it leaves, from `template` and `object_id`, so that no text of it lies
    here; `recipient` is erased once it has left. A unique `key` keeps a mail from being queued
    twice. `last_error` is the last failure in a word or a code, never an address.
    """

    key = TextField(unique=True)
    template = TextField()
    object_id = IntegerField()
    recipient = TextField()
    queued_at = UtcDateTimeField()
    next_try_at = UtcDateTimeField()
    tries = IntegerField(default=0)
    state = WordField(default=MailState.WAITING)
    sent_at = UtcDateTimeField(null=True)
    last_error = TextField(default="")


class FamilyNotice(NumberedModel):
    """A mail that tells a family of some of its invoices, whatever the number of parents that
    receive it."""

    kind = TextField()
    family = ForeignKeyField(Family)
    family_id: int
    made_at = UtcDateTimeField()


class FamilyNoticeItem(NumberedModel):
    """An invoice of a notice. The database holds at most one of a kind an invoice: no family is
    told the same thing twice."""

    notice = ForeignKeyField(FamilyNotice, backref="items")
    notice_id: int
    invoice = ForeignKeyField(Invoice)
    invoice_id: int
    kind = TextField()

    class Meta:
        indexes = ((("invoice", "kind"), True),)
