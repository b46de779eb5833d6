"""The page and the notification on PostgreSQL, beside the same on SQLite. By name only, where
TEST_DATABASE_URL names a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosque import db
from kiosque.cli import move_database
from tests import fresh_databases
from tests.bench import base, notices
from tests.bench.pages import PAGE, REQUESTS, ROUNDS, warm
from tests.bench.service import SITE, Service, cost, let_in, serve
from tests.bench.table import Figure, interleaved
from tests.conftest import free_port
from tests.sites import settle

FAMILIES, CODE = 500, "F100050"


def page(folder: Path) -> Iterator[Figure]:
    """The site's own processor time: the server's is its own."""
    with (
        _moved(folder / "moved") as address,
        _site(folder / "moved", address) as ours,
        _site(folder / "file") as yardstick,
    ):
        figures = interleaved(
            ROUNDS, lambda: cost(ours, PAGE, REQUESTS), lambda: cost(yardstick, PAGE, REQUESTS)
        )
    yield Figure(
        "CPU of the invoices page on PostgreSQL", figures[0], "ms", figures[1], "on SQLite",
        "–", "–",
    )  # fmt: skip


def notification(folder: Path) -> Iterator[Figure]:
    """Durable on both."""
    with _moved(folder / "moved-notices") as address:
        ours = notices.Bank(folder / "moved-notices", FAMILIES, address)
        yardstick = notices.Bank(folder / "file-notices", FAMILIES)
        figures = interleaved(notices.ROUNDS, ours.settle, yardstick.settle)
        db.database.close()
    yield Figure(
        "a notification settled durably on PostgreSQL", figures[0], "ms", figures[1], "on SQLite",
        "–", "–",
    )  # fmt: skip


@contextmanager
def _moved(folder: Path) -> Iterator[str]:
    """The address of a database moved from a file, as a town would move it."""
    if not fresh_databases.URL:
        raise SystemExit("TEST_DATABASE_URL names no PostgreSQL")
    folder.mkdir()
    path = folder / "kiosque.sqlite3"
    base.fill(path, FAMILIES)
    let_in(path, CODE)
    try:
        with fresh_databases.bare(folder) as address:
            move_database.move(path, str(address), durable=True, progress=lambda _table: None)
            db.database.close()
            yield str(address)
    finally:
        fresh_databases.end()


@contextmanager
def _site(folder: Path, address: str = "") -> Iterator[Service]:
    folder.mkdir(exist_ok=True)
    path, port = folder / "kiosque.sqlite3", free_port()
    if not address:
        base.fill(path, FAMILIES)
        let_in(path, CODE)
    settle(folder, f"http://127.0.0.1:{port}", database=address)
    with serve(SITE, folder, port) as service:
        service.sign_in(CODE)
        warm(service)
        yield service
