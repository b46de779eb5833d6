"""Databases of any size, filled by bulk SQL: as many families as asked for, each with invoices paid
online, all but the two latest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kiosque import db
from kiosque.db import database
from kiosque.language import clock, formats

OPEN = 2

#: What is repeated for each payment. `p` is its number from 1; `invoice` and `family`, those it
#: pays.
_PAYMENT = """
INSERT INTO attempt (id, reference, family_id, gateway, started_at, day, number,
        gateway_reference, amount_cents, state, live_until)
    SELECT p, printf('KF%018x', p * 2654435761), family, 'banque', :at,
        printf('%08d', p / 900000), p % 900000, printf('old-%d', p), 4520, 'paid', :at FROM paid;
INSERT INTO attempt_item (attempt_id, invoice_id, amount_cents, live)
    SELECT p, invoice, 4520, 0 FROM paid;
INSERT INTO fact (attempt_id, at, transaction_id, state, status, amount_cents, source)
    SELECT p, :at, '', 'created', '', 0, 'portal' FROM paid
    UNION ALL SELECT p, :at, '', 'handed_off', '', 0, 'portal' FROM paid
    UNION ALL SELECT p, :at, printf('%032x', p), 'paid', 'DEBIT CAPTURED', 4520, 'bank' FROM paid;
INSERT INTO settlement (id, attempt_id, family_id, gateway, transaction_id, mode, amount_cents,
        settled_at, state, author, reason, authorisation, card_brand, card_last4, final_at)
    SELECT p, p, family, 'banque', printf('%032x', p), 'card', 4520, :at, 'counted', '', '',
        '3fe69a', 'CB', '0001', :at FROM paid;
INSERT INTO allocation (settlement_id, invoice_id, kind, amount_cents, counts)
    SELECT p, invoice, 'invoice', 4520, 1 FROM paid;
INSERT INTO receipt (id, number, settlement_id, issued_at) SELECT p, p, p, :at FROM paid;
INSERT INTO journal_entry (number, at, regie, settlement_id, label, debit, credit, amount_cents,
        version, previous_hash, hash)
    SELECT p, :at, '', p, 'paiement en ligne', 'bank:banque', 'invoices', 4520,
        1, printf('%064x', p - 1), printf('%064x', p) FROM paid;
INSERT INTO bank_message (received_at, gateway, accepted, verdict, detail, reference, fields)
    SELECT :at, 'banque', 1, 'recorded', '', printf('KF%018x', p * 2654435761), '{}' FROM paid;
"""


def fill(path: Path, families: int, invoices: int = 12) -> None:
    """A new database of so many families with so many monthly invoices each."""
    db.configure(path)
    with db.connection():
        db.migrate()
        # Only a figure is lost with it.
        database.execute_sql("PRAGMA synchronous = OFF")
        database.execute_sql("PRAGMA cache_size = -500000")
        with database.atomic():
            _invoices(families, invoices)
            _payments(families, invoices)
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _invoices(families: int, each: int) -> None:
    at = _text(datetime.now(UTC))
    database.execute_sql(
        "INSERT INTO import_batch (id, file_name, sha256, kind, row_count, added_count, "
        "imported_at) VALUES (1, 'x.csv', '0', 'factures', 1, 1, ?)",
        (at,),
    )
    database.execute_sql(
        f"{_series('n')} INSERT INTO family (id, code, name, address, postcode, city, updated_on,"
        " digest) SELECT i, printf('F%d', 100000 + i), 'Martin', '1 rue des Lilas', '44880',"
        " 'Sautron', '2026-11-05', '' FROM n",
        (families,),
    )
    database.execute_sql("CREATE TEMP TABLE month (rank, issued_on, due_on, period)")
    for row in _months(each):
        database.execute_sql("INSERT INTO month VALUES (?, ?, ?, ?)", row)
    database.execute_sql(
        f"{_series('n')} INSERT INTO invoice (id, number, family_id, batch_id, issued_on, due_on,"
        " period, services, children, total_cents, paid_cents, state, state_reason, pdf_name,"
        " digest)"
        " SELECT (i - 1) * ? + rank + 1, printf('%s-%07d', substr(issued_on, 1, 7), i), i, 1,"
        " issued_on, due_on, period, 'Restauration scolaire, Périscolaire',"
        " 'Léa Martin, Tom Martin', 4520, iif(rank < ?, 0, 4520), iif(rank < ?, 'open', 'paid'),"
        " '', '', '0' FROM n JOIN month",
        (families, each, OPEN, OPEN),
    )
    database.execute_sql(
        "INSERT INTO service (id, name, key)"
        " VALUES (1, 'Restauration scolaire', 'restaurationscolaire'),"
        " (2, 'Périscolaire', 'periscolaire')"
    )
    # Half of each service: what is paid is shared between their lines.
    database.execute_sql(
        "INSERT INTO invoice_line (invoice_id, child, service_id, label, quantity_hundredths,"
        " unit_price_cents, amount_cents) SELECT invoice.id, 'Léa Martin', service.id, 'Novembre',"
        " 100, 2260, 2260 FROM invoice CROSS JOIN service"
    )


def _payments(families: int, each: int) -> None:
    database.execute_sql("CREATE TEMP TABLE paid (p INTEGER PRIMARY KEY, family, invoice)")
    database.execute_sql(
        "INSERT INTO paid SELECT row_number() OVER (ORDER BY id), family_id, id FROM invoice"
        " WHERE state = 'paid'"
    )
    at = _text(datetime.now(UTC) - timedelta(days=20))
    for statement in filter(str.strip, _PAYMENT.split(";")):
        database.execute_sql(statement.replace(":at", f"'{at}'"))


def _series(name: str) -> str:
    return f"WITH RECURSIVE {name} (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM {name} WHERE i < ?)"


def _months(count: int) -> list[tuple[int, str, str, str]]:
    """The latest months: (how many ago, issued on, due on, in words)."""
    found, first = [], clock.today().replace(day=1)
    for rank in range(count):
        words = f"{formats.MONTHS[first.month - 1]} {first.year}"
        due = first + timedelta(days=40 if rank == 0 else 29)
        found.append((rank, first.isoformat(), due.isoformat(), words))
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
