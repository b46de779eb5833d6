"""When a family was put away by an agent.

Frozen: later changes are later files.
"""


def up(migrator, db):
    db.execute_sql("ALTER TABLE family ADD COLUMN archived_at TEXT")
