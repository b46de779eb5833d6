"""Keep the numbers of deposits that a restoration may have lost: a person says which was the last.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE deposit_gap (
    id INTEGER PRIMARY KEY,
    restoration_id INTEGER NOT NULL REFERENCES restoration (id),
    regie TEXT NOT NULL,
    year INTEGER NOT NULL,
    first INTEGER NOT NULL CHECK (first > 0),
    last INTEGER CHECK (last >= first - 1),
    noted_at TEXT,
    author TEXT NOT NULL,
    UNIQUE (restoration_id, regie, year)
) STRICT
"""


def up(migrator, db):
    db.execute_sql(STATEMENTS)
    db.execute_sql(
        "CREATE TRIGGER deposit_gap_no_delete BEFORE DELETE ON deposit_gap "
        "BEGIN SELECT RAISE(ABORT, 'deposit_gap is append-only'); END"
    )
