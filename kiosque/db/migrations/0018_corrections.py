"""Who decided what the money of a payment is for; the bank's name of what a human must look at.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE allocation ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE allocation ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE anomaly ADD COLUMN gateway TEXT NOT NULL DEFAULT '';
ALTER TABLE anomaly ADD COLUMN transaction_id TEXT NOT NULL DEFAULT ''
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
