"""The names each receipt was issued with; empty for those issued before, whose names were not kept.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE receipt ADD COLUMN town_name TEXT NOT NULL DEFAULT '';
ALTER TABLE receipt ADD COLUMN regie_name TEXT NOT NULL DEFAULT '';
ALTER TABLE receipt ADD COLUMN regisseur TEXT NOT NULL DEFAULT '';
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
