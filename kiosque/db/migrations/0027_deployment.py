"""Facts about the database: its environment, when it was put back from a backup, and the numbers
of receipts that it never gives because they may have been given since that backup.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE deployment (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    environment TEXT NOT NULL,
    noted_at TEXT NOT NULL
) STRICT;
CREATE TABLE restoration (
    id INTEGER PRIMARY KEY,
    backup_at TEXT NOT NULL,
    restored_at TEXT NOT NULL
) STRICT;
CREATE TABLE receipt_gap (
    id INTEGER PRIMARY KEY,
    restoration_id INTEGER NOT NULL REFERENCES restoration (id),
    sequence TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= first)
) STRICT;
CREATE INDEX receipt_gap_restoration ON receipt_gap (restoration_id)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
    for table in ("restoration", "receipt_gap"):
        for action in ("UPDATE", "DELETE"):
            db.execute_sql(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
