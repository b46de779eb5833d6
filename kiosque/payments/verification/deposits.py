"""Deposits (*bordereaux de versement*), against the revenue that they cover and their entries."""

import json
from collections.abc import Iterator
from hashlib import sha256

from kiosque.db.models import Deposit
from kiosque.language.formats import format_euros
from kiosque.payments.verification.queries import one, rows

#: The title of a deposit, in both databases.
_TITLE = "deposit.year || '-' || deposit.number || ' ' || deposit.regie"


def numbers() -> Iterator[str]:
    """Deposits are numbered without gaps by *régie* and year, but for those that were lost when the
    database was put back."""
    found = "SELECT regie, year, COUNT(*), MAX(number) FROM deposit GROUP BY regie, year"
    gaps = [*rows("SELECT regie, year, first, last FROM deposit_gap WHERE last >= first")]
    for regie, year, count, last in rows(found):
        mine = [gap[2:] for gap in gaps if (gap[0], gap[1]) == (regie, year)]
        lost = sum(until - since + 1 for since, until in mine if until < last)
        if count + lost == last:
            continue
        of = f" de la régie {regie}" if regie else ""
        yield f"bordereaux de {year}{of} : {count} définitifs, le dernier porte le numéro {last}"


def lines() -> Iterator[str]:
    """A deposit covers revenue of its own *régie*, up to its entry of the journal; no revenue is in
    two deposits, or both in a deposit and kept back."""
    for title in one(
        f"""
        SELECT DISTINCT {_TITLE} FROM deposit_line
            JOIN deposit ON deposit.id = deposit_id
            LEFT JOIN revenue ON revenue.id = revenue_id
            LEFT JOIN settlement ON settlement.id = settlement_id
        WHERE revenue.id IS NULL OR journal_number > up_to OR settlement.regie <> deposit.regie
            OR (SELECT COUNT(*) FROM deposit_line AS other
                WHERE other.revenue_id = deposit_line.revenue_id) > 1
            OR EXISTS (SELECT 1 FROM kept_back
                WHERE kept_back.revenue_id = deposit_line.revenue_id AND ended_at IS NULL)
        """  # noqa: S608  # words of ours
    ):
        yield f"bordereau {title.strip()} : il couvre une recette qui n’est pas à lui"


def amounts() -> Iterator[str]:
    """The cents that a deposit covers are those that its entries moved; its amount leaves out lines
    that are for information only: credit notes, and payments to the Treasury."""
    for title, amount, covered, told, moved, handed in rows(
        f"""
        SELECT {_TITLE}, deposit.amount_cents, COALESCE(covered, 0), COALESCE(told, 0),
            COALESCE(moved, 0), COALESCE(handed, 0)
        FROM deposit
        LEFT JOIN (SELECT deposit_id, SUM(revenue.amount_cents) AS covered,
                SUM(CASE WHEN gateway IS NULL AND mode IN ('credit', 'treasury')
                    THEN revenue.amount_cents ELSE 0 END) AS told
            FROM deposit_line JOIN revenue ON revenue.id = revenue_id
                JOIN settlement ON settlement.id = settlement_id
            GROUP BY deposit_id) AS found ON found.deposit_id = deposit.id
        LEFT JOIN (SELECT deposit_id, SUM(cents) AS moved,
                SUM(CASE WHEN substr(name, 1, 7) = 'credits'
                    OR substr(name, 1, 16) = 'counter:treasury' THEN 0 ELSE cents END) AS handed
            FROM (
                SELECT deposit_id, credit AS name, amount_cents AS cents FROM journal_entry
                    WHERE deposit_id IS NOT NULL
                UNION ALL SELECT deposit_id, debit, -amount_cents FROM journal_entry
                    WHERE deposit_id IS NOT NULL
            ) AS sides
            WHERE substr(name, 1, 8) <> 'invoices' AND substr(name, 1, 7) <> 'refunds'
            GROUP BY deposit_id) AS booked ON booked.deposit_id = deposit.id
        WHERE COALESCE(covered, 0) <> COALESCE(moved, 0)
            OR deposit.amount_cents <> COALESCE(covered, 0) - COALESCE(told, 0)
            OR deposit.amount_cents <> COALESCE(handed, 0)
        """  # noqa: S608  # words of ours
    ):
        yield (
            f"bordereau {title.strip()} : {format_euros(amount)} versés, ses recettes font "
            f"{format_euros(covered)} dont {format_euros(told)} pour mémoire, ses écritures "
            f"{format_euros(moved)} dont {format_euros(moved - handed)} pour mémoire"
        )


def contents() -> Iterator[str]:
    """The paper of a deposit and the database agree on its revenue: the same rows, of the same
    cents, mode and imputation. So its sums by mode and by imputation are those of its entries."""
    said: dict[int, set[tuple[object, ...]]] = {}
    titles: dict[int, str] = {}
    for deposit, title, content in rows(f"SELECT id, {_TITLE}, content FROM deposit"):  # noqa: S608
        titles[deposit] = title
        said[deposit] = {(it[0], *it[6:]) for it in json.loads(content)["lines"]}
    for deposit, *found in rows(
        """
        SELECT deposit_id, revenue.id, COALESCE(gateway, ''), mode, article, fonction, antenne,
            revenue.kind, revenue.amount_cents
        FROM deposit_line JOIN revenue ON revenue.id = revenue_id
            JOIN settlement ON settlement.id = settlement_id
        """
    ):
        said[deposit] ^= {tuple(found)}
    for deposit, left in said.items():
        if left:
            yield f"bordereau {titles[deposit].strip()} : son papier ne dit pas ses recettes"


def prints() -> Iterator[str]:
    """The entries of a deposit end with the SHA-256 of its PDF, which is kept."""
    for title in one(
        f"""
        SELECT DISTINCT {_TITLE} FROM deposit JOIN journal_entry ON deposit_id = deposit.id
        WHERE substr(label, length(label) - 63) <> pdf_sha256
        """  # noqa: S608  # words of ours
    ):
        yield f"bordereau {title.strip()} : le journal cite l’empreinte d’un autre PDF"
    columns = Deposit.year, Deposit.number, Deposit.regie, Deposit.pdf, Deposit.pdf_sha256
    for deposit in Deposit.select(*columns).where(Deposit.pdf != b"").iterator():
        if sha256(deposit.pdf).hexdigest() != deposit.pdf_sha256:
            title = f"{deposit.year}-{deposit.number} {deposit.regie}".strip()
            yield f"bordereau {title} : son PDF n’est plus celui dont le journal a l’empreinte"
