"""Invoices that the Treasury collects, against their transmissions and what pays them."""

from collections.abc import Iterator

from kiosque.payments.verification.queries import one


def states() -> Iterator[str]:
    """An unpaid invoice is transmitted if and only if a transmission of it is in force."""
    for number in one(
        """
        SELECT number FROM invoice LEFT JOIN transmission
            ON transmission.invoice_id = invoice.id AND ended_at IS NULL
        WHERE CASE state WHEN 'transmitted' THEN transmission.id IS NULL
            WHEN 'paid' THEN 1 = 0 ELSE transmission.id IS NOT NULL END
        """
    ):
        yield f"facture {number} : son état et la liste du Trésor public ne s’accordent pas"


def money() -> Iterator[str]:
    """Money received here since an invoice is the Treasury's does not pay it."""
    for number in one(
        """
        SELECT DISTINCT invoice.number FROM transmission
            JOIN invoice ON invoice.id = transmission.invoice_id
            JOIN allocation ON allocation.invoice_id = invoice.id
                AND kind = 'invoice' AND counts = 1
            JOIN settlement ON settlement.id = allocation.settlement_id
        WHERE ended_at IS NULL AND settlement.mode <> 'treasury'
            AND NOT EXISTS (SELECT 1 FROM journal_entry
                WHERE journal_entry.settlement_id = settlement.id
                    AND journal_entry.number <= transmission.journal_number)
        """
    ):
        yield f"facture {number} : payée ici depuis sa transmission au Trésor public"
