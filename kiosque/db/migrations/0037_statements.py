"""Which Treasury statement a file is, and its day: one older than the last tells nothing new.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE import_batch ADD COLUMN statement TEXT NOT NULL DEFAULT '';
ALTER TABLE import_batch ADD COLUMN statement_on TEXT
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
