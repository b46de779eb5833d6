"""Families as agents look them up: found by any word, read only, each reading in the log."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import Child, Family, Guardian, StaffEvent
from kiosque.language import clock
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent


@pytest.fixture
def client(app: Flask, alices_family: Family, charlies_family: Family) -> FlaskClient:
    Guardian.create(family=alices_family, first_name="Alice", last_name="Durand")
    Child.create(family=alices_family, name="Léa Martin")
    return enter(app, make_agent(Role.FACTURATION))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("f 1001", {"F1001"}),
        ("F1", {"F1001"}),
        ("F", {"F1001", "F2002"}),
        ("mart", {"F1001"}),
        ("durand  MARTIN", {"F1001"}),
        ("alice petit", set()),
        ("Léa", set()),
        ("%", set()),
        ("_", set()),
        ("\0", set()),
        ("' OR 1=1", set()),
    ],
)
def test_a_search_finds_codes_and_the_names_of_the_household(
    client: FlaskClient, asked: str, found: set[str]
) -> None:
    page = client.get("/mairie/familles", query_string={"q": asked}).text
    assert {code for code in ("F1001", "F2002") if f"/familles/{code}" in page} == found


def test_the_search_box_goes_straight_to_the_family_of_a_code(client: FlaskClient) -> None:
    go = "/mairie/aller"
    assert client.get(go, query_string={"q": "f1001"}).location == "/mairie/familles/F1001"
    assert client.get(go, query_string={"q": "martin"}).location == "/mairie/familles?q=martin"
    assert client.get(go).location == "/mairie/familles"


def test_a_record_is_read_and_the_reading_noted(client: FlaskClient) -> None:
    page = client.get("/mairie/familles/F1001")
    for words in ("Martin", "Alice", "Durand", "Léa Martin"):
        assert words in page.text
    assert "Petit" not in page.text
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.object) == ("family_read", "F1001")
    assert line.staff.email == "facturation@sautron.example.org"


def test_a_search_is_noted_too(client: FlaskClient) -> None:
    client.get("/mairie/familles", query_string={"q": "martin"})
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.object) == ("families_searched", "martin")


def test_a_family_forgotten_or_unknown_is_not_there(client: FlaskClient) -> None:
    Family.update(forgotten_at=clock.now()).where(Family.code == "F2002").execute()
    for code in ("F2002", "F9999", "x" * 500):
        assert client.get(f"/mairie/familles/{code}").status_code == 404
    assert "/familles/F2002" not in client.get("/mairie/familles?q=F2002").text
    assert client.get("/mairie/aller?q=F2002").location == "/mairie/familles?q=F2002"
