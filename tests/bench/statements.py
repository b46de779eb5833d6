"""A large statement of the bank's, beside what reading and writing it costs at the very least."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import apsw

from kiosque import db
from kiosque.db import sqlite
from kiosque.db.models import LineMatch
from kiosque.language import clock
from kiosque.statements import receiving
from kiosque.statements.accounts import AccountHolder
from kiosque.statements.reading import read
from tests.bench import base
from tests.bench.table import Figure, interleaved
from tests.statement_files import cfonb, movement, period

FAMILIES, ROUNDS = 10_000, 3
#: Payments of each family, and lines of the statement.
EACH = 10
LINES = FAMILIES * EACH


def statements(folder: Path) -> Iterator[Figure]:
    """100 000 credits, each of which names one of 100 000 payments."""
    path = folder / "statements.sqlite3"
    base.fill(path, FAMILIES, EACH + base.OPEN)
    content = _statement(path)
    ours, yardstick = interleaved(
        ROUNDS, lambda: _load(folder, path, content), lambda: _bare(folder, content)
    )
    yield Figure(
        "a statement of 100 000 lines, loaded and matched with 100 000 payments", ours, "s of CPU",
        yardstick, "reading it, and one executemany", "4x", "3x",
    )  # fmt: skip


def _statement(path: Path) -> bytes:
    """A file in which each payment is credited the day after."""
    with db.elsewhere(path):
        on = clock.today() - timedelta(days=19)
        rows = db.database.execute_sql("SELECT reference FROM attempt ORDER BY id").fetchall()
    said = (movement(on, 4520, f"VIR CB {reference}") for (reference,) in rows)
    return cfonb(period(*said, opening=0))


def _load(folder: Path, filled: Path, content: bytes) -> float:
    """Load it into a copy of the database."""
    path = folder / "statements-copy.sqlite3"
    path.unlink(missing_ok=True)
    with db.elsewhere(filled):
        db.database.execute_sql(f"VACUUM INTO '{path}'")
    with db.elsewhere(path):
        before = time.process_time()
        file = receiving.read("x", content)
        receiving.receive(file, "x", content, {"": AccountHolder("Régie", "banque")}, "Dominique")
        seconds = time.process_time() - before
        if LineMatch.select().count() != LINES:
            raise AssertionError(LineMatch.select().count())
    return seconds


def _bare(folder: Path, content: bytes) -> float:
    path = folder / "bare-statements.sqlite3"
    path.unlink(missing_ok=True)
    connection = apsw.Connection(str(path))
    for name, value in sqlite.PRAGMAS.items():
        connection.pragma(name, value)
    connection.execute("CREATE TABLE line (booked_on, value_on, cents, label, reference)")
    before = time.process_time()
    (found,) = read("x", content).periods
    with connection:
        connection.executemany(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?)",
            (
                (str(each.booked_on), str(each.value_on), each.cents, each.label, each.reference)
                for each in found.movements
            ),
        )
    seconds = time.process_time() - before
    connection.close()
    return seconds
