"""The *régie* of each invoice, payment and anomaly, by its key in the settings; empty for the first
*régie*, which all rows belonged to until now.

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
