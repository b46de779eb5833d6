"""Keep which family each debtor in another software's files is, and the meaning of the columns of
those files.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE debtor (
    id INTEGER PRIMARY KEY,
    family_id INTEGER NOT NULL REFERENCES family (id),
    key TEXT NOT NULL UNIQUE,
    reference TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    author TEXT NOT NULL,
    made_at TEXT NOT NULL
) STRICT;
CREATE INDEX debtor_family ON debtor (family_id);

CREATE TABLE column_mapping (
    id INTEGER PRIMARY KEY,
    signature TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    mapping TEXT NOT NULL,
    author TEXT NOT NULL,
    made_at TEXT NOT NULL
) STRICT
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
