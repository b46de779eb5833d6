"""The PDF of each deposit, as it was made final: what makes PDFs changes with its versions.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE deposit ADD COLUMN pdf TEXT NOT NULL DEFAULT ''
"""


def up(migrator, db):
    db.execute_sql(STATEMENTS)
