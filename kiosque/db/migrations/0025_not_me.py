"""One more kind of token: a family's answer to a sign-in that was not its own.

SQLite changes no constraint of a table: it is made anew, with the same rows. It remembers the
highest id ever given, since none may be given twice (see 0003).

Frozen: later changes are later files.
"""

from kiosque.db.dialect import SchemaEditor

POSTGRESQL = """
ALTER TABLE token DROP CONSTRAINT token_purpose_check;
ALTER TABLE token ADD CONSTRAINT token_purpose_check
    CHECK (purpose IN ('activation', 'reset', 'email', 'not_me'))
"""

SQLITE = """
CREATE TABLE token_since (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL CHECK (purpose IN ('activation', 'reset', 'email', 'not_me')),
    family_id INTEGER NOT NULL REFERENCES family (id),
    email TEXT NOT NULL DEFAULT '',
    issued_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
INSERT INTO token_since (id, digest, purpose, family_id, email, issued_at, expires_at, used_at)
    SELECT id, digest, purpose, family_id, email, issued_at, expires_at, used_at FROM token;
DELETE FROM sqlite_sequence WHERE name = 'token_since';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'token_since', seq FROM sqlite_sequence WHERE name = 'token';
DROP TABLE token;
ALTER TABLE token_since RENAME TO token;
CREATE INDEX token_family ON token (family_id, purpose)
"""


def up(migrator, db):
    for statement in (POSTGRESQL if isinstance(db, SchemaEditor) else SQLITE).split(";"):
        db.execute_sql(statement)
