"""Fill in the invoice that a *trop-perçu* came for, where a human had it pay another one before
that was kept: the journal says that it was a *trop-perçu*, the anomaly says of which invoice.

Frozen: later changes are later files.
"""

STATEMENTS = """
UPDATE allocation SET came_for = (
    SELECT anomaly.invoice_id FROM anomaly
    WHERE anomaly.kind = 'overpayment' AND anomaly.settlement_id = allocation.settlement_id
    ORDER BY CASE WHEN resolution LIKE 'facture ' || (
        SELECT number FROM invoice WHERE invoice.id = allocation.invoice_id) || ', %'
        THEN 0 ELSE 1 END, anomaly.id LIMIT 1)
WHERE kind = 'invoice' AND author <> '' AND came_for IS NULL AND EXISTS (
    SELECT 1 FROM journal_entry
    WHERE journal_entry.settlement_id = allocation.settlement_id
        AND substr(debit, 1, 12) = 'overpayments' AND label =
        'trop-perçu affecté à une autre facture (' || allocation.author || ' : '
        || allocation.reason || ')')
"""


def up(migrator, db):
    db.execute_sql(STATEMENTS)
