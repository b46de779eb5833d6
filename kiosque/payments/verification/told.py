"""Verify that all a human must look at has its entry in `todo`, done with or not."""

from collections.abc import Iterator

from kiosque.payments.verification.queries import one, rows


def overpayments() -> Iterator[str]:
    """Each *trop-perçu* was told to the régisseur."""
    for name in one(
        """
        SELECT allocation.settlement_id FROM allocation
        WHERE kind = 'overpayment' AND NOT EXISTS (SELECT 1 FROM anomaly
            WHERE anomaly.settlement_id = allocation.settlement_id
                AND anomaly.invoice_id = allocation.invoice_id AND anomaly.kind = 'overpayment')
        """
    ):
        yield f"encaissement {name} : trop-perçu jamais signalé"


def unmatched() -> Iterator[str]:
    """Money that matches nothing was told to the régisseur."""
    for name in one(
        """
        SELECT allocation.settlement_id FROM allocation
            JOIN settlement ON settlement.id = allocation.settlement_id
        WHERE allocation.kind = 'unmatched' AND NOT EXISTS (SELECT 1 FROM anomaly
            -- Once it has left, the entry about its departure says all.
            WHERE anomaly.kind IN ('mismatch', 'reversed', 'refunded')
                AND (anomaly.gateway = settlement.gateway
                    AND anomaly.transaction_id = settlement.transaction_id
                -- Before entries bore the bank's name of the debit, their key did.
                OR anomaly.attempt_id = settlement.attempt_id
                    AND replace(anomaly.key, settlement.transaction_id, '') <> anomaly.key))
        """
    ):
        yield f"encaissement {name} : argent sans emploi jamais signalé"


def refunds() -> Iterator[str]:
    """A refund that the bank told of was given back of a debit, or told to the régisseur."""
    for reference, transaction in rows(
        """
        SELECT DISTINCT attempt.reference, fact.transaction_id
        FROM fact JOIN attempt ON attempt.id = fact.attempt_id
        WHERE fact.state = 'refunded' AND fact.source <> 'portal'
            AND NOT EXISTS (SELECT 1 FROM repayment WHERE repayment.gateway = attempt.gateway
                AND repayment.transaction_id = fact.transaction_id)
            AND NOT EXISTS (SELECT 1 FROM anomaly WHERE anomaly.key =
                'unmatched_refund:' || attempt.reference || ':' || fact.transaction_id)
        """
    ):
        yield f"paiement {reference} : remboursement {transaction} à rapprocher, jamais signalé"


def departures() -> Iterator[str]:
    """Money that left without the régisseur was told to him."""
    for name in one(
        """
        SELECT DISTINCT settlement_id FROM repayment
        WHERE state = 'done' AND author = '' AND gateway IS NOT NULL
            AND substr(repayment.key, 1, 7) <> 'before:' AND NOT EXISTS (SELECT 1 FROM anomaly
                WHERE anomaly.settlement_id = repayment.settlement_id
                    AND anomaly.kind IN ('reversed', 'refunded', 'partial_refund'))
        """
    ):
        yield f"encaissement {name} : argent reparti, jamais signalé"
