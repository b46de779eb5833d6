"""Let a load of a bank's file be undone: keep its *régies*, who undid it and why; and, when a file
completes an operation that was known, the columns of that operation before.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE statement_file ADD COLUMN regies TEXT NOT NULL DEFAULT '';
ALTER TABLE statement_file ADD COLUMN undone_at TEXT;
ALTER TABLE statement_file ADD COLUMN undone_by TEXT NOT NULL DEFAULT '';
ALTER TABLE statement_file ADD COLUMN undo_reason TEXT NOT NULL DEFAULT '';
CREATE TABLE told_operation (
    id INTEGER PRIMARY KEY,
    file_id INTEGER NOT NULL REFERENCES statement_file (id),
    operation_id INTEGER NOT NULL REFERENCES bank_operation (id),
    order_reference TEXT NOT NULL,
    fee_cents INTEGER,
    remitted_on TEXT, remittance TEXT NOT NULL,
    UNIQUE (file_id, operation_id)
) STRICT;
CREATE INDEX told_operation_operation ON told_operation (operation_id)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
