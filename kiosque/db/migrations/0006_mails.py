"""Tables of the mails that were sent or given up, and of the invoices each family was told of.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE outbox_mail ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'sent', 'failed', 'dropped'));
UPDATE outbox_mail SET state = 'sent' WHERE sent_at IS NOT NULL;
DROP INDEX outbox_mail_waiting;
CREATE INDEX outbox_mail_waiting ON outbox_mail (next_try_at) WHERE state = 'waiting';
CREATE INDEX outbox_mail_failed ON outbox_mail (id) WHERE state = 'failed';

CREATE TABLE family_notice (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('new-invoices', 'reminder', 'relance')),
    family_id INTEGER NOT NULL REFERENCES family (id),
    made_at TEXT NOT NULL
) STRICT;

CREATE TABLE family_notice_item (
    id INTEGER PRIMARY KEY,
    notice_id INTEGER NOT NULL REFERENCES family_notice (id),
    invoice_id INTEGER NOT NULL REFERENCES invoice (id),
    kind TEXT NOT NULL
) STRICT;
CREATE INDEX family_notice_item_notice ON family_notice_item (notice_id);
CREATE UNIQUE INDEX family_notice_item_once ON family_notice_item (invoice_id, kind);

CREATE INDEX invoice_open ON invoice (due_on) WHERE state = 'open';
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
