"""Every address of the town hall's area, by an agent whose roles are for another *régie* than the
one whose money is there: nothing of it is told, nothing of it changes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Gateway
from kiosque import create_app
from kiosque.db import write
from kiosque.db.models import (
    Attempt,
    Family,
    FamilyNotice,
    FamilyNoticeItem,
    ImportBatch,
    Invoice,
    OutboxMail,
    PaymentExport,
)
from kiosque.db.states import MailState
from kiosque.outbox import queue
from kiosque.settings import OtherRegie, Settings
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent
from tests.conftest import NOW
from tests.kiosque.web.test_hostile import everything, visit
from tests.stage import OPEN, PAGES, PAID, STAFF, Stage, set_up

#: An administrator's accounts and settings are the whole town's.
OF_A_REGIE = [role for role in Role if role != Role.ADMINISTRATION]
#: What an agent changes of his own access, and of the town's: how the columns of a file are read.
OWN = {
    "office.renew_recovery_codes",
    "office.forget_columns",
    "office.forget_bank_columns",
    "office.name_bank_columns",
}


@pytest.fixture
def two(settings: Settings) -> Settings:
    creche = OtherRegie("Régie Crèche", "Camille Roux", services=("Multi-accueil",), gateway="x")
    return replace(settings, regies={"creche": creche})


@pytest.fixture
def app(two: Settings, empty_database: None, frozen: object) -> Iterator[Flask]:
    made = create_app(two)
    yield made
    made.extensions["at_work"]()


@pytest.fixture
def stage(app: Flask, two: Settings, alices_family: Family, gateway: Gateway) -> Stage:
    """All the money is the first *régie*'s: invoices, payments, points, files, mails, exports."""
    made = set_up(app, two, alices_family, gateway)
    PaymentExport.create(
        consumer="concerto", regie="", former=0, reached=1, exported_at=NOW, author="Dominique"
    )
    notice = FamilyNotice.create(kind="new-invoices", family=alices_family, made_at=NOW)
    told = Invoice.get(Invoice.number == OPEN)
    FamilyNoticeItem.create(notice=notice, invoice=told, kind="new-invoices")
    with write():
        queue.add("told", "new-invoices", notice.id, "alice@example.org")
        OutboxMail.update(state=MailState.FAILED, last_error="550 inconnue ici").execute()
    return made


@pytest.fixture(params=OF_A_REGIE, ids=str)
def other(request: pytest.FixtureRequest, stage: Stage) -> FlaskClient:
    return enter(stage.app, make_agent(request.param, "camille@x.fr", regie="creche"))


def told(stage: Stage, endpoint: str) -> list[str]:
    """Return the words that no answer of this address may say, unless the visitor typed them."""
    page = stage.page(endpoint)
    typed = " ".join([*page.path.values(), *page.query.values(), *page.form.values()])
    names = [OPEN, PAID, "45,20", "42,25", "R000001", Attempt.get().reference]
    names += [ImportBatch.get().file_name, "octobre.csv", "commande inconnue", "concerto", "TPE"]
    names += ["2026-001", "550 inconnue", "nouvelles factures", ">VIR<"]
    return [name for name in names if name not in typed]


def test_what_the_table_looks_for_is_there(stage: Stage) -> None:
    for regie in ("", "creche"):
        for role in OF_A_REGIE:
            make_agent(role, "tout@x.fr", regie=regie)
    client = enter(stage.app, make_agent(Role.ADMINISTRATION, "tout@x.fr"))
    pages = (visit(stage, name, client) for name, it in PAGES.items() if it.audience == STAFF)
    said = " ".join(each.data.decode(errors="replace") for each in pages)
    assert [name for name in told(stage, "office.today") if name not in said] == []


def test_no_address_tells_of_the_money_of_another_regie(stage: Stage, other: FlaskClient) -> None:
    before, seen = everything(), set()
    for endpoint, page in PAGES.items():
        if page.audience != STAFF or endpoint in OWN:
            continue
        answer = visit(stage, endpoint, other)
        said = f"{answer.headers.get('Location', '')} {answer.data.decode(errors='replace')}"
        answer.close()
        assert answer.status_code < 500, endpoint
        if answer.status_code != 403:
            found = [name for name in told(stage, endpoint) if name in said]
            assert not found, (endpoint, found)
        seen.add(answer.status_code)
    assert everything() == before
    assert {200, 403} <= seen
