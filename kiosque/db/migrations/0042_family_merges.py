"""Merges of doubled families, with the rows that moved, to undo them for a time.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE family_merge (
    id INTEGER PRIMARY KEY,
    kept_id INTEGER NOT NULL REFERENCES family (id),
    gone_id INTEGER NOT NULL REFERENCES family (id),
    moved TEXT NOT NULL,
    merged_at TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    undone_at TEXT,
    CHECK (kept_id <> gone_id)
) STRICT;
CREATE INDEX family_merge_kept ON family_merge (kept_id);
CREATE INDEX family_merge_gone ON family_merge (gone_id)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
