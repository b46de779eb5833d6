"""When the bank is asked about an attempt; money that leaves again; one run at a time.

Frozen: later changes are later files.
"""

STATEMENTS = """
ALTER TABLE attempt ADD COLUMN ask_at TEXT;
ALTER TABLE attempt ADD COLUMN asked_at TEXT;
ALTER TABLE attempt ADD COLUMN answered_at TEXT;
ALTER TABLE attempt ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempt_ask ON attempt (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX attempt_silent ON attempt (live_until) WHERE state IN ('created', 'handed_off');

ALTER TABLE fact ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';

ALTER TABLE settlement ADD COLUMN final_at TEXT;
ALTER TABLE settlement ADD COLUMN returned_cents INTEGER NOT NULL DEFAULT 0
    CHECK (returned_cents BETWEEN 0 AND amount_cents);
UPDATE settlement SET returned_cents = amount_cents WHERE state <> 'counted';
CREATE INDEX settlement_family ON settlement (family_id);

CREATE INDEX journal_entry_settlement ON journal_entry (settlement_id);
CREATE INDEX anomaly_open ON anomaly (id) WHERE resolved_at IS NULL;
CREATE INDEX anomaly_settlement ON anomaly (settlement_id);

CREATE TABLE repayment (
    id INTEGER PRIMARY KEY,
    settlement_id INTEGER NOT NULL REFERENCES settlement (id),
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'reversal', 'chargeback')),
    state TEXT NOT NULL CHECK (state IN ('asked', 'done', 'declined')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    key TEXT NOT NULL UNIQUE,
    gateway TEXT,
    transaction_id TEXT,
    asked_at TEXT NOT NULL,
    sent_at TEXT,
    done_at TEXT,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (gateway, transaction_id),
    CHECK (gateway IS NOT NULL OR (author <> '' AND reason <> '')),
    CHECK ((state = 'done') = (done_at IS NOT NULL))
) STRICT;
CREATE INDEX repayment_settlement ON repayment (settlement_id);
CREATE UNIQUE INDEX repayment_one_asked ON repayment (settlement_id) WHERE state = 'asked';
INSERT INTO repayment (settlement_id, kind, state, amount_cents, key, gateway, transaction_id,
        asked_at, done_at, author, reason)
    SELECT id, CASE state WHEN 'refunded' THEN 'refund' ELSE 'reversal' END, 'done', amount_cents,
        'before:' || id, gateway,
        (SELECT substr(status, 13) FROM fact WHERE fact.attempt_id = settlement.attempt_id
            AND fact.transaction_id = settlement.transaction_id AND status LIKE 'refunded by %'),
        settled_at, settled_at, author, reason
    FROM settlement WHERE state <> 'counted';

CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
