"""Dates that tell how long a family has been gone: the last families file that listed it, its last
sign-in; when it was forgotten; and who had a family's data exported or erased, for ever.

It is not known which files listed the existing families: take the last one. Their last sign-in is
read in the security log, or is their first one.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE family ADD COLUMN seen_on TEXT;
ALTER TABLE family ADD COLUMN forgotten_at TEXT;
UPDATE family SET seen_on = updated_on WHERE digest <> '';
UPDATE family SET seen_on = (
    SELECT MAX(substr(imported_at, 1, 10)) FROM import_batch WHERE kind = 'familles'
) WHERE digest <> '' AND seen_on < (
    SELECT MAX(substr(imported_at, 1, 10)) FROM import_batch WHERE kind = 'familles'
);

ALTER TABLE account ADD COLUMN signed_in_on TEXT;
UPDATE account SET signed_in_on = (
    SELECT MAX(substr(at, 1, 10)) FROM security_event
    WHERE security_event.family_id = account.family_id
        AND security_event.kind IN ('signed_in', 'activated', 'password_reset')
);
UPDATE account SET signed_in_on = substr(entered_at, 1, 10) WHERE signed_in_on IS NULL;

CREATE TABLE privacy_act (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('forgotten', 'erased', 'exported', 'unnamed')),
    family_id INTEGER NOT NULL REFERENCES family (id),
    author TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX privacy_act_family ON privacy_act (family_id)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
    for action in ("UPDATE", "DELETE"):
        db.execute_sql(
            f"CREATE TRIGGER privacy_act_no_{action.lower()} BEFORE {action} ON privacy_act "
            "BEGIN SELECT RAISE(ABORT, 'privacy_act is append-only'); END"
        )
