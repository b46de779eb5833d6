"""A bank's message that nothing proves may be erased with age, and is counted by the hour; what was
accepted stays as it was, for ever.

Frozen: later changes are later files.
"""

STATEMENTS = """
DROP TRIGGER bank_message_no_delete;
CREATE INDEX bank_message_refused ON bank_message (received_at) WHERE accepted = 0;
CREATE TABLE message_count (
    id INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL,
    verdict TEXT NOT NULL,
    hour_at TEXT NOT NULL,
    messages INTEGER NOT NULL,
    UNIQUE (gateway, verdict, hour_at)
) STRICT
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
    db.execute_sql(
        "CREATE TRIGGER bank_message_no_delete BEFORE DELETE ON bank_message "
        "WHEN OLD.accepted = 1 BEGIN SELECT RAISE(ABORT, 'bank_message is append-only'); END"
    )
