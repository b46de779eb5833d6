"""The revenue of services, against the payments that brought it."""

from collections.abc import Iterator

from kiosque.language.formats import format_euros
from kiosque.payments.verification.queries import rows


def revenues() -> Iterator[str]:
    """The revenue of a payment is what it pays of invoices in the journal, less what was given back
    while they stay paid."""
    for payment, booked, found in rows(
        """
        WITH paid AS (SELECT id, COALESCE(-attempt_id, id) AS payment FROM settlement)
        SELECT MIN(settlement), SUM(booked), SUM(found) FROM (
            SELECT paid.payment, paid.id AS settlement, amount_cents AS booked, 0 AS found
                FROM journal_entry JOIN paid ON paid.id = settlement_id
                WHERE substr(credit, 1, 8) = 'invoices' OR substr(credit, 1, 7) = 'refunds'
            UNION ALL SELECT paid.payment, paid.id, -amount_cents, 0
                FROM journal_entry JOIN paid ON paid.id = settlement_id
                WHERE substr(debit, 1, 8) = 'invoices' OR substr(debit, 1, 7) = 'refunds'
            UNION ALL SELECT paid.payment, paid.id, 0, amount_cents
                FROM revenue JOIN paid ON paid.id = settlement_id
        ) AS everything GROUP BY payment HAVING SUM(booked) <> SUM(found)
        """
    ):
        yield (
            f"encaissement {payment} : {format_euros(booked)} de recettes au journal, "
            f"{format_euros(found)} par prestation"
        )
