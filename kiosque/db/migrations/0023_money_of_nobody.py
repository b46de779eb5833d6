"""Money whose family is not known yet; what the bank said, in an entry of the régisseur's list.

SQLite changes no constraint of a table: it is made anew, with the same rows and ids.

Frozen: later changes are later files.
"""

from kiosque.db.dialect import SchemaEditor

BOTH = "ALTER TABLE anomaly ADD COLUMN outcome TEXT NOT NULL DEFAULT ''"
POSTGRESQL = "ALTER TABLE settlement ALTER COLUMN family_id DROP NOT NULL"

SQLITE = """
PRAGMA defer_foreign_keys = ON;
CREATE TABLE settlement_before AS SELECT * FROM settlement;
DROP TABLE settlement;
CREATE TABLE settlement (
    id INTEGER PRIMARY KEY,
    attempt_id INTEGER REFERENCES attempt (id),
    family_id INTEGER REFERENCES family (id),
    gateway TEXT,
    transaction_id TEXT,
    mode TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    settled_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('counted', 'reversed', 'refunded')),
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    authorisation TEXT NOT NULL,
    card_brand TEXT NOT NULL,
    card_last4 TEXT NOT NULL CHECK (length(card_last4) IN (0, 4)),
    final_at TEXT,
    returned_cents INTEGER NOT NULL DEFAULT 0
        CHECK (returned_cents BETWEEN 0 AND amount_cents),
    regie TEXT NOT NULL DEFAULT '',
    UNIQUE (gateway, transaction_id),
    CHECK ((attempt_id IS NOT NULL AND gateway IS NOT NULL AND transaction_id <> '')
        OR (attempt_id IS NULL AND author <> '' AND reason <> ''))
) STRICT;
INSERT INTO settlement SELECT * FROM settlement_before;
DROP TABLE settlement_before;
CREATE INDEX settlement_attempt ON settlement (attempt_id);
CREATE INDEX settlement_family ON settlement (family_id)
"""


def up(migrator, db):
    ours = POSTGRESQL if isinstance(db, SchemaEditor) else SQLITE
    for statement in (BOTH, *ours.split(";")):
        db.execute_sql(statement)
