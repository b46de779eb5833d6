"""Measure the page of the month, whatever the journal that the months closed before it fill."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from kiosque import db
from kiosque.closings.months import Month
from kiosque.language import clock
from tests.bench.lists import close, office
from tests.bench.pages import FEW, ROUNDS
from tests.bench.service import cost
from tests.bench.table import Figure, interleaved

REQUESTS = 100


def month(folder: Path, many: Path) -> Iterator[Figure]:
    """The month after one closed, in a database of a million entries, and of a thousand."""
    closed = Month.of(clock.today())
    page = f"/mairie/mois/{closed.following.name}"
    with ExitStack() as stack:
        large = stack.enter_context(office(many, 0))
        _close(many, closed)
        small = stack.enter_context(office(folder / "thousand", FEW))
        _close(folder / "thousand", closed)
        figures = interleaved(
            ROUNDS,
            lambda: cost(large, page, REQUESTS),
            lambda: cost(small, page, REQUESTS),
        )
        yield Figure(
            "the page of the month, 1 000 000 entries in the journal", figures[0], "ms",
            figures[1], "with 1 000", "1.2x", "1.05x",
        )  # fmt: skip


def _close(folder: Path, closed: Month) -> None:
    db.configure(folder / "kiosque.sqlite3")
    with db.connection():
        close(closed)
