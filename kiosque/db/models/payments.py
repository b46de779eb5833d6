"""Payments, what banks said of them, and what the régisseur must look at."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import DateField, TruthField, UtcDateTimeField, WordField
from kiosque.db.models.base import NumberedModel
from kiosque.db.models.families import Family
from kiosque.db.models.invoices import ImportBatch, Invoice
from kiosque.language.formats import receipt_title


class Attempt(NumberedModel):
    """One way of a family to the bank, for one or several invoices at frozen amounts.

    `reference` is random: it is in the address the bank sends the payer back to. The bank knows the
    attempt by `day`, a UTC day, and `number` within it. While it is live, until `live_until`, no
    other attempt may take its invoices.

    `ask_at` is when to ask the bank about it next, None when there is nothing to ask or the bank
    cannot be asked. `asked_at` and `answered_at` are when the bank was last asked, and when it last
    answered; `unanswered` counts the questions in a row that it left without an answer. All its
    invoices are of one *régie*, `regie`.
    """

    reference = TextField(unique=True)
    family = ForeignKeyField(Family)
    family_id: int
    gateway = TextField()
    started_at = UtcDateTimeField()
    day = TextField()
    number = IntegerField()
    gateway_reference = TextField(null=True)
    amount_cents = IntegerField()
    state = WordField()
    live_until = UtcDateTimeField()
    receipt_email = TextField(null=True)
    ask_at = UtcDateTimeField(null=True)
    asked_at = UtcDateTimeField(null=True)
    answered_at = UtcDateTimeField(null=True)
    unanswered = IntegerField(default=0)
    regie = TextField(default="")

    class Meta:
        indexes = ((("gateway", "day", "number"), True), (("gateway", "gateway_reference"), True))


class AttemptItem(NumberedModel):
    """One invoice of an attempt. The database holds at most one live item an invoice."""

    attempt = ForeignKeyField(Attempt, backref="items")
    attempt_id: int
    invoice = ForeignKeyField(Invoice, backref="attempt_items")
    invoice_id: int
    amount_cents = IntegerField()
    live = TruthField(default=True)


class Fact(NumberedModel):
    """Something learnt about an attempt, once; the attempt's state is computed from them.

    `amount_cents` is the amount that the bank named, 0 if none. `parent_id` is the bank's name of
    the debit that a refund gives back, or that a cancellation of another amount undoes; empty if
    the bank did not say.
    """

    attempt = ForeignKeyField(Attempt, backref="facts")
    at = UtcDateTimeField()
    transaction_id = TextField(default="")
    state = WordField()
    status = TextField(default="")
    amount_cents = IntegerField(default=0)
    source = TextField()
    parent_id = TextField(default="")

    class Meta:
        indexes = ((("attempt", "transaction_id", "state", "status"), True),)


class Settlement(NumberedModel):
    """An *encaissement*: money received, by one bank transaction or at the counter.

    Its allocations add up to its amount. `returned_cents` is how much of it has left again: the sum
    of its completed repayments. `final_at` is when the bank said that it would no longer undo it by
    itself. Its family is None while nobody knows whose money it is: it pays nothing until then.
    What a credit note (*avoir*) pays is a settlement too, of the mode `CREDIT`: no money came.
    """

    attempt = ForeignKeyField(Attempt, null=True, backref="settlements")
    attempt_id: int | None
    family = ForeignKeyField(Family, null=True)
    family_id: int | None
    gateway = TextField(null=True)
    transaction_id = TextField(null=True)
    mode = TextField()
    amount_cents = IntegerField()
    settled_at = UtcDateTimeField()
    state = WordField()
    author = TextField(default="")
    reason = TextField(default="")
    authorisation = TextField(default="")
    card_brand = TextField(default="")
    card_last4 = TextField(default="")
    final_at = UtcDateTimeField(null=True)
    returned_cents = IntegerField(default=0)
    regie = TextField(default="")
    credit_note = ForeignKeyField(Invoice, null=True, column_name="credit_id")
    credit_id: int | None

    class Meta:
        indexes = ((("gateway", "transaction_id"), True),)

    @property
    def remaining_cents(self) -> int:
        return self.amount_cents - self.returned_cents


class Transmission(NumberedModel):
    """The handing over of an invoice to the Treasury, which collects it in place of the *régie*:
    the list that it was on, and the day. It is in force until `ended_at`, even once the Treasury is
    paid; the database allows one in force for each invoice.

    `journal_number` is the last entry of the journal before it. `batch` is the load whose file said
    that the Treasury had the invoice already, if one did.
    """

    invoice = ForeignKeyField(Invoice, backref="transmissions")
    invoice_id: int
    list_name = TextField()
    transmitted_on = DateField()
    noted_at = UtcDateTimeField()
    journal_number = IntegerField()
    batch = ForeignKeyField(ImportBatch, null=True)
    author = TextField()
    reason = TextField()
    ended_at = UtcDateTimeField(null=True)
    ended_by = TextField(default="")
    end_reason = TextField(default="")


class Repayment(NumberedModel):
    """Money of a settlement that leaves again, wholly or in part.

    We asked the bank for it, under a `key` that makes repeating the request harmless; or the bank
    told of it, under a `transaction_id` if it has one; or the régisseur entered it, with a name and
    a reason. `sent_at` is when the request was last sent to the bank.
    """

    settlement = ForeignKeyField(Settlement, backref="repayments")
    settlement_id: int
    kind = TextField()
    state = WordField()
    amount_cents = IntegerField()
    key = TextField(unique=True)
    gateway = TextField(null=True)
    transaction_id = TextField(null=True)
    asked_at = UtcDateTimeField()
    sent_at = UtcDateTimeField(null=True)
    done_at = UtcDateTimeField(null=True)
    author = TextField(default="")
    reason = TextField(default="")

    class Meta:
        indexes = ((("gateway", "transaction_id"), True),)


class Allocation(NumberedModel):
    """One part of a settlement: it pays an invoice, is a *trop-perçu*, or matches nothing.

    It no longer `counts` while the whole settlement has left again. When a human gave it another
    use than the one it came for, `author` and `reason` say who and why, and `came_for` is the id of
    the invoice for which it was a *trop-perçu*, None if it had matched nothing.
    """

    settlement = ForeignKeyField(Settlement, backref="allocations")
    invoice = ForeignKeyField(Invoice, null=True, backref="allocations")
    invoice_id: int | None
    kind = WordField()
    amount_cents = IntegerField()
    counts = TruthField(default=True)
    author = TextField(default="")
    reason = TextField(default="")
    came_for = IntegerField(null=True)


class Receipt(NumberedModel):
    """Proof of an online settlement, numbered without gaps in its sequence.

    `sequence` is the key of the *régie* whose sequence it is; empty for the first *régie*, which
    continues the sequence that all once shared. It keeps the names it was issued with; they are
    empty in receipts issued before names were kept.
    """

    number = IntegerField()
    sequence = TextField(default="")
    settlement = ForeignKeyField(Settlement, unique=True, backref="receipts")
    issued_at = UtcDateTimeField()
    town_name = TextField(default="")
    regie_name = TextField(default="")
    regisseur = TextField(default="")

    class Meta:
        indexes = ((("sequence", "number"), True),)

    @property
    def title(self) -> str:
        return receipt_title(self.number, self.sequence)


class PaymentExport(NumberedModel):
    """How far a software of the town, `consumer`, has received the payments of `regie`: up to the
    entry `reached` of the journal. Its last file began after the entry `former`."""

    consumer = TextField()
    regie = TextField()
    former = IntegerField()
    reached = IntegerField()
    exported_at = UtcDateTimeField()
    author = TextField()

    class Meta:
        indexes = ((("consumer", "regie"), True),)


class BankMessage(NumberedModel):
    """The audit of a message that a bank sent, or somebody in its name; without card data.

    `verdict` is a `Verdict`; `detail` tells in French of a mismatch or a rejection. `signing_key`,
    a `SigningKey`, is which of the town's two keys signed it; empty while the town has one.
    Unless `accepted`, a stranger may have written `fields`, and the row is erased with age.
    """

    received_at = UtcDateTimeField()
    gateway = TextField()
    accepted = TruthField()
    verdict = TextField()
    detail = TextField(default="")
    reference = TextField(default="")
    fields = TextField(default="")
    signing_key = TextField(null=True)


class MessageCount(NumberedModel):
    """The number of messages of one gateway that brought no news, by verdict and hour. They must be
    counted, since only the first ones of an hour get a `BankMessage`."""

    gateway = TextField()
    verdict = TextField()
    hour_at = UtcDateTimeField()
    messages = IntegerField()

    class Meta:
        indexes = ((("gateway", "verdict", "hour_at"), True),)


class BankClosure(NumberedModel):
    """A gateway that takes no new payment from `closed_at` to `until_at`, as `author` decided.
    Families read `sentence`, or a standard one if it is empty."""

    gateway = TextField(unique=True)
    sentence = TextField()
    closed_at = UtcDateTimeField()
    until_at = UtcDateTimeField()
    author = TextField()


class Anomaly(NumberedModel):
    """Something the régisseur must look at. A unique `key` keeps it from being listed twice.
    `gateway` and `transaction_id` name the bank's transaction that it is about, if there is one;
    `outcome`, an `AttemptState`, is what the bank said of it, empty if it said nothing."""

    key = TextField(unique=True)
    kind = TextField()
    noted_at = UtcDateTimeField()
    attempt = ForeignKeyField(Attempt, null=True)
    attempt_id: int | None
    settlement = ForeignKeyField(Settlement, null=True)
    invoice = ForeignKeyField(Invoice, null=True)
    amount_cents = IntegerField()
    detail = TextField()
    resolved_at = UtcDateTimeField(null=True)
    resolved_by = TextField(default="")
    resolution = TextField(default="")
    regie = TextField(default="")
    gateway = TextField(default="")
    transaction_id = TextField(default="")
    outcome = TextField(default="")
