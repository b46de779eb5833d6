"""The journal, and what its entries bring to each service of the town."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import UtcDateTimeField, WordField
from kiosque.db.models.base import BaseModel, NumberedModel
from kiosque.db.models.books import Deposit, MonthClosing
from kiosque.db.models.families import Service
from kiosque.db.models.invoices import Invoice
from kiosque.db.models.payments import Settlement
from kiosque.db.models.statements import Statement, StatementLine


class JournalEntry(BaseModel):
    """One line of the *journal des encaissements*; `journal.py` alone writes it.

    It is about one thing: a payment, the first statement of an account (its balance before), a
    line of a statement, a deposit, or a month closed, whose entry moves nothing. `corrects` is the
    number of the entry that it undoes. The hash covers what `version` says.
    """

    number = IntegerField(primary_key=True)
    at = UtcDateTimeField()
    regie = TextField()
    settlement = ForeignKeyField(Settlement, null=True)
    settlement_id: int | None
    statement = ForeignKeyField(Statement, null=True)
    statement_id: int | None
    line = ForeignKeyField(StatementLine, null=True)
    line_id: int | None
    deposit = ForeignKeyField(Deposit, null=True)
    deposit_id: int | None
    closing = ForeignKeyField(MonthClosing, null=True)
    closing_id: int | None
    corrects = IntegerField(null=True)
    label = TextField()
    debit = TextField()
    credit = TextField()
    amount_cents = IntegerField()
    version = IntegerField()
    previous_hash = TextField()
    hash = TextField(unique=True)


class Revenue(NumberedModel):
    """Cents by which a payment pays one service of an invoice; below zero when they no longer do.

    `journal_number` is the last entry about that payment. `kind` is a `RevenueKind`.
    `revenues.py` alone writes it, where the journal is written.
    """

    entry = ForeignKeyField(JournalEntry, column_name="journal_number")
    journal_number: int
    settlement = ForeignKeyField(Settlement)
    settlement_id: int
    invoice = ForeignKeyField(Invoice)
    invoice_id: int
    service = ForeignKeyField(Service)
    service_id: int
    kind = WordField()
    amount_cents = IntegerField()


class DepositLine(NumberedModel):
    """The revenue that a deposit pays over, under the imputation in force when it was made."""

    deposit = ForeignKeyField(Deposit, backref="lines")
    deposit_id: int
    revenue = ForeignKeyField(Revenue, unique=True)
    revenue_id: int
    article = TextField()
    fonction = TextField()
    antenne = TextField()


class KeptBack(NumberedModel):
    """Revenue kept out of deposits until `ended_at`, and why."""

    revenue = ForeignKeyField(Revenue)
    revenue_id: int
    noted_at = UtcDateTimeField()
    author = TextField()
    reason = TextField()
    ended_at = UtcDateTimeField(null=True)
