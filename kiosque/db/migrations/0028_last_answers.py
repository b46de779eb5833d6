"""Indexes for the last time that each bank answered or wrote, which monitoring asks for often.

Frozen: later changes are later files.
"""


def up(migrator, db):
    db.execute_sql("CREATE INDEX attempt_answered ON attempt (gateway, answered_at)")
    db.execute_sql(
        "CREATE INDEX bank_message_heard ON bank_message (gateway, accepted, received_at)"
    )
