"""Indexes for the queries that the timers run each minute: they stay fast as payments accumulate.

Frozen: later changes are later files.
"""

STATEMENTS = """
DROP INDEX attempt_ask;
CREATE INDEX attempt_ask ON attempt (gateway, ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX attempt_email ON attempt (started_at) WHERE receipt_email IS NOT NULL;
CREATE INDEX outbox_mail_kept ON outbox_mail (queued_at) WHERE state <> 'sent'
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
