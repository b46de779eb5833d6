"""Each payment has its proof, and belongs to the family and the *régie* of what it pays."""

from collections.abc import Iterator

from kiosque.payments.verification.queries import one, rows


def proofs() -> Iterator[str]:
    """A settlement comes from a verified debit of that amount, or from staff with a name and a
    reason."""
    for name in one(
        """
        SELECT settlement.id FROM settlement LEFT JOIN attempt ON attempt.id = attempt_id
        WHERE CASE WHEN attempt_id IS NULL
            THEN settlement.author = '' OR settlement.reason = ''
            ELSE settlement.gateway <> attempt.gateway
                OR COALESCE(settlement.family_id, 0) <> attempt.family_id
                OR NOT EXISTS (SELECT 1 FROM fact WHERE fact.attempt_id = settlement.attempt_id
                    AND fact.transaction_id = settlement.transaction_id
                    AND fact.amount_cents IN (settlement.amount_cents, 0)
                    AND fact.state IN ('paid', 'pending'))
            END
        """
    ):
        yield f"encaissement {name} : sans débit vérifié ni auteur"
    for name in one(
        """
        SELECT DISTINCT settlement.id FROM settlement
            JOIN allocation ON allocation.settlement_id = settlement.id
            JOIN attempt ON attempt.id = settlement.attempt_id
        WHERE allocation.kind = 'invoice' AND settlement.amount_cents <> attempt.amount_cents
            AND allocation.author = ''
        """
    ):
        yield f"encaissement {name} : paie une facture sans être du montant attendu"


def debits() -> Iterator[str]:
    """Every debit that the bank announced as made is in the books, or was undone."""
    for reference, transaction in rows(
        """
        SELECT DISTINCT attempt.reference, fact.transaction_id
        FROM fact JOIN attempt ON attempt.id = fact.attempt_id
        WHERE fact.state = 'paid' AND fact.source <> 'regisseur'
            AND NOT EXISTS (SELECT 1 FROM settlement
                WHERE settlement.gateway = attempt.gateway
                    AND settlement.transaction_id = fact.transaction_id)
            AND NOT EXISTS (SELECT 1 FROM fact AS undone
                WHERE undone.attempt_id = fact.attempt_id
                    AND undone.transaction_id = fact.transaction_id
                    AND undone.state = 'reversed')
        """
    ):
        yield f"paiement {reference} : le débit {transaction} n’est pas dans les comptes"


def families() -> Iterator[str]:
    """A family pays its own invoices, online and at the counter."""
    for reference in one(
        """
        SELECT DISTINCT attempt.reference FROM attempt
            JOIN attempt_item ON attempt_item.attempt_id = attempt.id
            JOIN invoice ON invoice.id = attempt_item.invoice_id
        WHERE invoice.family_id <> attempt.family_id
        """
    ):
        yield f"paiement {reference} : une de ses factures est d’une autre famille"
    for name in one(
        """
        SELECT DISTINCT settlement.id FROM settlement
            JOIN allocation ON allocation.settlement_id = settlement.id
            JOIN invoice ON invoice.id = allocation.invoice_id
        WHERE invoice.family_id <> COALESCE(settlement.family_id, 0)
        """
    ):
        yield f"encaissement {name} : il paie la facture d’une autre famille"


def regies() -> Iterator[str]:
    """A payment is of the *régie* of each of its invoices, and so is its money."""
    for reference in one(
        """
        SELECT DISTINCT attempt.reference FROM attempt
            JOIN attempt_item ON attempt_item.attempt_id = attempt.id
            JOIN invoice ON invoice.id = attempt_item.invoice_id
        WHERE invoice.regie <> attempt.regie
        """
    ):
        yield f"paiement {reference} : une de ses factures est d’une autre régie"
    for name in one(
        """
        SELECT DISTINCT settlement.id FROM settlement
            LEFT JOIN attempt ON attempt.id = settlement.attempt_id
            LEFT JOIN allocation ON allocation.settlement_id = settlement.id
            LEFT JOIN invoice ON invoice.id = allocation.invoice_id
        WHERE settlement.regie <> COALESCE(attempt.regie, invoice.regie, settlement.regie)
            OR settlement.regie <> COALESCE(invoice.regie, settlement.regie)
        """
    ):
        yield f"encaissement {name} : il n’est pas de la régie de ce qu’il paie"
