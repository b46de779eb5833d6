"""Table of the requests of families, which a human of the town's service answers.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE family_request (
    id INTEGER PRIMARY KEY,
    family_id INTEGER NOT NULL REFERENCES family (id),
    invoice_id INTEGER REFERENCES invoice (id),
    topic TEXT NOT NULL,
    message TEXT NOT NULL CHECK (length(message) BETWEEN 1 AND 1000),
    state TEXT NOT NULL DEFAULT 'open',
    asked_at TEXT NOT NULL
) STRICT;
CREATE INDEX family_request_family ON family_request (family_id, asked_at);
CREATE INDEX family_request_invoice ON family_request (invoice_id);
CREATE INDEX family_request_age ON family_request (asked_at)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
