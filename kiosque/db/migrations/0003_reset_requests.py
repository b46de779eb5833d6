"""New passwords asked for by e-mail, until the timer answers them a minute later.

The id of an erased token is never given again: a mail in the outbox names its token by that id,
and must never carry the link of another family.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE reset_request (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL,
    address TEXT NOT NULL,
    asked_at TEXT NOT NULL
) STRICT;

DROP TABLE token;
CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL CHECK (purpose IN ('activation', 'reset', 'email')),
    family_id INTEGER NOT NULL REFERENCES family (id),
    email TEXT NOT NULL DEFAULT '',
    issued_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX token_family ON token (family_id, purpose);
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
