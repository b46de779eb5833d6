"""The first tables. Money is whole cents, instants are UTC text, dates are ISO text.

Frozen: later changes are later files. Constraints repeat in the database what the code
promises, so that no path around the code can break it.
"""

TABLES = """
CREATE TABLE family (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    postcode TEXT NOT NULL,
    city TEXT NOT NULL,
    updated_on TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    family_id INTEGER NOT NULL UNIQUE REFERENCES family (id),
    password_hash TEXT NOT NULL,
    must_change_password INTEGER NOT NULL,
    session_key TEXT NOT NULL
) STRICT;

CREATE TABLE guardian (
    id INTEGER PRIMARY KEY,
    family_id INTEGER NOT NULL REFERENCES family (id),
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL
) STRICT;
CREATE INDEX guardian_family ON guardian (family_id);

CREATE TABLE service (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE child (
    id INTEGER PRIMARY KEY,
    family_id INTEGER NOT NULL REFERENCES family (id),
    name TEXT NOT NULL,
    born_on TEXT,
    UNIQUE (family_id, name)
) STRICT;

CREATE TABLE enrolment (
    id INTEGER PRIMARY KEY,
    child_id INTEGER NOT NULL REFERENCES child (id),
    service_id INTEGER NOT NULL REFERENCES service (id),
    UNIQUE (child_id, service_id)
) STRICT;

CREATE TABLE import_batch (
    id INTEGER PRIMARY KEY,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    kind TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    added_count INTEGER NOT NULL,
    imported_at TEXT NOT NULL
) STRICT;

CREATE TABLE invoice (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    family_id INTEGER NOT NULL REFERENCES family (id),
    batch_id INTEGER NOT NULL REFERENCES import_batch (id),
    issued_on TEXT NOT NULL,
    due_on TEXT NOT NULL,
    closes_on TEXT,
    period TEXT NOT NULL,
    services TEXT NOT NULL,
    children TEXT NOT NULL,
    total_cents INTEGER NOT NULL CHECK (total_cents > 0),
    state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'cancelled')),
    state_reason TEXT NOT NULL,
    pdf_name TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE INDEX invoice_family ON invoice (family_id, state, issued_on);

CREATE TABLE invoice_line (
    id INTEGER PRIMARY KEY,
    invoice_id INTEGER NOT NULL REFERENCES invoice (id),
    child TEXT NOT NULL,
    service_id INTEGER NOT NULL REFERENCES service (id),
    label TEXT NOT NULL,
    quantity_hundredths INTEGER NOT NULL,
    unit_price_cents INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL
) STRICT;
CREATE INDEX invoice_line_invoice ON invoice_line (invoice_id);

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    family_id INTEGER NOT NULL REFERENCES family (id),
    gateway TEXT NOT NULL,
    started_at TEXT NOT NULL,
    day TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 899999),
    gateway_reference TEXT,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    state TEXT NOT NULL CHECK (state IN ('created', 'handed_off', 'pending', 'paid', 'refused',
        'cancelled', 'expired', 'reversed', 'refunded')),
    live_until TEXT NOT NULL,
    receipt_email TEXT,
    UNIQUE (gateway, day, number),
    UNIQUE (gateway, gateway_reference)
) STRICT;
CREATE INDEX attempt_family ON attempt (family_id, started_at);

CREATE TABLE attempt_item (
    id INTEGER PRIMARY KEY,
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    invoice_id INTEGER NOT NULL REFERENCES invoice (id),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    live INTEGER NOT NULL CHECK (live IN (0, 1)),
    UNIQUE (attempt_id, invoice_id)
) STRICT;
CREATE UNIQUE INDEX attempt_item_one_live ON attempt_item (invoice_id) WHERE live = 1;

CREATE TABLE fact (
    id INTEGER PRIMARY KEY,
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    at TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    state TEXT NOT NULL,
    status TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    source TEXT NOT NULL,
    UNIQUE (attempt_id, transaction_id, state, status)
) STRICT;

CREATE TABLE settlement (
    id INTEGER PRIMARY KEY,
    attempt_id INTEGER REFERENCES attempt (id),
    family_id INTEGER NOT NULL REFERENCES family (id),
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
    UNIQUE (gateway, transaction_id),
    CHECK ((attempt_id IS NOT NULL AND gateway IS NOT NULL AND transaction_id <> '')
        OR (attempt_id IS NULL AND author <> '' AND reason <> ''))
) STRICT;
CREATE INDEX settlement_attempt ON settlement (attempt_id);

CREATE TABLE allocation (
    id INTEGER PRIMARY KEY,
    settlement_id INTEGER NOT NULL REFERENCES settlement (id),
    invoice_id INTEGER REFERENCES invoice (id),
    kind TEXT NOT NULL CHECK (kind IN ('invoice', 'overpayment', 'unmatched')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    counts INTEGER NOT NULL CHECK (counts IN (0, 1)),
    CHECK (kind = 'unmatched' OR invoice_id IS NOT NULL)
) STRICT;
CREATE INDEX allocation_settlement ON allocation (settlement_id);
CREATE INDEX allocation_invoice ON allocation (invoice_id);
CREATE UNIQUE INDEX allocation_one_payment ON allocation (invoice_id)
    WHERE kind = 'invoice' AND counts = 1;

CREATE TABLE receipt (
    number INTEGER PRIMARY KEY,
    settlement_id INTEGER NOT NULL UNIQUE REFERENCES settlement (id),
    issued_at TEXT NOT NULL
) STRICT;

CREATE TABLE journal_entry (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    settlement_id INTEGER NOT NULL REFERENCES settlement (id),
    label TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL CHECK (credit <> debit),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    received_at TEXT NOT NULL,
    gateway TEXT NOT NULL,
    accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    verdict TEXT NOT NULL,
    reference TEXT NOT NULL,
    fields TEXT NOT NULL
) STRICT;

CREATE TABLE anomaly (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    noted_at TEXT NOT NULL,
    attempt_id INTEGER REFERENCES attempt (id),
    settlement_id INTEGER REFERENCES settlement (id),
    invoice_id INTEGER REFERENCES invoice (id),
    amount_cents INTEGER NOT NULL,
    detail TEXT NOT NULL,
    resolved_at TEXT,
    resolved_by TEXT NOT NULL,
    resolution TEXT NOT NULL
) STRICT;

CREATE TABLE outbox_mail (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    template TEXT NOT NULL,
    object_id INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    queued_at TEXT NOT NULL,
    next_try_at TEXT NOT NULL,
    tries INTEGER NOT NULL,
    sent_at TEXT,
    last_error TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_mail_waiting ON outbox_mail (next_try_at) WHERE sent_at IS NULL;
"""

# What proves the accounts is written once: no path, ours included, changes or erases it.
APPEND_ONLY = ("journal_entry", "notice", "fact", "receipt")


def up(migrator, db):
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            db.execute_sql(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
