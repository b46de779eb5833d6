"""Invoices, and the files they came from."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import DateField, TruthField, UtcDateTimeField, WordField
from kiosque.db.models.base import NumberedModel
from kiosque.db.models.families import Family, Service
from kiosque.db.states import InvoiceState
from kiosque.language.clock import today


class ImportBatch(NumberedModel):
    """One file loaded, by `author` where it is known. `can_undo` while what it changed is kept."""

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


class ImportChange(NumberedModel):
    """A row that a load added or changed, the rows of its invoices apart.

    `former` is what a changed row was, as JSON; None for an added one. `family` is the one whose
    record it is of; None for a service.
    """

    batch = ForeignKeyField(ImportBatch)
    batch_id: int
    family = ForeignKeyField(Family, null=True)
    family_id: int | None
    table_name = TextField()
    row_id = IntegerField()
    former = TextField(null=True)


class Invoice(NumberedModel):
    """`due_on` is shown to the family; after `closes_on` the debt goes to the Treasury.

    `services` and `children` repeat in words what the lines say, so that a list of invoices
    needs no line. `digest` tells whether a file brings it again unchanged. `state` changes in
    `payments` only, from open for a total above zero, else from nothing_due. `paid_cents` is the
    sum of the parts of payments that count for it; the database keeps it within the total. `regie`
    is the key in the settings of the *régie* that collects it, empty for the first; it never
    changes.
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
        """Return what is still to pay of it; 0 unless it is open."""
        return self.total_cents - self.paid_cents if self.state == InvoiceState.OPEN else 0

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
