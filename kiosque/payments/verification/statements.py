"""The lines of the bank's statements, against what explains them and what the journal says."""

from collections.abc import Iterator

from kiosque.language.formats import format_euros
from kiosque.payments.verification.queries import one, rows


def lines() -> Iterator[str]:
    """A line is matched if and only if its matches in force add up to it, to the cent."""
    for number, day, cents, found in rows(
        """
        SELECT statement_line.id, booked_on, statement_line.amount_cents,
            COALESCE(SUM(line_match.amount_cents), 0)
        FROM statement_line LEFT JOIN line_match
            ON line_match.line_id = statement_line.id AND undone_at IS NULL
        GROUP BY statement_line.id, booked_on, statement_line.amount_cents, state
        HAVING (state = 'matched')
            <> (COALESCE(SUM(line_match.amount_cents), 0) = statement_line.amount_cents)
        """
    ):
        yield (
            f"mouvement {number} du {day} : {format_euros(cents)}, "
            f"ses rapprochements font {format_euros(int(found))}"
        )


def told() -> Iterator[str]:
    """Each statement leads from its first balance to its last: by all lines of the days that it
    covers whole, whichever file brought them, and by its own lines of the days covered in part."""
    for regie, day, moved, found in rows(
        """
        WITH own AS (
            SELECT statement.id, regie, opened_on, closed_on, closing_cents - opening_cents AS moved
            -- Neither those undone, set aside, nor those of before `told_line`, which named none.
            FROM statement JOIN statement_file ON statement_file.id = file_id AND regies <> ''
            WHERE substr(regie, length(regie), 1) <> '!')
        SELECT regie, closed_on, moved, SUM(cents) FROM (
            SELECT own.*, COALESCE(amount_cents, 0) AS cents
            FROM own LEFT JOIN statement_line AS line ON line.regie = own.regie
                AND booked_on > opened_on AND booked_on < closed_on
            UNION ALL SELECT own.*, amount_cents
            FROM own JOIN told_line ON told_line.statement_id = own.id
                JOIN statement_line AS line ON line.id = line_id
            UNION ALL SELECT own.*, amount_cents
            FROM own JOIN statement_line AS line ON line.statement_id = own.id
                AND (booked_on <= opened_on OR booked_on >= closed_on)
            WHERE NOT EXISTS (SELECT 1 FROM told_line JOIN statement_line AS other
                ON other.id = line_id
                WHERE told_line.statement_id = own.id AND other.booked_on = line.booked_on)
        ) AS everything
        WHERE moved IS NOT NULL GROUP BY id, regie, closed_on, moved HAVING SUM(cents) <> moved
        ORDER BY id
        """
    ):
        yield (
            f"relevé{f' de la régie {regie}' if regie else ''} jusqu’au {day} : "
            f"{format_euros(int(moved))} d’un solde à l’autre, "
            f"ses mouvements font {format_euros(int(found))}"
        )


def matches() -> Iterator[str]:
    """A match has the *régie* of its line and the exact cents of what it names; and that money
    explains no other line."""
    for number in one(
        """
        SELECT line_match.line_id FROM line_match
            JOIN statement_line ON statement_line.id = line_match.line_id
            LEFT JOIN repayment ON repayment.id = repayment_id
            LEFT JOIN settlement
                ON settlement.id = COALESCE(line_match.settlement_id, repayment.settlement_id)
            LEFT JOIN deposit ON deposit.id = deposit_id
        WHERE undone_at IS NULL AND line_match.kind IN ('settlement', 'repayment', 'deposit')
            AND (statement_line.regie <> COALESCE(settlement.regie, deposit.regie)
                OR line_match.amount_cents <> CASE line_match.kind
                    WHEN 'settlement' THEN settlement.amount_cents
                    WHEN 'repayment' THEN -repayment.amount_cents
                    ELSE -deposit.amount_cents END)
        """
    ):
        yield f"mouvement {number} : rapproché d’un autre montant, ou d’une autre régie"
    for kind, number in rows(
        """
        SELECT kind, COALESCE(settlement_id, repayment_id, deposit_id) FROM line_match
        WHERE undone_at IS NULL AND kind IN ('settlement', 'repayment', 'deposit')
        GROUP BY kind, COALESCE(settlement_id, repayment_id, deposit_id) HAVING COUNT(*) > 1
        """
    ):
        yield f"rapprochements : {kind} {number} explique deux mouvements"


def entries() -> Iterator[str]:
    """The journal holds for each line what its matches in force say, account by account."""
    for number in one(
        """
        WITH matched AS (SELECT line_match.line_id, line_match.amount_cents AS cents,
                CASE WHEN statement_line.regie = '' THEN ''
                    ELSE '/' || statement_line.regie END AS own,
                CASE line_match.kind WHEN 'fee' THEN 'fees' WHEN 'other' THEN 'others'
                    WHEN 'deposit' THEN 'paid_over'
                    ELSE COALESCE('bank:' || settlement.gateway, 'counter:' || settlement.mode)
                    END AS source
            FROM line_match JOIN statement_line ON statement_line.id = line_match.line_id
                LEFT JOIN repayment ON repayment.id = repayment_id
                LEFT JOIN settlement
                    ON settlement.id = COALESCE(line_match.settlement_id, repayment.settlement_id)
            WHERE undone_at IS NULL)
        SELECT DISTINCT line_id FROM (
            SELECT line_id, account, SUM(cents) AS left_over FROM (
                SELECT line_id, debit AS account, amount_cents AS cents FROM journal_entry
                    WHERE line_id IS NOT NULL
                UNION ALL SELECT line_id, credit, -amount_cents FROM journal_entry
                    WHERE line_id IS NOT NULL
                UNION ALL SELECT line_id, 'account' || own, -cents FROM matched
                UNION ALL SELECT line_id, CASE WHEN substr(source, 1, 5) = 'bank:' THEN source
                    ELSE source || own END, cents FROM matched
            ) AS everything GROUP BY line_id, account
        ) AS found WHERE left_over <> 0
        """
    ):
        yield f"mouvement {number} : le journal ne dit pas ce que dit son rapprochement"


def balances() -> Iterator[str]:
    """The account of each *régie* holds its opening balance plus its matched lines."""
    for regie, booked, found in rows(
        """
        SELECT regie, SUM(booked), SUM(found) FROM (
            SELECT regie, amount_cents AS booked, 0 AS found FROM journal_entry
                WHERE debit = 'account' OR substr(debit, 1, 8) = 'account/'
            UNION ALL SELECT regie, -amount_cents, 0 FROM journal_entry
                WHERE credit = 'account' OR substr(credit, 1, 8) = 'account/'
            UNION ALL SELECT regie, 0, amount_cents FROM journal_entry
                WHERE credit = 'opening' OR substr(credit, 1, 8) = 'opening/'
            UNION ALL SELECT regie, 0, -amount_cents FROM journal_entry
                WHERE debit = 'opening' OR substr(debit, 1, 8) = 'opening/'
            UNION ALL SELECT regie, 0, line_match.amount_cents FROM line_match
                JOIN statement_line ON statement_line.id = line_id WHERE undone_at IS NULL
        ) AS everything GROUP BY regie HAVING SUM(booked) <> SUM(found)
        """
    ):
        yield (
            f"compte{f' de la régie {regie}' if regie else ''} : {format_euros(int(booked))} au "
            f"journal, {format_euros(int(found))} par ses mouvements"
        )
