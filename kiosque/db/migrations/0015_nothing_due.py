"""Invoices that ask for no payment: a credit note (*avoir*), or one of zero.

SQLite changes no constraint of a table: it is made anew, with the same rows and ids.

Frozen: later changes are later files.
"""

from kiosque.db.dialect import SchemaEditor

# One that is cancelled may have been of any total.
POSTGRESQL = """
ALTER TABLE invoice DROP CONSTRAINT invoice_total_cents_check;
ALTER TABLE invoice DROP CONSTRAINT invoice_state_check;
ALTER TABLE invoice ADD CONSTRAINT invoice_state_check
    CHECK (state IN ('open', 'paid', 'cancelled', 'nothing_due'));
ALTER TABLE invoice ADD CONSTRAINT invoice_total_cents_check
    CHECK (total_cents > 0 OR state IN ('cancelled', 'nothing_due'))
"""

SQLITE = """
PRAGMA defer_foreign_keys = ON;
CREATE INDEX attempt_item_invoice ON attempt_item (invoice_id);
CREATE TABLE invoice_before AS SELECT * FROM invoice;
DROP TABLE invoice;
CREATE TABLE invoice (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    family_id INTEGER NOT NULL REFERENCES family (id),
    batch_id INTEGER NOT NULL REFERENCES import_batch (id),
    issued_on TEXT NOT NULL,
    due_on TEXT NOT NULL,
    closes_on TEXT,
    period TEXT NOT NULL,
    services TEXT NOT NULL,
    children TEXT NOT NULL,
    total_cents INTEGER NOT NULL
        CHECK (total_cents > 0 OR state IN ('cancelled', 'nothing_due')),
    state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'cancelled', 'nothing_due')),
    state_reason TEXT NOT NULL,
    pdf_name TEXT NOT NULL,
    digest TEXT NOT NULL,
    regie TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO invoice SELECT * FROM invoice_before;
DROP TABLE invoice_before;
DROP INDEX attempt_item_invoice;
CREATE INDEX invoice_family ON invoice (family_id, state, issued_on);
CREATE INDEX invoice_open ON invoice (due_on) WHERE state = 'open';
CREATE INDEX invoice_history ON invoice (family_id, issued_on, number)
"""


def up(migrator, db):
    for statement in (POSTGRESQL if isinstance(db, SchemaEditor) else SQLITE).split(";"):
        db.execute_sql(statement)
