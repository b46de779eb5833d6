"""Credit notes (*avoirs*): each cent of one pays once."""

from collections.abc import Iterator

from kiosque.payments.verification.queries import one


def worth() -> Iterator[str]:
    """The used cents of a credit note are those that it pays, and only a credit note is used so."""
    for number in one(
        """
        SELECT number FROM invoice LEFT JOIN settlement
            ON settlement.credit_id = invoice.id AND settlement.state = 'counted'
        WHERE invoice.state = 'nothing_due' OR credit_id IS NOT NULL
        GROUP BY invoice.id, number, invoice.state, paid_cents, total_cents
        HAVING paid_cents <> -COALESCE(SUM(amount_cents), 0)
            OR (COUNT(credit_id) > 0 AND (invoice.state <> 'nothing_due' OR total_cents >= 0))
        """
    ):
        yield f"avoir {number} : ce qui en est employé ne s’explique pas"


def uses_of_notes() -> Iterator[str]:
    """Each use of a credit note pays one invoice, of the note's own family and *régie*. It is no
    money: no part of it can be given back or left without a use."""
    for name in one(
        """
        SELECT settlement.id FROM settlement
            JOIN invoice AS note ON note.id = settlement.credit_id
            LEFT JOIN allocation ON allocation.settlement_id = settlement.id
        GROUP BY settlement.id, settlement.family_id, settlement.regie, settlement.attempt_id,
            returned_cents, settlement.amount_cents, note.family_id, note.regie
        HAVING COUNT(allocation.id) <> 1 OR MIN(kind) <> 'invoice'
            OR settlement.family_id <> note.family_id OR settlement.regie <> note.regie
            OR settlement.attempt_id IS NOT NULL
            OR returned_cents NOT IN (0, settlement.amount_cents)
        """
    ):
        yield f"encaissement {name} : l’avoir ne paie pas une facture, et une seule, de sa famille"
