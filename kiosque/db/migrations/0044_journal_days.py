"""The journal is read by day.

Frozen: later changes are later files.
"""


def up(migrator, db):
    db.execute_sql("CREATE INDEX journal_entry_at ON journal_entry (at)")
