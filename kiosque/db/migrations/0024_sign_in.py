"""When a session last gave the password, so as not to ask for it twice; when a family first signed
in, since the first sign-in and a later one from elsewhere are told differently. For existing
families it is read in the security log, or is the day they chose their password.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE session ADD COLUMN proved_at TEXT;
ALTER TABLE account ADD COLUMN entered_at TEXT;
UPDATE account SET entered_at = (
    SELECT MIN(at) FROM security_event
    WHERE security_event.family_id = account.family_id
        AND security_event.kind IN ('signed_in', 'activated', 'password_reset')
);
UPDATE account SET entered_at = password_set_at
    WHERE entered_at IS NULL AND must_change_password = 0
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
