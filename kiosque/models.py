"""The tables, as Peewee reads them. Their constraints are in `migrations/`."""

from typing import Any, Self

from peewee import (
    AutoField,
    BooleanField,
    DateField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from kiosque.clock import today
from kiosque.database import UtcDateTimeField, db
from kiosque.prepared import insert
from kiosque.states import InvoiceState, MailState


class Base(Model):
    class Meta:
        database = db
        legacy_table_names = False

    @classmethod
    def create(cls, **values: Any) -> Self:
        """A new row, put into its table: as Peewee's own, but for the time it takes."""
        row = cls(**values)
        insert(row)
        return row


class Table(Base):
    id = AutoField()


class Family(Table):
    """One household. A child of separated parents is in two, which see nothing of each other.

    `digest` tells whether a file brings its record again unchanged. `email` is the address the
    family chose and confirmed, empty until then; `language` is the one it reads; `wants_mail`
    whether it takes the mails it may refuse. No file changes these three.
    """

    code = TextField(unique=True)
    name = TextField(default="")
    address = TextField(default="")
    postcode = TextField(default="")
    city = TextField(default="")
    updated_on = DateField()
    digest = TextField(default="")
    email = TextField(default="")
    language = TextField(default="fr")
    wants_mail = BooleanField(default=True)


class Account(Table):
    """A family's way in."""

    family = ForeignKeyField(Family, unique=True)
    password_hash = TextField()
    must_change_password = BooleanField()


class Session(Base):
    """A browser signed in. Its cookie holds the number of which `digest` is the hash."""

    digest = TextField(primary_key=True)
    account = ForeignKeyField(Account)
    account_id: int
    opened_at = UtcDateTimeField()
    seen_at = UtcDateTimeField()


class Throttle(Base):
    """Tries that failed in a row, and until when the next one must wait.

    `key` names what is tried, hashed: an account, a browser's address.
    """

    key = TextField(primary_key=True)
    failures = IntegerField()
    tried_at = UtcDateTimeField()
    next_try_at = UtcDateTimeField()


class Token(Table):
    """Something that opens a door once, known by its hash. `email` is the address to confirm."""

    digest = TextField(unique=True)
    purpose = TextField()
    family = ForeignKeyField(Family)
    family_id: int
    email = TextField(default="")
    issued_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    used_at = UtcDateTimeField(null=True)


class ResetRequest(Table):
    """Somebody typed this e-mail address to choose a new password. Whether a family has it is
    looked up by the timer, never by the page; the row is then erased. `address` is the network
    address of the browser."""

    email = TextField()
    address = TextField()
    asked_at = UtcDateTimeField()


class SecurityEvent(Table):
    """A line of the security log: sign-ins, refusals, changes of password... Purged with age.

    `address` is the network address of the browser. Apart from the accounts' journal.
    """

    at = UtcDateTimeField()
    kind = TextField()
    family = ForeignKeyField(Family, null=True)
    address = TextField()


class Guardian(Table):
    """A parent or whoever answers for the children."""

    family = ForeignKeyField(Family, backref="guardians")
    first_name = TextField()
    last_name = TextField()
    email = TextField(default="")
    phone = TextField(default="")


class Service(Table):
    """What is invoiced: restauration, périscolaire, mercredi, multi-accueil..."""

    name = TextField(unique=True)


class Child(Table):
    family = ForeignKeyField(Family, backref="children")
    family_id: int
    name = TextField()
    born_on = DateField(null=True)

    class Meta:
        indexes = ((("family", "name"), True),)


def known_child(known: set[str], name: str) -> str | None:
    """The full name under which the record knows the child, if it does: an invoice may give
    only the first name, which is enough when one child of the family has it."""
    if name in known:
        return name
    found = [full for full in known if full.startswith(name + " ")]
    return found[0] if len(found) == 1 else None


class Enrolment(Table):
    """A service takes a child in."""

    child = ForeignKeyField(Child, backref="enrolments")
    service = ForeignKeyField(Service)

    class Meta:
        indexes = ((("child", "service"), True),)


class ImportBatch(Table):
    """One file loaded."""

    file_name = TextField()
    sha256 = TextField()
    kind = TextField()
    row_count = IntegerField()
    added_count = IntegerField()
    imported_at = UtcDateTimeField()


class Invoice(Table):
    """`due_on` is shown to the family; after `closes_on` the debt goes to the Treasury.

    `services` and `children` repeat in words what the lines say, so that a list of invoices
    needs no line. `digest` tells whether a file brings it again unchanged. `state` changes
    in `payments` only. `regie` is the key in the settings of the *régie* that collects it, empty
    for the first; it never changes.
    """

    number = TextField(unique=True)
    family = ForeignKeyField(Family, backref="invoices")
    family_id: int
    batch = ForeignKeyField(ImportBatch)
    issued_on = DateField()
    due_on = DateField()
    closes_on = DateField(null=True)
    period = TextField()
    services = TextField()
    children = TextField()
    total_cents = IntegerField()
    state = TextField(default=InvoiceState.OPEN)
    state_reason = TextField(default="")
    pdf_name = TextField(default="")
    digest = TextField()
    regie = TextField(default="")

    @property
    def is_late(self) -> bool:
        return self.due_on < today()

    @property
    def is_closed(self) -> bool:
        """Whether the time to pay it online has passed."""
        return self.closes_on is not None and self.closes_on < today()


class InvoiceLine(Table):
    invoice = ForeignKeyField(Invoice, backref="lines")
    child = TextField()
    service = ForeignKeyField(Service)
    label = TextField()
    quantity_hundredths = IntegerField()
    unit_price_cents = IntegerField()
    amount_cents = IntegerField()


class Attempt(Table):
    """One way of a family to the bank, for one or several invoices at frozen amounts.

    `reference` is random: it is in the address the bank sends the payer back to. `day` and
    `number` are the bank's numbering of a UTC day. While it is live, until `live_until`, no
    other attempt may take its invoices.

    `ask_at` is when the bank is next worth asking about it, empty where it is not, or cannot be
    asked; `asked_at` and `answered_at`, the last time it was asked and the last time it
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
    state = TextField()
    live_until = UtcDateTimeField()
    receipt_email = TextField(null=True)
    ask_at = UtcDateTimeField(null=True)
    asked_at = UtcDateTimeField(null=True)
    answered_at = UtcDateTimeField(null=True)
    unanswered = IntegerField(default=0)
    regie = TextField(default="")

    class Meta:
        indexes = ((("gateway", "day", "number"), True), (("gateway", "gateway_reference"), True))


class AttemptItem(Table):
    """One invoice of an attempt. The database holds at most one live item an invoice."""

    attempt = ForeignKeyField(Attempt, backref="items")
    invoice = ForeignKeyField(Invoice, backref="attempt_items")
    invoice_id: int
    amount_cents = IntegerField()
    live = BooleanField(default=True)


class Fact(Table):
    """Something learnt about an attempt, once; the attempt's state is computed from them.

    `amount_cents` is what the bank said it was about, 0 when it said none; `parent_id`, the
    debit that a refund gives back, empty when it did not say.
    """

    attempt = ForeignKeyField(Attempt, backref="facts")
    at = UtcDateTimeField()
    transaction_id = TextField(default="")
    state = TextField()
    status = TextField(default="")
    amount_cents = IntegerField(default=0)
    source = TextField()
    parent_id = TextField(default="")

    class Meta:
        indexes = ((("attempt", "transaction_id", "state", "status"), True),)


class Settlement(Table):
    """An *encaissement*: money received, by one bank transaction or at the counter.

    Its allocations say what for; their sum is its amount. `returned_cents` is what of it has
    left again, the sum of its repayments done. `final_at` is when the bank said that it would
    no longer undo it by itself.
    """

    attempt = ForeignKeyField(Attempt, null=True, backref="settlements")
    attempt_id: int | None
    family = ForeignKeyField(Family)
    gateway = TextField(null=True)
    transaction_id = TextField(null=True)
    mode = TextField()
    amount_cents = IntegerField()
    settled_at = UtcDateTimeField()
    state = TextField()
    author = TextField(default="")
    reason = TextField(default="")
    authorisation = TextField(default="")
    card_brand = TextField(default="")
    card_last4 = TextField(default="")
    final_at = UtcDateTimeField(null=True)
    returned_cents = IntegerField(default=0)
    regie = TextField(default="")

    class Meta:
        indexes = ((("gateway", "transaction_id"), True),)

    @property
    def remaining_cents(self) -> int:
        return self.amount_cents - self.returned_cents


class Repayment(Table):
    """Money of a settlement that leaves again, wholly or in part.

    Asked of the bank by us, under a `key` that makes repeating it harmless; or told by the bank,
    by `transaction_id` where it has one; or entered by the régisseur, with a name and a reason.
    `sent_at` is when it was last sent to the bank.
    """

    settlement = ForeignKeyField(Settlement, backref="repayments")
    settlement_id: int
    kind = TextField()
    state = TextField()
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


class Allocation(Table):
    """One part of a settlement: it pays an invoice, is a *trop-perçu*, or matches nothing.

    It no longer `counts` once the whole settlement has left again.
    """

    settlement = ForeignKeyField(Settlement, backref="allocations")
    invoice = ForeignKeyField(Invoice, null=True, backref="allocations")
    invoice_id: int | None
    kind = TextField()
    amount_cents = IntegerField()
    counts = BooleanField(default=True)


def receipt_title(number: int) -> str:
    return f"R{number:06d}"


class Receipt(Base):
    """Proof of an online settlement, numbered without gaps.

    It keeps the names it was issued with; they are empty in those issued before names were kept.
    """

    number = IntegerField(primary_key=True)
    settlement = ForeignKeyField(Settlement, unique=True, backref="receipts")
    issued_at = UtcDateTimeField()
    town_name = TextField(default="")
    regie_name = TextField(default="")
    regisseur = TextField(default="")

    @property
    def title(self) -> str:
        return receipt_title(self.number)


class JournalEntry(Base):
    """One line of the *journal des encaissements*; `journal.py` alone writes it."""

    number = IntegerField(primary_key=True)
    at = UtcDateTimeField()
    settlement = ForeignKeyField(Settlement)
    settlement_id: int
    label = TextField()
    debit = TextField()
    credit = TextField()
    amount_cents = IntegerField()
    previous_hash = TextField()
    hash = TextField(unique=True)


class Notice(Table):
    """The audit of what a bank sent us, accepted or not; without card data."""

    received_at = UtcDateTimeField()
    gateway = TextField()
    accepted = BooleanField()
    verdict = TextField()
    reference = TextField(default="")
    fields = TextField(default="")


class Anomaly(Table):
    """Something the régisseur must look at. `key` makes each noted once."""

    key = TextField(unique=True)
    kind = TextField()
    noted_at = UtcDateTimeField()
    attempt = ForeignKeyField(Attempt, null=True)
    settlement = ForeignKeyField(Settlement, null=True)
    invoice = ForeignKeyField(Invoice, null=True)
    amount_cents = IntegerField()
    detail = TextField()
    resolved_at = UtcDateTimeField(null=True)
    resolved_by = TextField(default="")
    resolution = TextField(default="")
    regie = TextField(default="")


class OutboxMail(Table):
    """An e-mail to send, queued in the transaction that made it necessary.

    It is rendered when it leaves, from `template` and `object_id`, so that no text of it lies
    here; `recipient` is erased once it has left. `key` makes each queued once. `last_error` is
    the last failure in a word or a code, never an address.
    """

    key = TextField(unique=True)
    template = TextField()
    object_id = IntegerField()
    recipient = TextField()
    queued_at = UtcDateTimeField()
    next_try_at = UtcDateTimeField()
    tries = IntegerField(default=0)
    state = TextField(default=MailState.WAITING)
    sent_at = UtcDateTimeField(null=True)
    last_error = TextField(default="")


class FamilyNotice(Table):
    """A mail that tells a family of some of its invoices, whatever the number of parents that
    receive it."""

    kind = TextField()
    family = ForeignKeyField(Family)
    family_id: int
    made_at = UtcDateTimeField()


class FamilyNoticeItem(Table):
    """An invoice of a notice. The database holds at most one of a kind an invoice: no family is
    told the same thing twice."""

    notice = ForeignKeyField(FamilyNotice, backref="items")
    invoice = ForeignKeyField(Invoice)
    invoice_id: int
    kind = TextField()

    class Meta:
        indexes = ((("invoice", "kind"), True),)


class Lease(Base):
    """Who does a chore that one process at a time may do, until when, and when it was last done
    to its end."""

    name = TextField(primary_key=True)
    holder = TextField()
    expires_at = UtcDateTimeField()
    started_at = UtcDateTimeField()
    finished_at = UtcDateTimeField(null=True)
