"""Allow old messages that nothing proves to come from a bank to be erased, and count messages by
the hour; accepted ones are never changed nor erased.

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
