"""Measure the town hall's lists of invoices and of payments, whatever the size of the base."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kiosque import db
from kiosque.settings import loading
from kiosque.staff.roles import Role
from tests.agents import PASSWORD, make_agent, telephone_of
from tests.bench import base
from tests.bench.pages import FEW, ROUNDS
from tests.bench.service import HELLO, SITE, Service, cost, serve
from tests.bench.table import Figure, interleaved
from tests.conftest import free_port
from tests.sites import settle

REQUESTS = 100
#: The first page of each, and the one after a filter.
LISTS = {
    "invoices": "/mairie/factures",
    "invoices to pay": "/mairie/factures?etat=open",
    "invoices of an amount": "/mairie/factures?montant=45,20",
    "payments": "/mairie/encaissements",
}
ROWS = 50


@contextmanager
def office(folder: Path, families: int) -> Iterator[Service]:
    """The site on a base of that size, with the browser of one agent signed in."""
    folder.mkdir(exist_ok=True)
    path, port = folder / "kiosque.sqlite3", free_port()
    if not path.exists():
        base.fill(path, families)
    settings = loading.load(
        {
            "KIOSQUE_DATA": str(folder),
            "KIOSQUE_CONFIG": str(settle(folder, f"http://127.0.0.1:{port}")),
        }
    )
    db.configure(path)
    with db.connection():
        db.migrate()
        agent = make_agent(Role.REGISSEUR)
        code = telephone_of(settings, agent)
    with serve(SITE, folder, port) as service:
        for page, form in (
            ("/mairie/connexion", {"email": agent.email, "password": PASSWORD}),
            ("/mairie/code", {"code": code}),
        ):
            service.fill(page, form)
        for page in LISTS.values():
            # A browser keeps the cookie that has the token of the page's form.
            shown = service.open(page).count('<th scope="row"')
            if shown != ROWS:
                raise AssertionError(f"{page}: {shown} rows shown")
            cost(service, page, REQUESTS)
        yield service


def lists(folder: Path) -> Iterator[Figure]:
    """Fifty rows, beside Flask alone."""
    with office(folder / "thousand", FEW) as ours, serve(HELLO) as hello:
        cost(hello, "/", REQUESTS)
        for words, page in LISTS.items():
            figures = interleaved(
                ROUNDS,
                lambda page=page: cost(ours, page, REQUESTS),
                lambda: cost(hello, "/", REQUESTS),
            )
            yield Figure(
                f"CPU of the town hall's list of {words}, 50 rows", figures[0], "ms", figures[1],
                "bare Flask hello", "10x", "8x",
            )  # fmt: skip


def lists_many(folder: Path, many: Path) -> Iterator[Figure]:
    """The same lists in a base of a million invoices, and a million payments."""
    with ExitStack() as stack:
        large = stack.enter_context(office(many, 0))
        small = stack.enter_context(office(folder / "thousand", FEW))
        for words, page in LISTS.items():
            figures = interleaved(
                ROUNDS,
                lambda page=page: cost(large, page, REQUESTS),
                lambda page=page: cost(small, page, REQUESTS),
            )
            yield Figure(
                f"the list of {words}, 1 200 000 invoices in the base", figures[0], "ms",
                figures[1], "with 1 200", "1.2x", "1.05x",
            )  # fmt: skip
