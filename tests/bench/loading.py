"""The import of a large file, beside what reading and writing it costs at the very least."""

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import apsw

from kiosque import db
from kiosque.db import sqlite
from kiosque.invoices import imports
from kiosque.invoices.imports.invoices import InvoicesFile
from tests.bench.table import Figure, interleaved

LINES, EACH = 100_000, 4
ROUNDS = 5
SERVICES = ("Restauration scolaire", "Périscolaire", "Mercredi", "Multi-accueil")


def loading(folder: Path) -> Iterator[Figure]:
    """100 000 lines into an empty database."""
    path = folder / "factures.csv"
    _write(path)
    ours, yardstick = interleaved(ROUNDS, lambda: _load(folder, path), lambda: _bare(folder, path))
    yield Figure(
        "import of 100 000 lines", ours, "s of CPU", yardstick, "csv.reader and one executemany",
        "5x", "3x",
    )  # fmt: skip


#: What most towns write: no list of the Treasury's.
COLUMNS = tuple(name for name in InvoicesFile.COLUMNS if name != "liste_tresor")


def _write(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(COLUMNS)
        for line in range(LINES):
            invoice = line // EACH
            family, month = invoice % 2500, invoice // 2500 + 1
            writer.writerow(
                (f"F{1000 + family}", f"2026-{month:02d}-{invoice:06d}", f"2026-{month:02d}-05",
                 f"2026-{month:02d}-28", f"2026-{month:02d}", SERVICES[line % EACH],
                 f"{'Léa' if line % 2 else 'Tom'} Famille{family}", "Repas enfant, tarif B",
                 "12", "3,45", "41,40", "")
            )  # fmt: skip


def _load(folder: Path, path: Path) -> float:
    base = _fresh(folder / "import.sqlite3")
    db.configure(base)
    with db.connection():
        db.migrate()
        before = time.process_time()
        summary = imports.load(path, pdf_folder=folder)
        seconds = time.process_time() - before
    if summary.added != LINES // EACH:
        raise AssertionError(summary)
    return seconds


def _bare(folder: Path, path: Path) -> float:
    connection = apsw.Connection(str(_fresh(folder / "bare-import.sqlite3")))
    for name, value in sqlite.PRAGMAS.items():
        connection.pragma(name, value)
    connection.execute(f"CREATE TABLE line ({', '.join(COLUMNS)})")
    before = time.process_time()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    with connection:
        values = ", ".join("?" for _ in COLUMNS)
        connection.executemany(f"INSERT INTO line VALUES ({values})", rows[1:])
    seconds = time.process_time() - before
    connection.close()
    return seconds


def _fresh(path: Path) -> Path:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return path
