"""The invoice that money came for, where a human had it pay another: so that this can be undone.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE allocation ADD COLUMN came_for INTEGER
"""


def up(migrator, db):
    db.execute_sql(STATEMENTS)
