"""Measure the invoices page, whatever the size of the database and the years of a family."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench import base
from tests.bench.service import HELLO, SITE, Service, cost, let_in, serve
from tests.bench.table import Figure, interleaved
from tests.conftest import free_port
from tests.sites import settle

ROUNDS, REQUESTS = 9, 300
PAGE = "/factures"
#: Enough for a million invoices, and a million payments.
MANY, FEW = 100_000, 100


@contextmanager
def site(
    folder: Path, families: int, invoices: int = 12, code: str = "F100050"
) -> Iterator[Service]:
    """The site on a database of that size, with the browser of one family signed in."""
    folder.mkdir(exist_ok=True)
    path, port = folder / "kiosque.sqlite3", free_port()
    if not path.exists():
        base.fill(path, families, invoices)
    let_in(path, code)
    settle(folder, f"http://127.0.0.1:{port}")
    with serve(SITE, folder, port) as service:
        service.sign_in(code)
        warm(service)
        yield service


def warm(service: Service) -> None:
    """Open the page often enough that nothing is done for the first time any more."""
    page = service.open(PAGE)
    if " 200 " not in page.partition("\r\n")[0]:
        raise AssertionError(page[:2000])
    cost(service, PAGE, REQUESTS)


def page(folder: Path) -> Iterator[Figure]:
    """Twelve invoices, beside Flask alone."""
    with site(folder / "few", 500) as ours, serve(HELLO) as hello:
        shown = ours.ask(PAGE).count(b"/factures/20")
        if shown != 12:
            raise AssertionError(f"{shown} invoices shown")
        cost(hello, "/", REQUESTS)
        figures = interleaved(
            ROUNDS, lambda: cost(ours, PAGE, REQUESTS), lambda: cost(hello, "/", REQUESTS)
        )
    yield Figure(
        "CPU of the signed-in invoices page, 12 invoices", figures[0], "ms", figures[1],
        "bare Flask hello", "7x", "5x",
    )  # fmt: skip


def page_many(folder: Path, many: Path) -> Iterator[Figure]:
    """The same page in a database of a million invoices."""
    with ExitStack() as stack:
        large = stack.enter_context(site(many, MANY))
        small = stack.enter_context(site(folder / "thousand", FEW))
        figures = interleaved(
            ROUNDS, lambda: cost(large, PAGE, REQUESTS), lambda: cost(small, PAGE, REQUESTS)
        )
    yield Figure(
        "the same, 1 200 000 invoices in the database", figures[0], "ms", figures[1],
        "with 1 200", "1.2x", "1.05x",
    )  # fmt: skip


def page_long(folder: Path) -> Iterator[Figure]:
    """A family with 600 invoices, beside one with 12."""
    with ExitStack() as stack:
        old = stack.enter_context(site(folder / "long", 100, 600))
        new = stack.enter_context(site(folder / "thousand", FEW))
        figures = interleaved(
            ROUNDS, lambda: cost(old, PAGE, REQUESTS), lambda: cost(new, PAGE, REQUESTS)
        )
    yield Figure(
        "one family with 600 invoices", figures[0], "ms", figures[1], "with 12", "1.5x", "1.1x"
    )


def wire(folder: Path) -> Iterator[Figure]:
    """Bytes and requests of a page with an empty cache, as the site itself answers a browser."""
    with site(folder / "few", 500) as ours:
        cookie = ours.cookie
        for name, path in (("sign-in", "/connexion"), ("invoices", PAGE)):
            ours.cookie = cookie if path == PAGE else ""
            sizes = _loaded(ours, path)
            yield Figure(
                f"{name} page over the wire, {len(sizes)} requests", sum(sizes) / 1000, "kB", None,
                "", "3 requests, 30 kB", "2, 15 kB",
            )  # fmt: skip


def _loaded(service: Service, path: str) -> list[int]:
    """The size of each answer, headers included, of what a browser loads for a page."""
    answers = [service.ask(path, Accept_Encoding="gzip, deflate, br, zstd")]
    head, _, body = answers[0].partition(b"\r\n\r\n")
    text = (gzip.decompress(body) if b"Content-Encoding: gzip" in head else body).decode()
    answers += [
        service.ask(piece, Accept_Encoding="gzip, deflate, br, zstd")
        for piece in text.split('"')
        if piece.startswith("/fichiers/")
    ]
    return [len(answer) for answer in answers]
