"""The books of the month: entries of the journal that are about no payment, what was collected by
service, the town's imputations, deposits (*bordereaux de versement*), months closed, and the
statements of the bank.

An entry's `version` says which of its columns its hash covers. SQLite changes no constraint of a
table: the journal is made anew, with the same rows.

Frozen: later changes are later files.
"""

from itertools import groupby
from operator import itemgetter

BEFORE = """
CREATE TABLE bank_account (
    id INTEGER PRIMARY KEY,
    regie TEXT NOT NULL UNIQUE,
    number TEXT NOT NULL UNIQUE CHECK (number <> ''),
    noted_at TEXT NOT NULL, author TEXT NOT NULL
) STRICT;
CREATE TABLE statement_file (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    kind TEXT NOT NULL,
    loaded_at TEXT NOT NULL, author TEXT NOT NULL
) STRICT;
CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    file_id INTEGER NOT NULL REFERENCES statement_file (id),
    regie TEXT NOT NULL,
    opened_on TEXT, opening_cents INTEGER,
    closed_on TEXT, closing_cents INTEGER
) STRICT;
CREATE INDEX statement_of_file ON statement (file_id);
CREATE INDEX statement_days ON statement (regie, closed_on);
CREATE TABLE statement_line (
    id INTEGER PRIMARY KEY,
    statement_id INTEGER NOT NULL REFERENCES statement (id),
    regie TEXT NOT NULL,
    booked_on TEXT NOT NULL, value_on TEXT,
    amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0),
    label TEXT NOT NULL, reference TEXT NOT NULL,
    occurrence INTEGER NOT NULL CHECK (occurrence > 0),
    state TEXT NOT NULL CHECK (state IN ('open', 'matched')),
    UNIQUE (regie, booked_on, amount_cents, label, reference, occurrence)
) STRICT;
CREATE INDEX statement_line_of_statement ON statement_line (statement_id);
CREATE INDEX statement_line_open ON statement_line (regie, booked_on) WHERE state = 'open';
CREATE TABLE bank_operation (
    id INTEGER PRIMARY KEY,
    file_id INTEGER NOT NULL REFERENCES statement_file (id),
    gateway TEXT NOT NULL,
    paid_on TEXT NOT NULL,
    transaction_id TEXT NOT NULL, order_reference TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0),
    fee_cents INTEGER,
    remitted_on TEXT, remittance TEXT NOT NULL,
    occurrence INTEGER NOT NULL CHECK (occurrence > 0),
    settlement_id INTEGER REFERENCES settlement (id),
    repayment_id INTEGER REFERENCES repayment (id),
    CHECK (settlement_id IS NULL OR repayment_id IS NULL),
    UNIQUE (gateway, paid_on, transaction_id, amount_cents, remittance, occurrence)
) STRICT;
CREATE INDEX bank_operation_file ON bank_operation (file_id);
CREATE INDEX bank_operation_day ON bank_operation (gateway, remitted_on);
CREATE UNIQUE INDEX bank_operation_settlement ON bank_operation (settlement_id)
    WHERE settlement_id IS NOT NULL;
CREATE UNIQUE INDEX bank_operation_repayment ON bank_operation (repayment_id)
    WHERE repayment_id IS NOT NULL;
CREATE TABLE imputation (
    id INTEGER PRIMARY KEY,
    regie TEXT NOT NULL,
    service_id INTEGER NOT NULL REFERENCES service (id),
    valid_from TEXT NOT NULL,
    article TEXT NOT NULL CHECK (article <> ''),
    fonction TEXT NOT NULL, antenne TEXT NOT NULL,
    noted_at TEXT NOT NULL, author TEXT NOT NULL,
    UNIQUE (regie, service_id, valid_from)
) STRICT;
CREATE TABLE deposit (
    id INTEGER PRIMARY KEY,
    regie TEXT NOT NULL,
    year INTEGER NOT NULL, number INTEGER NOT NULL CHECK (number > 0),
    up_to INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL,
    made_at TEXT NOT NULL, author TEXT NOT NULL,
    pdf_sha256 TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (regie, year, number)
) STRICT;
CREATE TABLE deposit_answer (
    id INTEGER PRIMARY KEY,
    deposit_id INTEGER NOT NULL UNIQUE REFERENCES deposit (id),
    answered_on TEXT NOT NULL,
    reference TEXT NOT NULL CHECK (reference <> ''),
    noted_at TEXT NOT NULL, author TEXT NOT NULL
) STRICT;
CREATE TABLE month_closing (
    id INTEGER PRIMARY KEY,
    regie TEXT NOT NULL,
    month TEXT NOT NULL,
    up_to INTEGER NOT NULL, last_hash TEXT NOT NULL,
    balances TEXT NOT NULL,
    gap_cents INTEGER NOT NULL, gap_reason TEXT NOT NULL,
    closed_at TEXT NOT NULL, author TEXT NOT NULL,
    content TEXT NOT NULL,
    CHECK (gap_cents = 0 OR gap_reason <> ''),
    UNIQUE (regie, month)
) STRICT;
CREATE TABLE carried_anomaly (
    id INTEGER PRIMARY KEY,
    anomaly_id INTEGER NOT NULL REFERENCES anomaly (id),
    month TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason <> ''),
    noted_at TEXT NOT NULL, author TEXT NOT NULL,
    UNIQUE (anomaly_id, month)
) STRICT
"""

JOURNAL = """
DROP TRIGGER journal_entry_no_update;
DROP TRIGGER journal_entry_no_delete;
CREATE TABLE journal_before AS SELECT * FROM journal_entry;
DROP TABLE journal_entry;
CREATE TABLE journal_entry (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    regie TEXT NOT NULL,
    settlement_id INTEGER REFERENCES settlement (id),
    statement_id INTEGER REFERENCES statement (id),
    line_id INTEGER REFERENCES statement_line (id),
    deposit_id INTEGER REFERENCES deposit (id),
    closing_id INTEGER REFERENCES month_closing (id),
    corrects INTEGER REFERENCES journal_entry (number),
    label TEXT NOT NULL,
    debit TEXT NOT NULL, credit TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0),
    version INTEGER NOT NULL CHECK (version IN (1, 2)),
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    CHECK (CASE WHEN settlement_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN statement_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN line_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN deposit_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN closing_id IS NULL THEN 0 ELSE 1 END = 1),
    CHECK ((closing_id IS NOT NULL AND amount_cents = 0 AND debit = '' AND credit = '')
        OR (closing_id IS NULL AND amount_cents > 0 AND debit <> credit))
) STRICT;
INSERT INTO journal_entry (number, at, regie, settlement_id, label, debit, credit, amount_cents,
        version, previous_hash, hash)
    SELECT number, at, settlement.regie, settlement_id, label, debit, credit,
        journal_before.amount_cents, 1, previous_hash, hash
    FROM journal_before JOIN settlement ON settlement.id = settlement_id ORDER BY number;
DROP TABLE journal_before
"""

AFTER = """
CREATE INDEX attempt_undecided ON attempt (started_at)
    WHERE state IN ('created', 'handed_off', 'pending');
CREATE INDEX journal_entry_settlement ON journal_entry (settlement_id)
    WHERE settlement_id IS NOT NULL;
CREATE INDEX journal_entry_line ON journal_entry (line_id) WHERE line_id IS NOT NULL;
CREATE INDEX journal_entry_at ON journal_entry (at);
CREATE INDEX journal_entry_regie ON journal_entry (regie, number);
CREATE TABLE line_match (
    id INTEGER PRIMARY KEY,
    line_id INTEGER NOT NULL REFERENCES statement_line (id),
    kind TEXT NOT NULL CHECK (kind IN ('settlement', 'repayment', 'deposit', 'fee', 'other')),
    settlement_id INTEGER REFERENCES settlement (id),
    repayment_id INTEGER REFERENCES repayment (id),
    deposit_id INTEGER REFERENCES deposit (id),
    amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0),
    rule TEXT NOT NULL,
    matched_at TEXT NOT NULL, author TEXT NOT NULL,
    reason TEXT NOT NULL,
    undone_at TEXT,
    undone_by TEXT NOT NULL DEFAULT '',
    undo_reason TEXT NOT NULL DEFAULT '',
    CHECK ((settlement_id IS NOT NULL) = (kind = 'settlement')),
    CHECK ((repayment_id IS NOT NULL) = (kind = 'repayment')),
    CHECK ((deposit_id IS NOT NULL) = (kind = 'deposit')),
    CHECK ((undone_at IS NULL) = (undone_by = ''))
) STRICT;
CREATE INDEX line_match_line ON line_match (line_id);
CREATE UNIQUE INDEX line_match_settlement ON line_match (settlement_id)
    WHERE undone_at IS NULL AND settlement_id IS NOT NULL;
CREATE UNIQUE INDEX line_match_repayment ON line_match (repayment_id)
    WHERE undone_at IS NULL AND repayment_id IS NOT NULL;
CREATE UNIQUE INDEX line_match_deposit ON line_match (deposit_id)
    WHERE undone_at IS NULL AND deposit_id IS NOT NULL;
CREATE TABLE revenue (
    id INTEGER PRIMARY KEY,
    journal_number INTEGER NOT NULL REFERENCES journal_entry (number),
    settlement_id INTEGER NOT NULL REFERENCES settlement (id),
    invoice_id INTEGER NOT NULL REFERENCES invoice (id),
    service_id INTEGER NOT NULL REFERENCES service (id),
    kind TEXT NOT NULL CHECK (kind IN ('collected', 'cancelled', 'refunded')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0)
) STRICT;
CREATE INDEX revenue_settlement ON revenue (settlement_id);
CREATE INDEX revenue_number ON revenue (journal_number);
CREATE TABLE kept_back (
    id INTEGER PRIMARY KEY,
    revenue_id INTEGER NOT NULL REFERENCES revenue (id),
    noted_at TEXT NOT NULL, author TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason <> ''),
    ended_at TEXT
) STRICT;
CREATE UNIQUE INDEX kept_back_in_force ON kept_back (revenue_id) WHERE ended_at IS NULL;
CREATE TABLE deposit_line (
    id INTEGER PRIMARY KEY,
    deposit_id INTEGER NOT NULL REFERENCES deposit (id),
    revenue_id INTEGER NOT NULL UNIQUE REFERENCES revenue (id),
    article TEXT NOT NULL,
    fonction TEXT NOT NULL, antenne TEXT NOT NULL
) STRICT;
CREATE INDEX deposit_line_deposit ON deposit_line (deposit_id)
"""

#: What proves the accounts is written once: no path, ours included, changes or erases it.
APPEND_ONLY = ("journal_entry", "revenue", "deposit", "deposit_line", "month_closing")

#: What each payment pays of invoices, line by line, and the last entry of the journal about it.
PAID = """
SELECT COALESCE(-settlement.attempt_id, settlement.id) AS payment, allocation.id,
    allocation.settlement_id, allocation.invoice_id, allocation.amount_cents,
    invoice_line.service_id, invoice_line.amount_cents,
    (SELECT MAX(number) FROM journal_entry WHERE settlement_id IN (
        SELECT other.id FROM settlement AS other
        WHERE other.id = settlement.id OR other.attempt_id = settlement.attempt_id))
FROM allocation JOIN settlement ON settlement.id = allocation.settlement_id
    JOIN invoice_line ON invoice_line.invoice_id = allocation.invoice_id
WHERE allocation.kind = 'invoice' AND allocation.counts = 1
ORDER BY payment, allocation.id, invoice_line.id
"""

#: What was given back of payments whose invoices stay paid.
REFUNDED = """
SELECT COALESCE(-settlement.attempt_id, settlement.id) AS payment,
    SUM(CASE WHEN debit LIKE 'refunds%' THEN journal_entry.amount_cents
        WHEN credit LIKE 'refunds%' THEN -journal_entry.amount_cents ELSE 0 END)
FROM journal_entry JOIN settlement ON settlement.id = journal_entry.settlement_id
GROUP BY payment
"""


def up(migrator, db):
    for statement in (*BEFORE.split(";"), *JOURNAL.split(";"), *AFTER.split(";")):
        if statement.strip():
            db.execute_sql(statement)
    _fill(db)
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            db.execute_sql(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _fill(db):
    """Write what was collected by service until now, as bookings do from now on."""
    refunded = {payment: int(cents) for payment, cents in db.execute_sql(REFUNDED).fetchall()}
    paid = db.execute_sql(PAID).fetchall()
    for payment, rows in groupby(paid, key=itemgetter(0)):
        found = {}
        for _allocation, of_one in groupby(rows, key=itemgetter(1)):
            lines = list(of_one)
            shares = _share(lines[0][4], [line[6] for line in lines])
            for (_, _, settlement, invoice, _, service, _, number), cents in zip(
                lines, shares, strict=True
            ):
                key = (number, settlement, invoice, service)
                found[key] = found.get(key, 0) + cents
        for key, cents in found.items():
            _insert(db, key, "collected", cents)
        if cents := refunded.get(payment):
            for key, part in zip(found, _share(cents, list(found.values())), strict=True):
                _insert(db, key, "refunded", -part)


def _insert(db, key, kind, cents):
    if cents:
        db.execute_sql(
            "INSERT INTO revenue (journal_number, settlement_id, invoice_id, service_id, kind, "
            "amount_cents) VALUES (?, ?, ?, ?, ?, ?)",
            (*key, kind, cents),
        )


def _share(cents, lines):
    """Share cents between lines in proportion, by largest remainder: each part is rounded down,
    then the cents left go to the lines that lost the most, the first ones on a tie."""
    total = sum(lines)
    parts = [divmod(cents * line, total) for line in lines]
    found = [part for part, _lost in parts]
    by_loss = sorted(range(len(parts)), key=lambda place: -parts[place][1])
    for place in by_loss[: cents - sum(found)]:
        found[place] += 1
    return found
