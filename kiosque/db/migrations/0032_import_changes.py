"""Keep for a time the rows that a load of a file changed, so that it can be undone; keep who loaded
it, and who undid it. Earlier loads cannot be undone: nothing says what they changed.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE import_batch ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE import_batch ADD COLUMN can_undo INTEGER NOT NULL DEFAULT 0
    CHECK (can_undo IN (0, 1));
ALTER TABLE import_batch ADD COLUMN undone_at TEXT;
ALTER TABLE import_batch ADD COLUMN undone_by TEXT NOT NULL DEFAULT '';
ALTER TABLE import_batch ADD COLUMN undo_reason TEXT NOT NULL DEFAULT '';

CREATE TABLE import_change (
    id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL REFERENCES import_batch (id),
    family_id INTEGER REFERENCES family (id),
    table_name TEXT NOT NULL,
    row_id INTEGER NOT NULL,
    former TEXT
) STRICT;
CREATE INDEX import_change_batch ON import_change (batch_id, table_name);
CREATE INDEX import_change_family ON import_change (family_id);
CREATE INDEX invoice_batch ON invoice (batch_id)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
