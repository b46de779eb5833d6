"""Invoices, and the files they came from."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import DateField, TruthField, UtcDateTimeField, WordField
from kiosque.db.models.base import NumberedModel
from kiosque.db.models.families import Family, Service
from kiosque.db.states import InvoiceState, UploadState
from kiosque.language.clock import today


class ImportBatch(NumberedModel):
    """One file loaded, by `author` if known. `can_undo` while what it changed is kept. `statement`
    is set for a file that lists all that the Treasury received until a day: it names whose list.
    No mail announces its invoices before `announce_at`."""

    file_name = TextField()
    sha256 = TextField()
    kind = TextField()
    row_count = IntegerField()
    added_count = IntegerField()
    imported_at = UtcDateTimeField()
    author = TextField(default="")
    can_undo = TruthField(default=False)
    undone_at = UtcDateTimeField(null=True)
    undone_by = TextField(default="")
    undo_reason = TextField(default="")
    statement = TextField(default="")
    statement_on = DateField(null=True)
    announce_at = UtcDateTimeField(null=True)


class Upload(NumberedModel):
    """A file deposited by an agent (`author`), or found in the folder of files to load (no
    `author`), and the archive of PDFs that came with it. `line_count` is how many lines it has,
    `done_count` how many of them are read; `claimed_at` is since when a process works on it.

    `preview` is what was read in it, as JSON, and `fingerprint` a digest of that. `changed` says
    that the database changed meanwhile and the preview was made again. `agreed_by` wants it
    loaded, and accepts the surprises listed in `confirmed`; `batch` is the load.
    """

    sha256 = TextField()
    pdfs_sha256 = TextField(default="")
    file_name = TextField()
    byte_count = IntegerField()
    author = TextField(default="")
    uploaded_at = UtcDateTimeField()
    state = WordField(default=UploadState.STORED)
    kind = TextField(default="")
    preview = TextField(default="")
    fingerprint = TextField(default="")
    changed = TruthField(default=False)
    agreed_by = TextField(default="")
    confirmed = TextField(default="")
    announce_at = UtcDateTimeField(null=True)
    claimed_at = UtcDateTimeField(null=True)
    done_count = IntegerField(default=0)
    line_count = IntegerField(default=0)
    batch = ForeignKeyField(ImportBatch, null=True)
    batch_id: int | None


class ImportChange(NumberedModel):
    """A row that a load added or changed, other than the rows of its invoices.

    `former` is a changed row as it was before, as JSON; None for an added one. `family` is the
    family that the row belongs to; None for a service.
    """

    batch = ForeignKeyField(ImportBatch)
    batch_id: int
    family = ForeignKeyField(Family, null=True)
    family_id: int | None
    table_name = TextField()
    row_id = IntegerField()
    former = TextField(null=True)


class Debtor(NumberedModel):
    """A debtor as another software names it in its files, and the family that a person matched with
    it. `key` is the digest of reference, name and address, folded."""

    family = ForeignKeyField(Family)
    family_id: int
    key = TextField(unique=True)
    reference = TextField()
    name = TextField()
    address = TextField()
    author = TextField()
    made_at = UtcDateTimeField()


class ColumnMapping(NumberedModel):
    """Which columns of another software's table are the town's own, as `mapping` says in JSON.
    `signature` is the digest of the names of the table's columns."""

    signature = TextField(unique=True)
    name = TextField()
    mapping = TextField()
    author = TextField()
    made_at = UtcDateTimeField()


class Invoice(NumberedModel):
    """`due_on` is shown to the family; after `closes_on` the debt goes to the Treasury.

    `services` and `children` repeat in words what the lines say, so that a list of invoices
    needs no line. `digest` tells whether a file brings it again unchanged. `state` changes in
    `payments` only; it begins as open if the total is above zero, else as nothing_due, and is
    transmitted while the Treasury collects the invoice. `paid_cents` is the sum of the parts of
    payments that count for it; the database keeps it within the total. A credit note has a total
    below zero, and so a `paid_cents` below zero: how much of it is used. `regie` is the key in the
    settings of the *régie* that collects it, empty for the first; it never changes.
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
    paid_cents = IntegerField(default=0)
    state = WordField(default=InvoiceState.OPEN)
    state_reason = TextField(default="")
    pdf_name = TextField(default="")
    digest = TextField()
    regie = TextField(default="")

    @property
    def remaining_cents(self) -> int:
        """Return what is still to pay of it here; 0 unless it is open."""
        return self.total_cents - self.paid_cents if self.state == InvoiceState.OPEN else 0

    @property
    def treasury_cents(self) -> int:
        """Return what is still to pay of it to the Treasury; 0 unless it is transmitted."""
        return self.total_cents - self.paid_cents if self.state == InvoiceState.TRANSMITTED else 0

    @property
    def credit_cents(self) -> int:
        """Return what a credit note is still worth; 0 for an invoice."""
        is_note = self.state == InvoiceState.NOTHING_DUE
        return self.paid_cents - self.total_cents if is_note else 0

    @property
    def is_closed(self) -> bool:
        """True once the time to pay it online has passed."""
        return self.closes_on is not None and self.closes_on < today()


class InvoiceLine(NumberedModel):
    invoice = ForeignKeyField(Invoice, backref="lines")
    invoice_id: int
    child = TextField()
    service = ForeignKeyField(Service)
    label = TextField()
    quantity_hundredths = IntegerField()
    unit_price_cents = IntegerField()
    amount_cents = IntegerField()
