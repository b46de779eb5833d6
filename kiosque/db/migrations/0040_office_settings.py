"""Settings that the town hall changes in its own area, over those of the file.

Frozen: later changes are later files.
"""


def up(migrator, db):
    db.execute_sql(
        """
        CREATE TABLE office_setting (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL,
            changed_at TEXT NOT NULL,
            changed_by TEXT NOT NULL
        ) STRICT
        """
    )
