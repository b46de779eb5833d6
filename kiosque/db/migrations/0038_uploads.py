"""Files deposited in the browser, or dropped in the folder of files to load, until they are loaded;
and from when a load may be told of by mail.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE upload (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL,
    pdfs_sha256 TEXT NOT NULL DEFAULT '',
    file_name TEXT NOT NULL,
    byte_count INTEGER NOT NULL,
    author TEXT NOT NULL DEFAULT '',
    uploaded_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('stored', 'read', 'refused', 'agreed', 'loaded')),
    kind TEXT NOT NULL DEFAULT '',
    preview TEXT NOT NULL DEFAULT '',
    fingerprint TEXT NOT NULL DEFAULT '',
    changed INTEGER NOT NULL DEFAULT 0 CHECK (changed IN (0, 1)),
    agreed_by TEXT NOT NULL DEFAULT '',
    confirmed TEXT NOT NULL DEFAULT '',
    announce_at TEXT,
    claimed_at TEXT,
    done_count INTEGER NOT NULL DEFAULT 0,
    line_count INTEGER NOT NULL DEFAULT 0,
    batch_id INTEGER REFERENCES import_batch (id)
) STRICT;
CREATE INDEX upload_state ON upload (state);
CREATE INDEX upload_batch ON upload (batch_id);
ALTER TABLE import_batch ADD COLUMN announce_at TEXT
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
