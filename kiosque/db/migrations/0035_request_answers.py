"""The answers to what families ask: who gave them, when, and what they changed of the record.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE family_request ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE family_request ADD COLUMN answered_at TEXT;
ALTER TABLE family_request ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';
ALTER TABLE family_request ADD COLUMN applied TEXT NOT NULL DEFAULT '';
CREATE INDEX family_request_open ON family_request (id) WHERE state = 'open'
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
