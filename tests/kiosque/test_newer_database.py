"""A database that a later version has changed: this one neither reads nor writes it."""

from collections.abc import Callable

import pytest
from click import Group
from click.testing import CliRunner

from gateways.base import Handoff
from kiosque import create_app, db
from kiosque.cli import main
from kiosque.cli.entry import CommandFault
from kiosque.db import database
from kiosque.db.models import Attempt, Invoice
from kiosque.demo import settings as demo_settings
from kiosque.settings import Settings
from tests import fresh_databases, sentences
from tests.bank import notice
from tests.conftest import dump, free_port
from tests.kiosque.conftest import Run

#: What needs no database, puts another in its place, or is tried below.
WITHOUT_BASE = {"alert", "check", "demo", "open", "reset", "restore", "upgrade"}
LATER = """INSERT INTO schema_migration (id, name, applied)
VALUES (9999, '9999_later', '2030-01-01 00:00:00')"""


def test_every_command_refuses_it_and_says_the_way_out(run: Run) -> None:
    database.execute_sql(LATER)
    before = dump()
    for name in set(main.commands) - WITHOUT_BASE:
        command = main.commands[name]
        for each in command.commands.values() if isinstance(command, Group) else [command]:
            with pytest.raises(CommandFault, match=r"9999_later.*version.*sauvegarde"):
                each.callback()
    assert run("migrate").exit_code == 1
    assert dump() == before


@fresh_databases.on_sqlite
def test_the_demo_refuses_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSQUE_DATA", str(settings.data))
    demo_settings.prepare({"KIOSQUE_DATA": str(settings.data)}, port=8110, bank_port=8111)
    with fresh_databases.ready(settings.data) as location:
        fresh_databases.run(location, LATER)
    refused = CliRunner().invoke(
        main, ["demo", "--port", str(free_port()), "--bank-port", str(free_port())]
    )
    assert refused.exit_code == 1
    assert "9999_later" in refused.output


def test_the_site_closes_and_its_health_says_why(
    settings: Settings,
    october: Invoice,
    pay: Callable[..., tuple[Attempt, Handoff]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, handoff = pay(october.family, october)
    database.execute_sql(LATER)
    before, visitor = dump(), create_app(settings).test_client()
    assert "9999_later" in caplog.text
    health = visitor.get("/sante")
    assert (health.status_code, health.json["etat"]) == (503, sentences.NEWER_DATABASE)
    for address in ("/", "/connexion", "/factures", "/confidentialite", "/nulle-part"):
        page = visitor.get(address)
        assert (page.status_code, page.mimetype) == (503, "text/html")
    told = visitor.post("/paiement/notification/banque", data=notice(handoff))
    assert (told.status_code, "Retry-After" in told.headers) == (503, True)
    assert dump() == before


def test_the_health_of_a_site_that_ran_before_says_so_too(
    settings: Settings, empty_database: None
) -> None:
    visitor = create_app(settings).test_client()
    database.execute_sql(LATER)
    assert visitor.get("/sante").status_code == 503
    with pytest.raises(db.NewerDatabase):
        db.migrate()
