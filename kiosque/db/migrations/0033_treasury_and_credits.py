"""Invoices transmitted to the Treasury; credit notes (*avoirs*) that pay invoices.

An avoir's `paid_cents` is below zero: what was used of it, no more than it is worth. SQLite changes
no constraint of a table: it is made anew, with the same rows and ids.

Frozen: later changes are later files.
"""

from kiosque.db.dialect import SchemaEditor

POSTGRESQL = """
ALTER TABLE invoice DROP CONSTRAINT invoice_state_check;
ALTER TABLE invoice ADD CONSTRAINT invoice_state_check
    CHECK (state IN ('open', 'transmitted', 'paid', 'cancelled', 'nothing_due'));
ALTER TABLE invoice DROP CONSTRAINT invoice_paid_cents_check;
ALTER TABLE invoice ADD CONSTRAINT invoice_paid_cents_check CHECK (CASE state
        WHEN 'paid' THEN paid_cents = total_cents
        WHEN 'nothing_due' THEN paid_cents <= 0 AND paid_cents >= total_cents
        WHEN 'cancelled' THEN paid_cents = 0
        ELSE paid_cents >= 0 AND paid_cents < total_cents END)
"""

SQLITE = """
PRAGMA defer_foreign_keys = ON;
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
    state TEXT NOT NULL
        CHECK (state IN ('open', 'transmitted', 'paid', 'cancelled', 'nothing_due')),
    state_reason TEXT NOT NULL,
    pdf_name TEXT NOT NULL,
    digest TEXT NOT NULL,
    regie TEXT NOT NULL DEFAULT '',
    paid_cents INTEGER NOT NULL DEFAULT 0,
    CHECK (CASE state
        WHEN 'paid' THEN paid_cents = total_cents
        WHEN 'nothing_due' THEN paid_cents <= 0 AND paid_cents >= total_cents
        WHEN 'cancelled' THEN paid_cents = 0
        ELSE paid_cents >= 0 AND paid_cents < total_cents END)
) STRICT;
INSERT INTO invoice SELECT * FROM invoice_before;
DROP TABLE invoice_before;
CREATE INDEX invoice_family ON invoice (family_id, state, issued_on);
CREATE INDEX invoice_open ON invoice (due_on) WHERE state = 'open';
CREATE INDEX invoice_history ON invoice (family_id, issued_on, number);
CREATE INDEX invoice_batch ON invoice (batch_id)
"""

BOTH = """
CREATE TABLE transmission (
    id INTEGER PRIMARY KEY,
    invoice_id INTEGER NOT NULL REFERENCES invoice (id),
    list_name TEXT NOT NULL CHECK (list_name <> ''),
    transmitted_on TEXT NOT NULL,
    noted_at TEXT NOT NULL,
    journal_number INTEGER NOT NULL,
    batch_id INTEGER REFERENCES import_batch (id),
    author TEXT NOT NULL CHECK (author <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    ended_at TEXT,
    ended_by TEXT NOT NULL DEFAULT '',
    end_reason TEXT NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (ended_by = '') AND (ended_at IS NULL) = (end_reason = ''))
) STRICT;
CREATE INDEX transmission_invoice ON transmission (invoice_id);
CREATE UNIQUE INDEX transmission_in_force ON transmission (invoice_id) WHERE ended_at IS NULL;
ALTER TABLE settlement ADD COLUMN credit_id INTEGER REFERENCES invoice (id)
    CHECK ((credit_id IS NOT NULL) = (mode = 'credit'));
CREATE INDEX settlement_credit ON settlement (credit_id) WHERE credit_id IS NOT NULL
"""


def up(migrator, db):
    ours = POSTGRESQL if isinstance(db, SchemaEditor) else SQLITE
    for statement in (*ours.split(";"), *BOTH.split(";")):
        db.execute_sql(statement)
