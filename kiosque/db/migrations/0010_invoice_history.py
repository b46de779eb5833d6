"""The settled invoices of a family, the latest first, however many there are.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE INDEX invoice_history ON invoice (family_id, issued_on, number);
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
