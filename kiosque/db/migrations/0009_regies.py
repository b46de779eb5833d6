"""Which *régie* an invoice, a payment and what is told of them belong to, by its key in the
settings; empty for the first, whose all was until now.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE invoice ADD COLUMN regie TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN regie TEXT NOT NULL DEFAULT '';
ALTER TABLE settlement ADD COLUMN regie TEXT NOT NULL DEFAULT '';
ALTER TABLE anomaly ADD COLUMN regie TEXT NOT NULL DEFAULT '';
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
