"""Read the town hall's lists of invoices and of payments in their order, whatever their number.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE INDEX invoice_issued ON invoice (issued_on, id);
CREATE INDEX invoice_due ON invoice (due_on, id);
CREATE INDEX invoice_period ON invoice (period, issued_on, id);
CREATE INDEX invoice_total ON invoice (total_cents, issued_on, id);
CREATE INDEX settlement_settled ON settlement (settled_at, id);
CREATE INDEX settlement_amount ON settlement (amount_cents, settled_at, id);
CREATE INDEX settlement_transaction ON settlement (transaction_id);
CREATE INDEX outbox_mail_about ON outbox_mail (template, object_id)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
