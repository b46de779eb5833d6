"""All that a human must look at has an entry in the régisseur's list, resolved or not."""

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


def guesses() -> Iterator[str]:
    """A refund whose debit the bank did not name, and that may be of several debits, was told to
    the régisseur."""
    for name in one(
        """
        SELECT DISTINCT repayment.settlement_id FROM repayment
            JOIN settlement ON settlement.id = repayment.settlement_id
            JOIN fact ON fact.attempt_id = settlement.attempt_id
                AND fact.transaction_id = repayment.transaction_id
                AND fact.state = 'refunded' AND fact.source <> 'portal' AND fact.parent_id = ''
        WHERE repayment.author = '' AND substr(repayment.key, 1, 7) <> 'before:'
            AND (SELECT COUNT(*) FROM settlement AS debit
                WHERE debit.attempt_id = settlement.attempt_id
                    AND debit.amount_cents >= repayment.amount_cents) > 1
            AND NOT EXISTS (SELECT 1 FROM anomaly
                WHERE anomaly.key = 'guessed_refund:' || CAST(repayment.id AS TEXT))
        """
    ):
        yield f"encaissement {name} : remboursement d’un débit deviné, jamais signalé"


def gifts() -> Iterator[str]:
    """A debit that the town refunded by itself and that the bank then undid too was told to the
    régisseur."""
    for name in one(
        """
        SELECT DISTINCT settlement.id FROM settlement
            JOIN repayment ON repayment.settlement_id = settlement.id
                AND repayment.kind = 'refund' AND repayment.state = 'done'
                AND repayment.author <> '' AND repayment.sent_at IS NULL
                AND repayment.transaction_id IS NULL
            JOIN fact ON fact.attempt_id = settlement.attempt_id
                AND fact.transaction_id = settlement.transaction_id
                AND fact.state = 'reversed' AND fact.source = 'bank'
                AND fact.at >= repayment.done_at
        WHERE NOT EXISTS (SELECT 1 FROM anomaly
                WHERE anomaly.key = 'given_twice:' || CAST(settlement.id AS TEXT))
            -- Of a debit that was restored, the refund may be the later of the two.
            AND NOT EXISTS (SELECT 1 FROM fact AS restored
                WHERE restored.attempt_id = settlement.attempt_id
                    AND restored.source = 'regisseur'
                    AND substr(restored.transaction_id, 1, length(settlement.transaction_id) + 1)
                        = settlement.transaction_id || '+')
        """
    ):
        yield f"encaissement {name} : rendu deux fois, jamais signalé"
