"""Sessions, sign-in delays, single-use tokens and the security log: all kept by the server.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE account DROP COLUMN session_key;

ALTER TABLE family ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE family ADD COLUMN language TEXT NOT NULL DEFAULT 'fr';
ALTER TABLE family ADD COLUMN wants_mail INTEGER NOT NULL DEFAULT 1;

CREATE TABLE session (
    digest TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id),
    opened_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_seen ON session (seen_at);

CREATE TABLE throttle (
    key TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    tried_at TEXT NOT NULL,
    next_try_at TEXT NOT NULL
) STRICT;
CREATE INDEX throttle_tried ON throttle (tried_at);

CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    family_id INTEGER NOT NULL REFERENCES family (id),
    email TEXT NOT NULL DEFAULT '',
    issued_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX token_family ON token (family_id, purpose);

CREATE TABLE security_event (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    family_id INTEGER REFERENCES family (id),
    address TEXT NOT NULL
) STRICT;
CREATE INDEX security_event_at ON security_event (at);
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
