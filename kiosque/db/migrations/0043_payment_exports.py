"""How far each software of the town has received the payments.

Frozen: later changes are later files.
"""


def up(migrator, db):
    db.execute_sql("""
        CREATE TABLE payment_export (
            id INTEGER PRIMARY KEY,
            consumer TEXT NOT NULL CHECK (consumer <> ''),
            regie TEXT NOT NULL,
            former INTEGER NOT NULL,
            reached INTEGER NOT NULL CHECK (reached >= former),
            exported_at TEXT NOT NULL,
            author TEXT NOT NULL,
            UNIQUE (consumer, regie)
        ) STRICT""")
