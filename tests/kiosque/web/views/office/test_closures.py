"""A bank's maintenance, said at the town hall: until when, and what families read."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import payments
from kiosque.db.models import Invoice, StaffEvent
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.conftest import NOW

SETTINGS = "/mairie/reglages"
PAGE = f"{SETTINGS}/banques/banque/suspendre"
OPEN = f"{SETTINGS}/banques/banque/rouvrir"
SAID = "Le Trésor entretient son service."
TOMORROW = f"{NOW + timedelta(days=1):%Y-%m-%dT%H:%M}"


@pytest.fixture
def client(app: Flask, empty_database: None) -> FlaskClient:
    return enter(app, make_agent(Role.ADMINISTRATION))


def noted() -> tuple[str, str]:
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    return line.action, line.object


def test_a_bank_is_closed_until_an_hour_with_the_sentence_that_families_read(
    client: FlaskClient, alice: FlaskClient, october: Invoice
) -> None:
    assert PAGE in client.get(SETTINGS).text
    assert send(client, PAGE, until=TOMORROW, sentence=SAID, seen="y").location == SETTINGS
    assert noted() == ("bank_closed", "banque")
    assert payments.closed_banks()["banque"].author == "administration@sautron.example.org"
    assert SAID in client.get(SETTINGS).text
    assert SAID in alice.get(f"/factures/{october.number}").text
    assert send(client, SETTINGS, OPEN).location == SETTINGS
    assert noted() == ("bank_opened", "banque")
    assert SAID not in alice.get(f"/factures/{october.number}").text
    send(client, SETTINGS, OPEN)
    assert "n’était pas suspendu" in client.get(SETTINGS).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": ""},
        {"until": "demain"},
        {"until": "0001-01-01T00:00"},
        {"until": "9999-12-31T23:59"},
        {"until": "2026-11-01T10:00"},
        {"until": "2027-06-01T10:00"},
        {"sentence": "x" * 301},
        {"sentence": "a\0b"},
        {"seen": ""},
    ],
)
def test_what_cannot_be_is_said_and_the_bank_stays_open(
    client: FlaskClient, wrong: dict[str, str]
) -> None:
    given = {"until": TOMORROW, "sentence": SAID, "seen": "y", **wrong}
    assert send(client, PAGE, **given).status_code == 422
    assert payments.closed_banks() == {}


def test_a_bank_that_the_town_has_not_is_not_found(client: FlaskClient) -> None:
    assert client.get(f"{SETTINGS}/banques/autre/suspendre").status_code == 404
    assert send(client, SETTINGS, f"{SETTINGS}/banques/autre/rouvrir").status_code == 404
