"""An agent puts a family away, and brings it back."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import Family, Invoice, StaffEvent
from kiosque.privacy import archiving
from kiosque.staff.roles import Role
from tests import sentences
from tests.agents import enter, make_agent, send
from tests.conftest import PASSWORD, choose_password, csrf_token

RECORD = "/mairie/familles/F1001"
WHY = {"reason": "a déménagé", "seen": "y"}


@pytest.fixture
def client(app: Flask, alices_family: Family, charlies_family: Family) -> FlaskClient:
    return enter(app, make_agent(Role.FACTURATION))


def last_line() -> tuple[str, str, str]:
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    return line.action, line.object, line.reason


def is_away() -> bool:
    return Family.get(Family.code == "F1001").archived_at is not None


def test_a_family_is_put_away_and_brought_back(client: FlaskClient) -> None:
    assert send(client, f"{RECORD}/archiver", **WHY).location == RECORD
    assert last_line() == ("family_archived", "F1001", "a déménagé")
    assert is_away()
    assert RECORD not in client.get("/mairie/familles?q=martin").text
    assert RECORD in client.get("/mairie/familles?q=martin&archivees=1").text
    assert client.get("/mairie/aller?q=F1001").location == RECORD
    assert send(client, RECORD, f"{RECORD}/retablir").location == RECORD
    assert last_line() == ("family_brought_back", "F1001", "")
    assert not is_away()
    assert RECORD in client.get("/mairie/familles?q=martin").text


def test_it_is_not_put_away_without_a_reason_and_a_tick(client: FlaskClient) -> None:
    for fields in ({}, {"reason": "a déménagé"}, {"seen": "y"}):
        assert send(client, f"{RECORD}/archiver", **fields).status_code == 422
    assert not is_away()


def test_what_is_due_keeps_it_and_is_said(client: FlaskClient, october: Invoice) -> None:
    page = client.get(f"{RECORD}/archiver").text
    assert october.number in page
    token = csrf_token(page)
    answer = client.post(f"{RECORD}/archiver", data={"csrf_token": token, **WHY})
    assert answer.status_code == 422
    assert not is_away()


def test_a_family_put_away_is_given_no_way_in(client: FlaskClient, alices_family: Family) -> None:
    archiving.archive(alices_family)
    page = client.get(RECORD).text
    for act in ("lettre", "lien", "mot-de-passe", "archiver"):
        assert f"{RECORD}/{act}" not in page
        assert client.get(f"{RECORD}/{act}").status_code == 404


def test_its_parents_read_why_they_cannot_come_in(
    stranger: FlaskClient, alices_family: Family
) -> None:
    choose_password(alices_family)
    archiving.archive(alices_family)
    for password, said in ((PASSWORD, True), ("faux", False)):
        page = send(stranger, "/connexion", code="F1001", password=password)
        assert page.status_code == 422
        assert (sentences.PUT_AWAY in page.text) is said
