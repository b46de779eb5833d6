"""The statements of the bank, and what explains each of their lines."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import DateField, UtcDateTimeField, WordField
from kiosque.db.models.base import NumberedModel
from kiosque.db.models.books import Deposit
from kiosque.db.models.payments import Repayment, Settlement
from kiosque.db.statement_words import LineState


class BankAccount(NumberedModel):
    """The account that a *régie*'s money comes to, by the number that its statements bear."""

    regie = TextField(unique=True)
    number = TextField(unique=True)
    noted_at = UtcDateTimeField()
    author = TextField()


class StatementFile(NumberedModel):
    """A file of the bank's or of the acquirer's; it cannot be loaded twice unless the load is
    undone. `kind` is a `FileKind`; `regies` lists, as JSON, the keys of the *régies* whose accounts
    it is of, and is empty for a file loaded before loads could be undone."""

    sha256 = TextField(unique=True)
    name = TextField()
    kind = TextField()
    loaded_at = UtcDateTimeField()
    author = TextField()
    regies = TextField(default="")
    undone_at = UtcDateTimeField(null=True)
    undone_by = TextField(default="")
    undo_reason = TextField(default="")


class Statement(NumberedModel):
    """The period of a *régie*'s account that one file covers: its balances before and after, in
    cents, and their days, if the file says them."""

    file = ForeignKeyField(StatementFile, backref="statements")
    file_id: int
    regie = TextField()
    opened_on = DateField(null=True)
    opening_cents = IntegerField(null=True)
    closed_on = DateField(null=True)
    closing_cents = IntegerField(null=True)


class StatementLine(NumberedModel):
    """One movement of the account; a credit is above zero. `occurrence` numbers identical movements
    from 1. It is `matched` when its matches in force add up to it."""

    statement = ForeignKeyField(Statement, backref="lines")
    statement_id: int
    regie = TextField()
    booked_on = DateField()
    value_on = DateField(null=True)
    amount_cents = IntegerField()
    label = TextField()
    reference = TextField()
    occurrence = IntegerField()
    state = WordField(default=LineState.OPEN)

    class Meta:
        indexes = (
            (("regie", "booked_on", "amount_cents", "label", "reference", "occurrence"), True),
        )


class ToldLine(NumberedModel):
    """A line of a statement's first or last day, which it covers only in part, when other files had
    brought lines of that day. These rows are all that the statement tells of that day."""

    statement = ForeignKeyField(Statement)
    statement_id: int
    line = ForeignKeyField(StatementLine)
    line_id: int


class BankOperation(NumberedModel):
    """A card operation of the acquirer's file; a refund is below zero. `paid_on` is the bank's UTC
    day; `fee_cents` is what the bank kept, if the file says so; `remitted_on` and `remittance` name
    the remittance that included it. It belongs to a payment, a repayment, or nothing known here."""

    file = ForeignKeyField(StatementFile, backref="operations")
    file_id: int
    gateway = TextField()
    paid_on = DateField()
    transaction_id = TextField()
    order_reference = TextField()
    amount_cents = IntegerField()
    fee_cents = IntegerField(null=True)
    remitted_on = DateField(null=True)
    remittance = TextField()
    occurrence = IntegerField()
    settlement = ForeignKeyField(Settlement, null=True)
    settlement_id: int | None
    repayment = ForeignKeyField(Repayment, null=True)
    repayment_id: int | None

    class Meta:
        indexes = (
            (
                (
                    "gateway",
                    "paid_on",
                    "transaction_id",
                    "amount_cents",
                    "remittance",
                    "occurrence",
                ),
                True,
            ),
        )


class ToldOperation(NumberedModel):
    """An operation that this file tells again after another one; and its columns before that."""

    file = ForeignKeyField(StatementFile)
    file_id: int
    operation = ForeignKeyField(BankOperation)
    operation_id: int
    order_reference = TextField()
    fee_cents = IntegerField(null=True)
    remitted_on = DateField(null=True)
    remittance = TextField()


class LineMatch(NumberedModel):
    """An explanation of a line of a statement, or of a part of it: a payment, a repayment, a
    deposit paid over, fees, or something else. In force until `undone_at`. `kind` is a `MatchKind`;
    `rule`, a `MatchRule`, says how it was found."""

    line = ForeignKeyField(StatementLine, backref="matches")
    line_id: int
    kind = WordField()
    settlement = ForeignKeyField(Settlement, null=True)
    settlement_id: int | None
    repayment = ForeignKeyField(Repayment, null=True)
    repayment_id: int | None
    deposit = ForeignKeyField(Deposit, null=True)
    deposit_id: int | None
    amount_cents = IntegerField()
    rule = TextField()
    matched_at = UtcDateTimeField()
    author = TextField()
    reason = TextField()
    undone_at = UtcDateTimeField(null=True)
    undone_by = TextField(default="")
    undo_reason = TextField(default="")
