"""The sums of invoices and payments: parts, repayments, receipts, journal."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter

from kiosque.db.states import AllocationKind
from kiosque.language.formats import counted, format_euros
from kiosque.payments import journal
from kiosque.payments.accounting_rules import balances_for
from kiosque.payments.verification.queries import one, rows
from kiosque.payments.words import INVOICE_STATES


def invoices() -> Iterator[str]:
    """An invoice is paid if and only if the allocations that count for it add up to its total. They
    are never more, and equal its `paid_cents`. Nothing pays an invoice that is cancelled, or that
    asks for nothing because its total is zero or below."""
    for number, state, total, count, cents in rows(
        """
        SELECT number, state, total_cents, parts, cents FROM (
            SELECT number, state, total_cents, paid_cents, COUNT(allocation.id) AS parts,
                COALESCE(SUM(allocation.amount_cents), 0) AS cents
            FROM invoice LEFT JOIN allocation ON allocation.invoice_id = invoice.id
                AND allocation.kind = 'invoice' AND allocation.counts = 1
            GROUP BY invoice.id
        ) AS found
        WHERE (paid_cents <> cents AND state <> 'nothing_due')
            OR (state = 'nothing_due' AND total_cents > 0)
            OR CASE state WHEN 'paid' THEN cents <> total_cents
                WHEN 'open' THEN cents >= total_cents
                WHEN 'transmitted' THEN cents >= total_cents ELSE cents <> 0 END
        """
    ):
        yield (
            f"facture {number} : {INVOICE_STATES.get(state, state)}, {format_euros(total)} dus, "
            f"{counted(count, 'paiement')} pour {format_euros(cents)}"
        )


def totals() -> Iterator[str]:
    """An invoice's total is that of its lines."""
    for number, total, cents in rows(
        """
        SELECT invoice.number, total_cents, COALESCE(SUM(invoice_line.amount_cents), 0)
        FROM invoice LEFT JOIN invoice_line ON invoice_line.invoice_id = invoice.id
        GROUP BY invoice.id
        HAVING COALESCE(SUM(invoice_line.amount_cents), 0) <> total_cents
        """
    ):
        yield (
            f"facture {number} : total de {format_euros(total)}, "
            f"ses lignes font {format_euros(cents)}"
        )


def parts() -> Iterator[str]:
    """The parts of a settlement add up to its amount; they count until all of it has left."""
    for name in one(
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


def repayments() -> Iterator[str]:
    """Money leaves a settlement by repayments only; it counts until all of it has left."""
    for name in one(
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


def receipts() -> Iterator[str]:
    """Receipts are numbered without gaps by *régie*, but for those that a restoration skipped, and
    each debit that paid has one."""
    for sequence, last, count, skipped in rows(
        """
        SELECT issued.sequence, latest, count, COALESCE(SUM(last - first + 1), 0)
        FROM (SELECT sequence, MAX(number) AS latest, COUNT(*) AS count FROM receipt
            GROUP BY sequence) AS issued
        LEFT JOIN receipt_gap ON receipt_gap.sequence = issued.sequence AND first <= latest
        GROUP BY issued.sequence, latest, count
        """
    ):
        if last != count + skipped:
            of = f" de la régie {sequence}" if sequence else ""
            yield f"reçus{of} : {count} reçus, le dernier porte le numéro {last}"
    for number in one(
        """
        SELECT receipt.number FROM receipt JOIN settlement ON settlement.id = settlement_id
        WHERE sequence NOT IN ('', settlement.regie)
        """
    ):
        yield f"reçu {number} : numéroté dans la suite d’une autre régie"
    for name in one(
        """
        SELECT DISTINCT settlement_id FROM allocation
            JOIN settlement ON settlement.id = settlement_id
        WHERE kind <> 'unmatched' AND attempt_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM receipt
                WHERE receipt.settlement_id = allocation.settlement_id)
        """
    ):
        yield f"encaissement {name} : sans reçu"


def entries() -> Iterator[str]:
    """An entry moves cents, never fewer than zero, from one account to a different one."""
    for number in one(
        """
        SELECT number FROM journal_entry WHERE amount_cents < 0
            OR (amount_cents > 0 AND (debit = '' OR credit = '' OR debit = credit))
        ORDER BY number
        """
    ):
        yield f"écriture {number} : son débit n’est pas son crédit"


def corrections() -> Iterator[str]:
    """An entry that cites another comes later, is in the same books and about the same payment or
    line, and moves one of its accounts the other way. All entries that cite one entry reverse no
    more than it moved."""
    for number in one(
        """
        SELECT later.number FROM journal_entry AS later
            LEFT JOIN journal_entry AS former ON former.number = later.corrects
        WHERE later.corrects IS NOT NULL AND (former.number IS NULL
            OR former.number >= later.number OR former.regie <> later.regie
            OR COALESCE(former.settlement_id, 0) <> COALESCE(later.settlement_id, 0)
            OR COALESCE(former.line_id, 0) <> COALESCE(later.line_id, 0)
            OR (former.debit <> later.credit AND former.credit <> later.debit))
        UNION SELECT corrects FROM journal_entry AS later
        WHERE corrects IS NOT NULL GROUP BY corrects HAVING SUM(amount_cents) > (
            SELECT amount_cents FROM journal_entry AS former WHERE former.number = later.corrects)
        ORDER BY 1
        """
    ):
        yield f"écriture {number} : ce qui la corrige, ou qu’elle corrige, n’est pas son contraire"


def accounts() -> Iterator[str]:
    """The journal holds for each payment what its settlements and their parts amount to."""
    lines = rows(
        """
        WITH money AS (SELECT id, state, amount_cents, returned_cents,
            CASE WHEN mode = 'credit' THEN 'credits'
                ELSE COALESCE('bank:' || gateway, 'counter:' || mode) END || '/' || regie AS source,
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
    for payment, found in groupby(lines, key=itemgetter(0)):
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
    """Return the balances of one payment; its *régie* is the key that ends the name of its
    source."""
    name, _, regie = source.partition("/")
    accounts = balances_for(name, kept, parts, returned)
    return {journal.account(each, regie): cents for each, cents in accounts.items()}


def _nonzero(accounts: Mapping[str, int]) -> dict[str, int]:
    return {account: cents for account, cents in accounts.items() if cents}
