"""Banks that take no new payment for a time, and what families are told meanwhile.

Frozen: later changes are later files.
"""

STATEMENT = """
CREATE TABLE bank_closure (
    id INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL UNIQUE,
    sentence TEXT NOT NULL,
    closed_at TEXT NOT NULL,
    until_at TEXT NOT NULL,
    author TEXT NOT NULL
) STRICT
"""


def up(migrator, db):
    db.execute_sql(STATEMENT)
