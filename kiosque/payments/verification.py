"""Check that the books hold together, in the database as it is. Change nothing.

Each check is one query over all rows that finds those for which it does not hold: it stays quick on
a large database. The journal is read entry by entry, in its own module.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from kiosque.db import database
from kiosque.db.models import Attempt
from kiosque.db.states import AllocationKind, AttemptState, attempt_state
from kiosque.language import clock
from kiosque.language.formats import counted, format_euros
from kiosque.payments import journal
from kiosque.payments.ledger import balances_for

#: An attempt due for so long shows that nobody runs the command that asks the bank.
LATE = timedelta(hours=2)


def faults() -> list[str]:
    """Return what is wrong, in French, each fault naming what it is about; nothing if all is
    well."""
    return [*journal.verify(), *(fault for check in _CHECKS for fault in check())]


def _invoices() -> Iterator[str]:
    """An invoice is paid if and only if exactly one allocation that counts pays its total;
    one that asks for nothing is of zero or below."""
    for number, state, total, count, cents in _rows(
        """
        SELECT invoice.number, invoice.state, total_cents, COUNT(allocation.id),
            COALESCE(SUM(allocation.amount_cents), 0)
        FROM invoice LEFT JOIN allocation ON allocation.invoice_id = invoice.id
            AND allocation.kind = 'invoice' AND allocation.counts = 1
        GROUP BY invoice.id
        HAVING (state = 'paid') <> (COUNT(allocation.id) = 1)
            OR (state = 'paid' AND SUM(allocation.amount_cents) <> total_cents)
            OR (state = 'nothing_due' AND total_cents > 0)
        """
    ):
        yield (
            f"facture {number} : état {state}, {format_euros(total)} dus, "
            f"{counted(count, 'paiement')} pour {format_euros(cents)}"
        )


def _proofs() -> Iterator[str]:
    """A settlement comes from a verified debit of that amount, or from staff with a name and a
    reason."""
    for name in _one(
        """
        SELECT settlement.id FROM settlement LEFT JOIN attempt ON attempt.id = attempt_id
        WHERE CASE WHEN attempt_id IS NULL
            THEN settlement.author = '' OR settlement.reason = ''
            ELSE settlement.gateway <> attempt.gateway
                OR settlement.family_id <> attempt.family_id
                OR NOT EXISTS (SELECT 1 FROM fact WHERE fact.attempt_id = settlement.attempt_id
                    AND fact.transaction_id = settlement.transaction_id
                    AND fact.amount_cents IN (settlement.amount_cents, 0)
                    AND fact.state IN ('paid', 'pending'))
            END
        """
    ):
        yield f"encaissement {name} : sans débit vérifié ni auteur"
    for name in _one(
        """
        SELECT DISTINCT settlement.id FROM settlement
            JOIN allocation ON allocation.settlement_id = settlement.id
            JOIN attempt ON attempt.id = settlement.attempt_id
        WHERE allocation.kind = 'invoice' AND settlement.amount_cents <> attempt.amount_cents
            AND allocation.author = ''
        """
    ):
        yield f"encaissement {name} : paie une facture sans être du montant attendu"


def _debits() -> Iterator[str]:
    """Every debit that the bank announced as made is in the books, or was undone."""
    for reference, transaction in _rows(
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


def _parts() -> Iterator[str]:
    """The parts of a settlement add up to it; they count until all of it has left."""
    for name in _one(
        """
        SELECT settlement.id FROM settlement
            LEFT JOIN allocation ON allocation.settlement_id = settlement.id
        GROUP BY settlement.id
        HAVING COALESCE(SUM(allocation.amount_cents), 0) <> settlement.amount_cents
            OR SUM(CASE WHEN (allocation.counts = 1) <> (settlement.state = 'counted')
                THEN 1 ELSE 0 END) > 0
        """
    ):
        yield f"encaissement {name} : ses parts n’en font pas le montant"


def _repayments() -> Iterator[str]:
    """Money leaves by a repayment only: what is paid stays paid otherwise."""
    for name in _one(
        """
        SELECT settlement.id FROM settlement
            LEFT JOIN repayment ON repayment.settlement_id = settlement.id
                AND repayment.state = 'done'
        GROUP BY settlement.id
        HAVING COALESCE(SUM(repayment.amount_cents), 0) <> settlement.returned_cents
            OR (settlement.state = 'counted')
                <> (settlement.returned_cents < settlement.amount_cents)
        """
    ):
        yield f"encaissement {name} : ce qui en a été rendu ne s’explique pas"


def _overpayments() -> Iterator[str]:
    """Each *trop-perçu* was told to the régisseur."""
    for name in _one(
        """
        SELECT allocation.settlement_id FROM allocation
        WHERE kind = 'overpayment' AND NOT EXISTS (SELECT 1 FROM anomaly
            WHERE anomaly.settlement_id = allocation.settlement_id
                AND anomaly.invoice_id = allocation.invoice_id AND anomaly.kind = 'overpayment')
        """
    ):
        yield f"encaissement {name} : trop-perçu jamais signalé"


def _receipts() -> Iterator[str]:
    """Receipts are numbered without gaps, and each debit that paid has one."""
    for last, count in _rows("SELECT COALESCE(MAX(number), 0), COUNT(*) FROM receipt"):
        if last != count:
            yield f"reçus : {count} reçus, le dernier porte le numéro {last}"
    for name in _one(
        """
        SELECT DISTINCT settlement_id FROM allocation
            JOIN settlement ON settlement.id = settlement_id
        WHERE kind <> 'unmatched' AND attempt_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM receipt
                WHERE receipt.settlement_id = allocation.settlement_id)
        """
    ):
        yield f"encaissement {name} : sans reçu"


def _attempts() -> Iterator[str]:
    """An attempt's state is what its facts amount to."""
    rows = _rows(
        """
        SELECT attempt.reference, attempt.state, fact.transaction_id, fact.state
        FROM attempt LEFT JOIN fact ON fact.attempt_id = attempt.id ORDER BY attempt.id
        """
    )
    for (reference, state), facts in groupby(rows, key=itemgetter(0, 1)):
        known = [(row[2], AttemptState(row[3])) for row in facts if row[3] is not None]
        if not known or attempt_state(known) != state:
            yield f"paiement {reference} : son état {state} ne s’explique pas"


def _accounts() -> Iterator[str]:
    """The journal holds for each payment what its settlements and their parts amount to."""
    rows = _rows(
        """
        WITH money AS (SELECT id, state, amount_cents, returned_cents,
            COALESCE('bank:' || gateway, 'counter:' || mode) || '/' || regie AS source,
            MIN(id) OVER (PARTITION BY COALESCE(-attempt_id, id)) AS payment FROM settlement)
        SELECT payment, what, name, SUM(cents) FROM (
            SELECT payment, 'held' AS what, debit AS name, journal_entry.amount_cents AS cents
                FROM journal_entry JOIN money ON money.id = settlement_id
            UNION ALL SELECT payment, 'held', credit, -journal_entry.amount_cents
                FROM journal_entry JOIN money ON money.id = settlement_id
            UNION ALL SELECT payment, 'part', kind, allocation.amount_cents
                FROM allocation JOIN money ON money.id = settlement_id
                WHERE counts = 1 AND money.state = 'counted'
            UNION ALL SELECT payment, 'kept', source, amount_cents - returned_cents FROM money
            UNION ALL SELECT payment, 'returned', '', returned_cents
                FROM money WHERE state = 'counted'
        ) AS everything GROUP BY payment, what, name ORDER BY payment
        """
    )
    for payment, found in groupby(rows, key=itemgetter(0)):
        sums: dict[str, dict[str, int]] = {"held": {}, "part": {}, "kept": {}, "returned": {}}
        for _, what, name, cents in found:
            sums[what][name] = cents
        parts = {kind: sums["part"].get(kind, 0) for kind in AllocationKind}
        targets = [
            _targets(source, kept, parts, sums["returned"].get("", 0))
            for source, kept in sums["kept"].items()  # a payment comes from one place
        ]
        if [_nonzero(target) for target in targets] != [_nonzero(sums["held"])]:
            yield f"encaissement {payment} : le journal ne dit pas ce que disent les comptes"


def _targets(
    source: str, kept: int, parts: Mapping[AllocationKind, int], returned: int
) -> dict[str, int]:
    """Return the balances of one payment, of the *régie* whose key ends the name of its source."""
    name, _, regie = source.partition("/")
    accounts = balances_for(name, kept, parts, returned)
    return {journal.account(each, regie): cents for each, cents in accounts.items()}


def _regies() -> Iterator[str]:
    """A payment is of the *régie* of each of its invoices, and so is its money."""
    for reference in _one(
        """
        SELECT DISTINCT attempt.reference FROM attempt
            JOIN attempt_item ON attempt_item.attempt_id = attempt.id
            JOIN invoice ON invoice.id = attempt_item.invoice_id
        WHERE invoice.regie <> attempt.regie
        """
    ):
        yield f"paiement {reference} : une de ses factures est d’une autre régie"
    for name in _one(
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


def _questions() -> Iterator[str]:
    """Somebody asks the bank about what is due."""
    late = Attempt.select().where(Attempt.ask_at < clock.now() - LATE).count()
    if late:
        yield (
            f"{counted(late, 'paiement')} à demander à la banque depuis plus de deux heures : la "
            "minuterie appelle-t-elle « reconcile » ? Une passerelle a-t-elle été retirée "
            "(« gateways ») ?"
        )


_CHECKS: tuple[Callable[[], Iterator[str]], ...] = (
    _invoices, _proofs, _debits, _parts, _repayments, _overpayments, _receipts, _attempts,
    _accounts, _regies, _questions,
)  # fmt: skip


def _nonzero(accounts: Mapping[str, int]) -> dict[str, int]:
    return {account: cents for account, cents in accounts.items() if cents}


def _rows(sql: str) -> Iterator[Any]:
    return iter(database.execute_sql(sql))


def _one(sql: str) -> Iterator[Any]:
    return (row[0] for row in _rows(sql))
