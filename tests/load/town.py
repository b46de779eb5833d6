"""A town of any size: its settings, its database loaded from files as a town hall loads them."""

import csv
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from kiosque import db
from kiosque.db import execute_many, write
from kiosque.db.fields import to_text
from kiosque.db.models import Account, Family
from kiosque.invoices import imports
from kiosque.invoices.imports.families import FamiliesFile
from kiosque.invoices.imports.invoices import InvoicesFile
from kiosque.invoices.imports.settlements import SettlementsFile
from kiosque.language import clock
from tests.conftest import choose_password

PASSWORD = "une phrase assez longue"
#: Of a family's monthly invoices, the latest are still to pay.
OPEN = 2


def code(number: int) -> str:
    """The *code famille* of the family of this number, from 0."""
    return f"F{10_000 + number}"


def build(folder: Path, families: int, invoices: int = OPEN, *, settled: int = 0) -> None:
    """Make the database: families with so many monthly invoices of two lines each, and a password,
    one for all. The first `settled` of them have paid all but the latest, at the counter."""
    db.configure(folder / "kiosque.sqlite3")
    with db.connection():
        db.migrate()
        for name, columns, rows in (
            ("familles.csv", FamiliesFile.COLUMNS, _people(families)),
            ("factures.csv", InvoicesFile.COLUMNS, _invoices(families, invoices)),
            ("encaissements.csv", SettlementsFile.COLUMNS, _paid(settled, invoices)),
        ):
            if settled or columns is not SettlementsFile.COLUMNS:
                imports.load(_write(folder / name, columns, rows), pdf_folder=folder / "pdf")
        _let_everybody_in()
        db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def _people(families: int) -> Iterator[tuple[str, ...]]:
    home = ("12 rue des Lilas", "44880", "Sautron")
    for n in range(families):
        mail = f"parent{n}@example.org"
        yield (code(n), "responsable", f"Famille{n}", "Alice", mail, "", *home, "", "")
        yield (code(n), "enfant", f"Famille{n}", "Zoé", "", "", "", "", "", "2018-05-01", "")


def _invoices(families: int, each: int) -> Iterator[tuple[str, ...]]:
    for rank, (period, issued, due) in enumerate(_months(each)):
        for n in range(families):
            head = (code(n), _number(n, rank), issued, due, period)
            child = f"Zoé Famille{n}"
            yield (*head, "Restauration scolaire", child, "Repas", "14", "3,45", "48,30", "")
            yield (*head, "Périscolaire", child, "Garderie", "6", "0,98", "5,88", "")


def _paid(families: int, each: int) -> Iterator[tuple[str, ...]]:
    for rank, (_, _, due) in enumerate(_months(each)):
        if rank >= OPEN:
            for n in range(families):
                yield (_number(n, rank), due, "direct_debit", "54,18", "Régie", "prélèvement")


def _number(family: int, rank: int) -> str:
    return f"{rank:02}-{family:06}"


def _months(count: int) -> list[tuple[str, str, str]]:
    """The latest first: (period, issued on, due on). The latest is due in days to come."""
    found, first = [], clock.today().replace(day=1)
    for rank in range(count):
        due = clock.today() + timedelta(days=3) if rank == 0 else first + timedelta(days=9)
        found.append((f"{first:%Y-%m}", first.isoformat(), due.isoformat()))
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def _let_everybody_in() -> None:
    """One hash for all: a real one, of which the price is paid once."""
    first = Family.get()
    choose_password(first, PASSWORD)
    held = Account.get(Account.family == first).password_hash
    set_at = to_text(clock.now())
    rows = [(family.id, held, set_at) for family in Family.select() if family != first]
    with write():
        execute_many(
            "INSERT INTO account (family_id, password_hash, must_change_password, password_set_at) "
            "VALUES (?, ?, 0, ?)",
            rows,
        )
