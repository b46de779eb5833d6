"""A family asks for what is held about it, or to be erased: the administration answers."""

import io
import zipfile

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import Family, Invoice, StaffEvent
from kiosque.privacy import acts
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send

DATA = "/mairie/donnees"
GIVE, ERASE = f"{DATA}/F1001/remettre", f"{DATA}/F1001/effacer"
AGREED = {"reason": "courriel du 3 mars", "seen": "y"}


@pytest.fixture
def client(app: Flask, alices_family: Family, charlies_family: Family) -> FlaskClient:
    return enter(app, make_agent(Role.ADMINISTRATION))


def last() -> tuple[str, str, str]:
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    return line.action, line.object, line.reason


def test_a_family_is_looked_up_by_its_code(client: FlaskClient) -> None:
    assert DATA in client.get("/mairie/reglages").text
    assert GIVE in client.get(f"{DATA}?famille=f 1001").text
    assert "effacer" not in client.get(f"{DATA}?famille=F9999").text
    assert client.get(f"{DATA}/F9999/effacer").status_code == 404
    assert last()[:2] == ("families_searched", "F9999")
    client.get(ERASE)
    assert last()[:2] == ("family_read", "F1001")


def test_what_is_held_leaves_as_an_archive_and_is_remembered(client: FlaskClient) -> None:
    assert send(client, GIVE, reason="", seen="y").status_code == 422
    assert send(client, GIVE, reason="x", seen="").status_code == 422
    assert acts.read() == []
    answer = send(client, GIVE, **AGREED)
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert {"famille.html", "famille.json"} <= set(archive.namelist())
        text = archive.read("famille.json").decode()
    assert "F1001" in text
    assert "F2002" not in text
    assert [(each.kind, each.author) for each in acts.read()] == [
        ("exported", "administration@sautron.example.org")
    ]
    assert last() == ("family_exported", "F1001", AGREED["reason"])


def test_a_family_that_asks_is_erased_once_nothing_is_due(
    client: FlaskClient, october: Invoice
) -> None:
    page = client.get(ERASE).text
    assert october.number in page
    assert "Effacer la famille F1001</button>" not in page, "nothing to press that would be refused"
    assert send(client, ERASE, **AGREED).status_code == 422
    Invoice.update(state="cancelled").where(Invoice.id == october.id).execute()
    assert send(client, ERASE, reason="x", seen="").status_code == 422
    assert Family.get(Family.code == "F1001").forgotten_at is None
    assert send(client, ERASE, **AGREED).location == DATA
    assert Family.get(Family.code == "F1001").forgotten_at
    assert Family.get(Family.code == "F2002").forgotten_at is None
    assert last() == ("family_erased", "F1001", AGREED["reason"])
    assert client.get(ERASE).status_code == 404


def test_credit_notes_are_said_to_be_settled(client: FlaskClient, october: Invoice) -> None:
    Invoice.update(state="nothing_due", total_cents=-500).where(Invoice.id == october.id).execute()
    assert send(client, ERASE, **AGREED).status_code == 422
    assert send(client, ERASE, settled="y", **AGREED).location == DATA
