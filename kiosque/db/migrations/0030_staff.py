"""The agents of the town hall, how they come in, and the log of what they do: nobody changes a line
of it, and none is erased in its first year.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE staff (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL DEFAULT '',
    totp_nonce TEXT NOT NULL,
    enrolled_at TEXT,
    last_counter INTEGER NOT NULL DEFAULT 0,
    added_at TEXT NOT NULL,
    closed_at TEXT
) STRICT;

CREATE TABLE staff_role (
    id INTEGER PRIMARY KEY,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    role TEXT NOT NULL CHECK (
        role IN ('consultation', 'facturation', 'regisseur', 'controle', 'administration')
    ),
    regie TEXT NOT NULL DEFAULT '',
    starts_on TEXT NOT NULL,
    ends_on TEXT,
    ended_at TEXT,
    CHECK (ends_on IS NULL OR ends_on >= starts_on)
) STRICT;
CREATE INDEX staff_role_staff ON staff_role (staff_id);

CREATE TABLE staff_session (
    digest TEXT PRIMARY KEY,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    opened_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    proved_at TEXT
) STRICT;
CREATE INDEX staff_session_staff ON staff_session (staff_id);

CREATE TABLE staff_invitation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    issued_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX staff_invitation_staff ON staff_invitation (staff_id);

CREATE TABLE recovery_code (
    id INTEGER PRIMARY KEY,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    digest TEXT NOT NULL,
    UNIQUE (staff_id, digest)
) STRICT;

CREATE TABLE staff_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    staff_id INTEGER REFERENCES staff (id),
    network TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX staff_event_at ON staff_event (at);
CREATE INDEX staff_event_staff ON staff_event (staff_id)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
    for action, which in (
        ("UPDATE", ""),
        ("DELETE", "WHEN OLD.at > strftime('%Y-%m-%d', 'now', '-364 days') "),
    ):
        db.execute_sql(
            f"CREATE TRIGGER staff_event_no_{action.lower()} BEFORE {action} ON staff_event {which}"
            "BEGIN SELECT RAISE(ABORT, 'staff_event is append-only'); END"
        )
