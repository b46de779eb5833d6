"""Find the attempts of an invoice by an index: the list of a family's invoices asks for them.

Frozen: later changes are later files.
"""


def up(migrator, db):
    db.execute_sql("CREATE INDEX attempt_item_invoice ON attempt_item (invoice_id)")
