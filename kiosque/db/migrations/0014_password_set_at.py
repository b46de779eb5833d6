"""When a family's password was given or chosen: a provisional one expires. For passwords set before
this migration the date is not known: their time begins now.

Frozen: later changes are later files.
"""

from datetime import UTC, datetime


def up(migrator, db):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    db.execute_sql("ALTER TABLE account ADD COLUMN password_set_at TEXT NOT NULL DEFAULT ''")
    db.execute_sql("UPDATE account SET password_set_at = ?", (now,))
