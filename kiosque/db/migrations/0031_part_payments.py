"""How much of each invoice is paid, so that it can be paid in parts; until now, one payment paid it
whole.

SQLite changes no constraint of a table: it is made anew, with the same rows and ids.

Frozen: later changes are later files.
"""

from kiosque.db.dialect import SchemaEditor

BOTH = "DROP INDEX allocation_one_payment"

POSTGRESQL = """
ALTER TABLE invoice ADD COLUMN paid_cents INTEGER NOT NULL DEFAULT 0;
UPDATE invoice SET paid_cents = total_cents WHERE state = 'paid';
ALTER TABLE invoice ADD CONSTRAINT invoice_paid_cents_check CHECK (CASE state
        WHEN 'paid' THEN paid_cents = total_cents
        WHEN 'open' THEN paid_cents >= 0 AND paid_cents < total_cents
        ELSE paid_cents = 0 END)
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
    state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'cancelled', 'nothing_due')),
    state_reason TEXT NOT NULL,
    pdf_name TEXT NOT NULL,
    digest TEXT NOT NULL,
    regie TEXT NOT NULL DEFAULT '',
    paid_cents INTEGER NOT NULL DEFAULT 0,
    CHECK (CASE state
        WHEN 'paid' THEN paid_cents = total_cents
        WHEN 'open' THEN paid_cents >= 0 AND paid_cents < total_cents
        ELSE paid_cents = 0 END)
) STRICT;
INSERT INTO invoice SELECT *, 0 FROM invoice_before WHERE state <> 'paid';
INSERT INTO invoice SELECT *, total_cents FROM invoice_before WHERE state = 'paid';
DROP TABLE invoice_before;
CREATE INDEX invoice_family ON invoice (family_id, state, issued_on);
CREATE INDEX invoice_open ON invoice (due_on) WHERE state = 'open';
CREATE INDEX invoice_history ON invoice (family_id, issued_on, number)
"""


def up(migrator, db):
    ours = POSTGRESQL if isinstance(db, SchemaEditor) else SQLITE
    for statement in (BOTH, *ours.split(";")):
        db.execute_sql(statement)
