"""Rename the table of the bank's messages; make the verdict a machine word and the signing key a
column.

`detail` keeps the earlier French text where it says more than the verdict. The signing key is read
only from messages that a gateway had verified: a stranger may have written the others.

Frozen: later changes are later files.
"""

import json

STATEMENTS = """
DROP TRIGGER notice_no_update;
DROP TRIGGER notice_no_delete;
ALTER TABLE notice RENAME TO bank_message;
ALTER TABLE bank_message RENAME COLUMN verdict TO detail;
ALTER TABLE bank_message ADD COLUMN verdict TEXT NOT NULL DEFAULT 'rejected'
    CHECK (verdict IN ('recorded', 'known', 'to_confirm', 'unknown_order', 'mismatch',
        'unmatched_refund', 'rejected'));
ALTER TABLE bank_message ADD COLUMN signing_key TEXT
    CHECK (signing_key IN ('current', 'previous'));
UPDATE bank_message SET verdict = CASE detail
        WHEN 'enregistré' THEN 'recorded'
        WHEN 'déjà connu' THEN 'known'
        WHEN 'à confirmer par la banque' THEN 'to_confirm'
        WHEN 'commande inconnue' THEN 'unknown_order'
        WHEN 'remboursement à rapprocher' THEN 'unmatched_refund'
        ELSE 'mismatch' END
    WHERE accepted = 1;
UPDATE bank_message SET detail = '' WHERE verdict NOT IN ('mismatch', 'rejected')
"""
KEYS = {"clé en service": "current", "ancienne clé": "previous"}


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
    verified = db.execute_sql(
        "SELECT id, fields FROM bank_message WHERE accepted = 1 AND fields LIKE ?", ('%"clé"%',)
    )
    for number, fields in verified.fetchall():
        if signing_key := KEYS.get(json.loads(fields).get("clé")):
            db.execute_sql(
                "UPDATE bank_message SET signing_key = ? WHERE id = ?", (signing_key, number)
            )
    for action in ("UPDATE", "DELETE"):
        db.execute_sql(
            f"CREATE TRIGGER bank_message_no_{action.lower()} BEFORE {action} ON bank_message "
            "BEGIN SELECT RAISE(ABORT, 'bank_message is append-only'); END"
        )
