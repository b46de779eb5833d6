"""Which statement of the Treasury's a file is, and of which day: an older one tells nothing new.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE import_batch ADD COLUMN statement TEXT NOT NULL DEFAULT '';
ALTER TABLE import_batch ADD COLUMN statement_on TEXT
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
