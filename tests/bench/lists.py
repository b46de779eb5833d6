"""Measure the town hall's lists, whatever the size of the database."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from kiosque import db
from kiosque.closings.months import Month
from kiosque.db import database, write
from kiosque.db.models import MonthClosing, StatementFile
from kiosque.language import clock
from kiosque.payments import journal
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
    "the journal": "/mairie/journal",
    "the lines of the account": "/mairie/banque",
    "acts": "/mairie/journal-des-actions",
    "families found": "/mairie/familles?q=martin",
}
#: What it costs goes with the families, whatever their invoices: a town has 20 000 at most.
SEARCH = "families found"
FAMILIES = 20_000
ROWS = 40
#: What a row begins by, in a table and elsewhere.
_ROW = re.compile(r'<th scope="row"|<li><(?:strong|a href="/mairie/familles/)')
#: For each payment, the line of the account that credits it, and the reading of its family.
_MORE = """
INSERT INTO statement_file (id, sha256, name, kind, loaded_at, author, regies)
    VALUES (1, '', 'x.txt', 'cfonb', :at, 'bench', '[""]');
INSERT INTO statement (id, file_id, regie, opened_on, opening_cents, closed_on, closing_cents)
    SELECT 1, 1, '', date(:at, '-1 day'), 0, date(:at), SUM(amount_cents) FROM settlement;
INSERT INTO statement_line (id, statement_id, regie, booked_on, amount_cents, label, reference,
        occurrence, state)
    SELECT id, 1, '', date(:at, -(id % 3650) || ' days'), amount_cents,
        'VIR CB ' || transaction_id, '', 1, 'matched'
    FROM settlement;
INSERT INTO line_match (line_id, kind, settlement_id, amount_cents, rule, matched_at, author,
        reason)
    SELECT id, 'settlement', id, amount_cents, 'reference', :at, '', '' FROM settlement;
INSERT INTO staff_event (at, network, action, object, reason)
    SELECT :at, '192.0.2.1', 'family_read', code, '' FROM settlement
    JOIN family ON family.id = settlement.family_id;
UPDATE family SET words = 'martin lea tom' WHERE words = ''
"""


@contextmanager
def office(folder: Path, families: int, invoices: int = 12) -> Iterator[Service]:
    """The site on a database of that size, with the browser of one agent signed in."""
    folder.mkdir(exist_ok=True)
    path, port = folder / "kiosque.sqlite3", free_port()
    if not path.exists():
        base.fill(path, families, invoices)
    settings = loading.load(
        {
            "KIOSQUE_DATA": str(folder),
            "KIOSQUE_CONFIG": str(settle(folder, f"http://127.0.0.1:{port}")),
        }
    )
    db.configure(path)
    with db.connection():
        db.migrate()
        _add_more()
        agent = make_agent(Role.REGISSEUR)
        make_agent(Role.CONTROLE, agent.email)
        code = telephone_of(settings, agent)
    with serve(SITE, folder, port) as service:
        for page, form in (
            ("/mairie/connexion", {"email": agent.email, "password": PASSWORD}),
            ("/mairie/code", {"code": code}),
        ):
            service.fill(page, form)
        for page in LISTS.values():
            # A browser keeps the cookie that has the token of the page's form.
            shown = len(_ROW.findall(service.open(page)))
            if shown != ROWS:
                raise AssertionError(f"{page}: {shown} rows shown")
            cost(service, page, REQUESTS)
        yield service


def _add_more() -> None:
    """Fill once what only the town hall reads."""
    if not StatementFile.select().exists():
        at = f"'{clock.now() - timedelta(days=19):%Y-%m-%dT%H:%M:%S.000000Z}'"
        with database.atomic():
            for statement in _MORE.split(";"):
                database.execute_sql(statement.replace(":at", at))
        close(Month.of(clock.today()).previous)


def close(closed: Month) -> None:
    """Close a month as if all of it were proven: its entries are those of a real one."""
    with write():
        last, known = journal.last()
        position = {"seen": last, "books_cents": 0, "waiting": []}
        MonthClosing.create(
            regie="", month=closed.name, up_to=last, last_hash=known, balances="{}",
            gap_cents=0, gap_reason="", closed_at=clock.now(), author="bench",
            content=json.dumps({"position": position}),
        )  # fmt: skip


def lists(folder: Path) -> Iterator[Figure]:
    """Forty rows, beside Flask alone."""
    with office(folder / "thousand", FEW) as ours, serve(HELLO) as hello:
        cost(hello, "/", REQUESTS)
        for words, page in LISTS.items():
            figures = interleaved(
                ROUNDS,
                lambda page=page: cost(ours, page, REQUESTS),
                lambda: cost(hello, "/", REQUESTS),
            )
            yield Figure(
                f"CPU of the town hall's list of {words}, {ROWS} rows", figures[0], "ms",
                figures[1], "bare Flask hello", "10x", "8x",
            )  # fmt: skip


def lists_many(folder: Path, many: Path) -> Iterator[Figure]:
    """The same lists in a database of a million invoices, and a million payments."""
    with ExitStack() as stack:
        large = stack.enter_context(office(many, 0))
        small = stack.enter_context(office(folder / "thousand", FEW))
        for words, page in LISTS.items():
            if words == SEARCH:
                continue
            figures = interleaved(
                ROUNDS,
                lambda page=page: cost(large, page, REQUESTS),
                lambda page=page: cost(small, page, REQUESTS),
            )
            yield Figure(
                f"the list of {words}, 1 200 000 invoices in the database", figures[0], "ms",
                figures[1], "with 1 200", "1.2x", "1.05x",
            )  # fmt: skip


def search(folder: Path) -> Iterator[Figure]:
    """A name that many have, and one that nobody has, among 20 000 families."""
    with office(folder / "families", FAMILIES, invoices=base.OPEN + 1) as ours:
        for words, name in (("that many have", "martin"), ("that nobody has", "dupont")):
            page = f"/mairie/familles?q={name}"
            figure = min(cost(ours, page, REQUESTS) for _ in range(ROUNDS))
            yield Figure(
                f"CPU of the search of a name {words}, among 20 000 families", figure, "ms", None,
                "", "50 ms", "20 ms",
            )  # fmt: skip
