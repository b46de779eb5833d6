"""The cast and the stage.

Alice owns family F1001; Bob is the other parent, on his own phone, with the same account;
Charlie is of another family, F2002, and must see nothing of theirs. The stranger is signed out.
"""

import logging
import os
import secrets
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.controller import Controller
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from flask_login import FlaskLoginClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from werkzeug.serving import make_server

from gateways import network
from gateways.base import Gateway, Handoff
from gateways.registry import configure as configure_gateway
from kiosque import create_app, db
from kiosque.db import sqlite
from kiosque.db.models import Account, Attempt, Family, ImportBatch, Invoice, InvoiceLine, Service
from kiosque.families import accounts, hashing, sessions
from kiosque.families.passwords import NewPassword
from kiosque.language import clock
from kiosque.payments import Issuers, Purchase, start
from kiosque.settings import Mail, Payment, Regie, Settings, Town
from kiosque.spelling import fold_words
from kiosque.web.access import SignedIn
from tests import fresh_databases, once
from tests.bank import KEY
from tests.mailbox import Mailbox

if TYPE_CHECKING:
    from tests.pages.stage import Seen
    from tests.stage import Stage

pytest.register_assert_rewrite("gateways.testing")
# A busy machine is no fault of the code: no example is timed.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")
# Whoever runs the tests by sudo is the author of nothing in them.
os.environ.pop("SUDO_USER", None)

#: A browser of its own, signed in for a family.
SignIn = Callable[[Family], FlaskClient]
PUBLIC_URL = "http://127.0.0.1:8000"
PASSWORD = "une phrase assez longue"  # the cast's own
NOW = datetime(2026, 11, 24, 19, 30, tzinfo=UTC)
TOWN = Town("Ville de Sautron", "enfance@sautron.example.org", "info@sautron.example.org")
REGIE = Regie("Régie Enfance", "Dominique Aubry", "regie@sautron.example.org")
ISSUERS = Issuers(TOWN.name, {"": REGIE}, {})


def _no_network_inside_a_write(event: str, _arguments: object) -> None:
    if event == "socket.connect" and db.database.in_transaction():
        raise AssertionError("a connection is made inside write()")


# Over the whole suite: while a write lasts, everybody else who writes waits.
sys.addaudithook(_no_network_inside_a_write)


once.put_in_force()


def free_port() -> int:
    """A port of this machine that nobody listens on, below those that the system gives to whoever
    connects: one of them may be given before the test listens."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def listening(app: Flask, url: str) -> Iterator[None]:
    """The site answers at this address of this machine."""
    port = int(url.rpartition(":")[2])
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed a thousand times faster than in production."""
    monkeypatch.setattr(hashing, "hasher", PasswordHasher(1, 8, 1))


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No commit waits for the disk. A file of tests that is about durability has its own."""
    monkeypatch.setitem(sqlite.PRAGMAS, "synchronous", 0)


@pytest.fixture(autouse=True)
def _no_order_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite gives rows in the order opposite to its usual one, where a query asks for none: what
    PostgreSQL, which gives them in any, would do once in a while fails here each time."""
    monkeypatch.setitem(sqlite.PRAGMAS, "reverse_unordered_selects", 1)


@pytest.fixture(autouse=True)
def _afterwards_directly() -> Iterator[None]:
    """Undo what one test sets of the town's network."""
    yield
    network.use(network.DIRECT)


#: A test that takes longer is marked `slow`, or made faster.
SLOW_SECONDS = 5


#: What is long to make, and made once a process: the tests that share it go to one process.
SHARED = {"pages": "pages", "town": "demo", "first_run": "demo"}
#: The same, made once a module.
OF_A_MODULE = {"home", "installation", "made", "played", "prepared", "served", "target"}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones, so that no process ends alone on one of them, and keep together
    those that share a demo or every page."""
    items.sort(key=lambda item: not any(map(item.get_closest_marker, ("browser", "proof", "slow"))))
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if shared := used & SHARED.keys():
            item.add_marker(pytest.mark.xdist_group(min(SHARED[name] for name in shared)))
        elif used & OF_A_MODULE:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that lack the mark. It is no failure: the machine may have been busy."""
    for report in terminalreporter.getreports("passed"):
        if report.duration > SLOW_SECONDS and "slow" not in report.keywords:
            terminalreporter.write_line(f"SLOW {report.duration:.1f} s {report.nodeid}")


def pytest_sessionfinish() -> None:
    fresh_databases.end()


@pytest.fixture(scope="session")
def template_database() -> Path:
    """A database of SQLite's with its tables, to copy."""
    return fresh_databases.template()


@pytest.fixture
def postgresql_database(tmp_path: Path) -> Iterator[str]:
    """Where the test's own database is, on PostgreSQL; empty on SQLite, where it is in
    `tmp_path`."""
    if not fresh_databases.URL:
        yield ""
        return
    with fresh_databases.ready(tmp_path) as location:
        yield str(location)


@pytest.fixture
def settings(tmp_path: Path, postgresql_database: str) -> Settings:
    return Settings(
        environment="test",
        secret_key=secrets.token_urlsafe(32),
        public_url=PUBLIC_URL,
        database=postgresql_database,
        data=tmp_path,
        town=TOWN,
        regie=REGIE,
        payment=Payment(gateway="banque"),
        mail=Mail(sender="kiosque@sautron.example.org"),
        gateways={
            "banque": {"adapter": "sandbox", "url": "http://127.0.0.1:8001", "key": KEY},
        },
    )


@pytest.fixture
def empty_database(settings: Settings) -> Iterator[None]:
    """A database of the test's own, connected."""
    if not settings.on_postgresql:
        shutil.copyfile(fresh_databases.template(), settings.database_path)
    db.configure(settings.database_location)
    with db.connection():
        yield


def dump() -> str:
    """Everything that the database holds, as text."""
    tables = db.database.get_tables()
    rows = [row for table in tables for row in db.database.execute_sql(f'SELECT * FROM "{table}"')]
    return "\n".join(map(repr, rows))


@dataclass
class Clock:
    """The site's clock, held still and moved by hand."""

    at: datetime

    def advance(self, **units: float) -> None:
        self.at += timedelta(**units)


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Clock:
    held = Clock(NOW)
    monkeypatch.setattr(clock, "now", lambda: held.at)
    return held


@pytest.fixture
def alices_family(empty_database: None, frozen: Clock) -> Family:
    return make_family("F1001", "Martin")


@pytest.fixture
def charlies_family(empty_database: None, frozen: Clock) -> Family:
    return make_family("F2002", "Petit")


def make_family(code: str, name: str) -> Family:
    return Family.create(
        code=code,
        name=name,
        words=fold_words(name),
        address="1 rue des Lilas",
        postcode="44880",
        city="Sautron",
        updated_on=date(2026, 11, 5),
    )


def choose_password(family: Family, password: str = PASSWORD) -> Account:
    """The family chooses a password, as it does on the site."""
    return accounts.set_password(NewPassword(password, family, TOWN))


def make_batch() -> ImportBatch:
    return ImportBatch.create(
        file_name="essai.csv",
        sha256="0" * 64,
        kind="factures",
        row_count=1,
        added_count=1,
        imported_at=NOW,
    )


def make_invoice(family: Family, number: str, cents: int = 4520, **values: object) -> Invoice:
    """An open invoice of October 2026, one line a meal."""
    batch = ImportBatch.get_or_none() or make_batch()
    service = Service.select().order_by(Service.id).first() or Service.create(
        name="Restauration scolaire"
    )
    details: dict[str, object] = {
        "issued_on": date(2026, 11, 5),
        "due_on": date(2026, 11, 30),
        "period": "octobre 2026",
        "services": "Restauration scolaire",
        "children": "Léa Martin",
        "total_cents": cents,
        "digest": number,
        "paid_cents": cents if values.get("state") == "paid" else 0,
        **values,
    }
    invoice = Invoice.create(number=number, family=family, batch=batch, **details)
    InvoiceLine.create(
        invoice=invoice,
        child="Léa Martin",
        service=service,
        label="Repas",
        quantity_hundredths=100,
        unit_price_cents=cents,
        amount_cents=cents,
    )
    return invoice


@pytest.fixture
def october(alices_family: Family) -> Invoice:
    return make_invoice(alices_family, "2026-10-0001", 4520)


@pytest.fixture
def september(alices_family: Family) -> Invoice:
    return make_invoice(
        alices_family,
        "2026-09-0001",
        4225,
        due_on=date(2026, 10, 31),
        issued_on=date(2026, 10, 5),
        period="septembre 2026",
    )


@pytest.fixture
def gateway(settings: Settings) -> Gateway:
    return configure_gateway("banque", settings.gateways["banque"], environment="test")


@pytest.fixture
def pay(gateway: Gateway) -> Callable[..., tuple[Attempt, Handoff]]:
    """Send a family to the bank with these invoices."""

    def go(family: Family, *invoices: Invoice, email: str | None = None) -> tuple[Attempt, Handoff]:
        total = sum(invoice.total_cents for invoice in invoices)
        numbers = [invoice.number for invoice in invoices]
        return start(Purchase(family, numbers, total, email), gateway, PUBLIC_URL)

    return go


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[tuple[Mailbox, Settings]]:
    box = Mailbox()
    port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    smtp = Mail(settings.mail.sender, host="127.0.0.1", port=port, security="none")
    yield box, replace(settings, mail=smtp)
    server.stop()


@pytest.fixture
def app(empty_database: None, settings: Settings, frozen: Clock) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["at_work"]()


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """A browser of its own, signed in for a family: the session that the password opens, without
    typing it."""

    def go(family: Family) -> FlaskClient:
        account = accounts.authenticate(family.code, PASSWORD) or choose_password(family)
        number = sessions.start(account)
        return FlaskLoginClient(app, app.response_class, user=SignedIn(account, number))

    return go


@pytest.fixture
def type_password(app: Flask) -> SignIn:
    """A browser of its own, in which a family has typed its code and its password."""

    def go(family: Family) -> FlaskClient:
        if not accounts.authenticate(family.code, PASSWORD):
            choose_password(family)
        client = app.test_client()
        page = client.get("/connexion").text
        answer = client.post(
            "/connexion",
            data={"code": family.code, "password": PASSWORD, "csrf_token": csrf_token(page)},
        )
        assert answer.status_code == 302
        return client

    return go


def csrf_token(page: str) -> str:
    """The token of the page's main form: the last one, after the sign-out button's."""
    return page.rpartition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """The SQL asked of the database in order, but for its write lock; clear it to count anew."""
    found: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sql = str(record.msg)
            # Peewee's pool speaks there too, of connections: only a query is a pair.
            is_query = isinstance(record.msg, tuple)
            if is_query and "lock_timeout" not in sql and "pg_advisory" not in sql:
                found.append(sql)

    logger = logging.getLogger("peewee")
    handler = Collect()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def alice(sign_in: SignIn, alices_family: Family) -> FlaskClient:
    return sign_in(alices_family)


@pytest.fixture
def bob(sign_in: SignIn, alice: FlaskClient, alices_family: Family) -> FlaskClient:
    return sign_in(alices_family)


@pytest.fixture
def charlie(sign_in: SignIn, charlies_family: Family) -> FlaskClient:
    return sign_in(charlies_family)


@pytest.fixture
def stage(app: Flask, settings: Settings, alices_family: Family, gateway: Gateway) -> "Stage":
    """Every address of the site has something of Alice's to show."""
    from tests.stage import set_up  # noqa: PLC0415  # it needs this module

    return set_up(app, settings, alices_family, gateway)


@pytest.fixture(scope="session")
def _visited() -> "list[Seen]":
    return []


@pytest.fixture
def pages(_visited: "list[Seen]", request: pytest.FixtureRequest, tmp_path: Path) -> "list[Seen]":
    """Every page in every state, the portal's then the mock bank's; rendered once a session."""
    from tests.pages.stage import Stage  # noqa: PLC0415
    from tests.pages.visit import visit, visit_bank  # noqa: PLC0415

    if not _visited:
        names = ("app", "frozen", "sign_in", "pay")
        stage = Stage(*(request.getfixturevalue(name) for name in names))
        _visited += [*visit(stage), *visit_bank(stage, tmp_path)]
    return list(_visited)
