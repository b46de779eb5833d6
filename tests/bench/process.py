"""The worker's memory, and the time until its first page."""

import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.pages import PAGE, site
from tests.bench.service import HELLO, SITE, launch, let_in, serve, stop, wait
from tests.bench.table import Figure, interleaved
from tests.conftest import free_port
from tests.sites import settle

FEW, MANY = 1_000, 100_000
STARTS = 7
#: What a family opens, in turn.
PAGES = (PAGE, PAGE, "/famille", "/compte", f"{PAGE}/2026-09-0000050")


def memory(folder: Path) -> Iterator[Figure]:
    """After a hundred thousand pages, beside after a thousand."""
    with site(folder / "few", 500) as ours:
        for number in range(FEW):
            ours.ask(PAGES[number % len(PAGES)])
        first = ours.memory_mib()
        for number in range(MANY - FEW):
            ours.ask(PAGES[number % len(PAGES)])
        last = ours.memory_mib()
    with serve(HELLO) as hello:
        for _ in range(FEW):
            hello.ask("/")
        least = hello.memory_mib()
    yield Figure(
        "worker memory after 100 000 requests", last, "MiB", first, "after 1 000", "1.05x",
        "and 60 MiB",
    )  # fmt: skip
    yield Figure("worker memory", last, "MiB", least, "hello", "–", "–")


def start(folder: Path) -> Iterator[Figure]:
    """From the command to the first page answered."""
    port = free_port()
    with site(folder / "few", 500):
        pass  # the database, and the byte code, are there
    settle(folder / "few", f"http://127.0.0.1:{port}")
    let_in(folder / "few" / "kiosque.sqlite3", "F100050")
    ours, hello = interleaved(
        STARTS,
        lambda: _start(SITE, folder / "few", port, "/connexion"),
        lambda: _start(HELLO, None, free_port(), "/"),
    )
    yield Figure("start to first page", ours, "s", hello, "hello", "3x", "2x")


def _start(application: str, folder: Path | None, port: int, path: str) -> float:
    before = time.perf_counter()
    service = launch(application, folder, port)
    try:
        wait(service, path)
        return time.perf_counter() - before
    finally:
        stop(service)
