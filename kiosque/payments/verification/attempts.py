"""The state of each payment, against its facts and its money."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from kiosque.db.models import Attempt
from kiosque.db.states import AttemptState, FactSource, attempt_state
from kiosque.language import clock
from kiosque.language.formats import counted
from kiosque.payments.verification.queries import one, rows
from kiosque.payments.words import ATTEMPT_STATES

#: An attempt due for so long shows that nobody runs the command that asks the bank.
LATE = timedelta(hours=2)


def attempts() -> Iterator[str]:
    """An attempt's state is what its facts amount to."""
    known_facts = rows(
        """
        SELECT attempt.reference, attempt.state, fact.transaction_id, fact.state, fact.source
        FROM attempt LEFT JOIN fact ON fact.attempt_id = attempt.id ORDER BY attempt.id
        """
    )
    for (reference, state), facts in groupby(known_facts, key=itemgetter(0, 1)):
        known = [
            (row[2], AttemptState(row[3]), FactSource(row[4]))
            for row in facts
            if row[3] is not None
        ]
        if not known or attempt_state(known) != state:
            yield f"paiement {reference} : son état {_words(state)} ne s’explique pas"


def _words(state: AttemptState) -> str:
    return f"« {ATTEMPT_STATES.get(state, state)} »"


def states() -> Iterator[str]:
    """An attempt's state agrees with its money: paid while a debit that it awaited counts, given
    back once one was and none counts any more."""
    for reference, state in rows(
        """
        SELECT attempt.reference, attempt.state FROM attempt
            LEFT JOIN settlement ON settlement.attempt_id = attempt.id
            LEFT JOIN allocation ON allocation.settlement_id = settlement.id AND counts = 1
        GROUP BY attempt.id, attempt.reference, attempt.state
        HAVING (attempt.state = 'paid' AND COUNT(CASE WHEN kind <> 'unmatched' THEN 1 END) = 0)
            -- A human may have found a use for money that was not awaited.
            OR (attempt.state <> 'paid' AND COUNT(CASE WHEN kind <> 'unmatched'
                AND allocation.author = '' THEN 1 END) > 0)
            OR (attempt.state NOT IN ('paid', 'pending')
                AND COUNT(CASE WHEN settlement.state = 'counted' THEN 1 END) > 0)
            OR (attempt.state = 'refunded'
                AND COUNT(CASE WHEN settlement.state = 'refunded' THEN 1 END) = 0)
        """
    ):
        yield f"paiement {reference} : état {_words(state)}, ses encaissements disent autre chose"


def holds() -> Iterator[str]:
    """A payment that is decided holds no invoice."""
    for reference, state in rows(
        """
        SELECT DISTINCT attempt.reference, attempt.state
        FROM attempt_item JOIN attempt ON attempt.id = attempt_item.attempt_id
        WHERE live = 1 AND attempt.state NOT IN ('created', 'handed_off', 'pending')
        """
    ):
        yield f"paiement {reference} : état {_words(state)}, il retient encore une facture"


def amounts() -> Iterator[str]:
    """A payment asks for what its invoices ask, and they ask no other sum while it is open."""
    for reference in one(
        """
        SELECT attempt.reference FROM attempt
            JOIN attempt_item ON attempt_item.attempt_id = attempt.id
        GROUP BY attempt.id, attempt.reference, attempt.amount_cents
        HAVING SUM(attempt_item.amount_cents) <> attempt.amount_cents
        """
    ):
        yield f"paiement {reference} : son montant n’est pas celui de ses factures"
    for reference, number in rows(
        """
        SELECT attempt.reference, invoice.number FROM attempt_item
            JOIN attempt ON attempt.id = attempt_item.attempt_id
            JOIN invoice ON invoice.id = attempt_item.invoice_id
        WHERE live = 1 AND (attempt_item.amount_cents > invoice.total_cents
            -- One of which a part was paid or given back meanwhile asks another sum as it is.
            OR attempt_item.amount_cents < invoice.total_cents AND NOT EXISTS (
                SELECT 1 FROM allocation WHERE allocation.invoice_id = invoice.id))
        """
    ):
        yield f"paiement {reference} : la facture {number} a changé de total depuis son ouverture"


def questions() -> Iterator[str]:
    """Somebody asks the bank about what is due."""
    late = Attempt.select().where(Attempt.ask_at < clock.now() - LATE).count()
    if late:
        yield (
            f"{counted(late, 'paiement')} à demander à la banque depuis plus de deux heures : la "
            "minuterie appelle-t-elle « reconcile » ? Une passerelle a-t-elle été retirée "
            "(« gateways ») ?"
        )
