"""The books of the month: where revenue goes in the town's accounts, what is paid over, what is
closed."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import DateField, PdfField, UtcDateTimeField
from kiosque.db.models.base import NumberedModel
from kiosque.db.models.families import Service
from kiosque.db.models.payments import Anomaly


class Imputation(NumberedModel):
    """Where a service's revenue goes in the town's accounts, for one *régie*, from a day: article,
    *fonction*, and *antenne* where the town has some."""

    regie = TextField()
    service = ForeignKeyField(Service)
    service_id: int
    valid_from = DateField()
    article = TextField()
    fonction = TextField()
    antenne = TextField()
    noted_at = UtcDateTimeField()
    author = TextField()

    class Meta:
        indexes = ((("regie", "service", "valid_from"), True),)


class Deposit(NumberedModel):
    """A final *bordereau de versement*: what a *régie* pays over to the *comptable*, out of all
    that was collected up to the entry `up_to` of the journal.

    It is numbered without gaps by *régie* and year. `content` is what its PDF says, as JSON; `pdf`
    is the PDF itself, empty for deposits made before it was kept; `pdf_sha256` proves it.
    """

    regie = TextField()
    year = IntegerField()
    number = IntegerField()
    up_to = IntegerField()
    amount_cents = IntegerField()
    made_at = UtcDateTimeField()
    author = TextField()
    pdf_sha256 = TextField()
    content = TextField()
    pdf = PdfField(default=b"")

    class Meta:
        indexes = ((("regie", "year", "number"), True),)


class DepositAnswer(NumberedModel):
    """The *comptable*'s acknowledgement of a deposit: its day, and the number he gave it (P503,
    *titre*)."""

    deposit = ForeignKeyField(Deposit, unique=True, backref="answers")
    deposit_id: int
    answered_on = DateField()
    reference = TextField()
    noted_at = UtcDateTimeField()
    author = TextField()


class MonthClosing(NumberedModel):
    """A closed month of a *régie* (`2026-10`): nothing new may be dated in it.

    `up_to` and `last_hash` are of the journal's last entry of the month; `balances`, as JSON, what
    the *régie*'s accounts held after it, in cents; `gap_cents`, what the bank's statement says more
    than the books, unexplained but for `gap_reason`. `content` is what its papers say, as JSON.
    """

    regie = TextField()
    month = TextField()
    up_to = IntegerField()
    last_hash = TextField()
    balances = TextField()
    gap_cents = IntegerField()
    gap_reason = TextField()
    closed_at = UtcDateTimeField()
    author = TextField()
    content = TextField()

    class Meta:
        indexes = ((("regie", "month"), True),)


class CarriedAnomaly(NumberedModel):
    """An anomaly that was still open when a month was closed, and why that was accepted."""

    anomaly = ForeignKeyField(Anomaly)
    anomaly_id: int
    month = TextField()
    reason = TextField()
    noted_at = UtcDateTimeField()
    author = TextField()

    class Meta:
        indexes = ((("anomaly", "month"), True),)
