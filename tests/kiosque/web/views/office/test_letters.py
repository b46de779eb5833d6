"""Letters for all the families that have no way in: each once, and what opens an account is kept
nowhere."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db.models import Account, Family, StaffEvent
from kiosque.families import accounts, own_changes
from kiosque.families.codes import random_code
from kiosque.staff.roles import Role
from kiosque.web.views.office import letters as view
from tests import fresh_databases, pdfs
from tests.agents import enter, make_agent, send
from tests.conftest import Clock, make_family

PAGE = "/mairie/familles/lettres"
WHY = {"reason": "rentrée", "seen": "y"}


@pytest.fixture
def client(app: Flask, alices_family: Family, charlies_family: Family) -> FlaskClient:
    Family.update(address="1 rue du Port", postcode="44880", city="Sautron").execute()
    return enter(app, make_agent(Role.FACTURATION))


def codes_of(answer: TestResponse) -> list[str]:
    assert answer.mimetype == "application/pdf"
    return re.findall(r"F\d{4}", pdfs.text(answer.data))


def noted() -> list[str]:
    lines = StaffEvent.select().where(StaffEvent.action == "letter_issued")
    return [line.object for line in lines.order_by(StaffEvent.id)]


def test_each_family_without_a_way_in_gets_a_letter_that_opens_its_account(
    client: FlaskClient, app: Flask
) -> None:
    assert "Faire 2 lettres" in client.get(PAGE).text
    answer = send(client, PAGE, **WHY)
    assert set(codes_of(answer)) == {"F1001", "F2002"} == set(noted())
    code = re.findall(r"(?:[a-z2-9]{5}-){2}[a-z2-9]{5}", pdfs.text(answer.data))[0]
    opened = send(
        app.test_client(), "/activer", code="F1001", activation=code, new="une phrase bien à nous"
    )
    assert opened.status_code == 302
    assert code not in str(fresh_databases.rows(without={"sqlite_sequence"}))


def test_a_letter_on_its_way_is_made_again_only_if_asked(
    client: FlaskClient, alices_family: Family
) -> None:
    own_changes.issue_codes([(alices_family, random_code())])
    page = client.get(PAGE).text
    assert "Faire 1 lettre<" in page
    assert "1 lettre déjà faite" in page
    assert set(codes_of(send(client, PAGE, **WHY))) == {"F2002"}
    assert set(codes_of(send(client, PAGE, again="y", **WHY))) == {"F1001", "F2002"}


def test_who_has_a_way_in_or_is_gone_gets_none(
    client: FlaskClient, alices_family: Family, charlies_family: Family
) -> None:
    accounts.issue_password(alices_family, must_change=True)
    Family.update(archived_at=Account.get().password_set_at).where(
        Family.id == charlies_family.id
    ).execute()
    assert "Aucune famille n’attend de lettre" in client.get(PAGE).text
    assert send(client, PAGE, "/mairie/familles/lettres", **WHY).status_code in (302, 400)
    assert noted() == []


def test_who_has_no_address_is_named_and_gets_none(
    client: FlaskClient, charlies_family: Family
) -> None:
    Family.update(city="").where(Family.id == charlies_family.id).execute()
    assert "1 famille sans adresse" in client.get(PAGE).text
    assert set(codes_of(send(client, PAGE, **WHY))) == {"F1001"}


def test_many_letters_leave_by_the_pile_and_a_lost_pile_is_made_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, frozen: Clock
) -> None:
    monkeypatch.setattr(view, "AT_ONCE", 2)
    make_family("F3003", "Durand")
    Family.update(address="1 rue du Port", postcode="44880", city="Sautron").execute()
    assert set(codes_of(send(client, PAGE, **WHY))) == {"F1001", "F2002"}
    frozen.advance(minutes=1)
    assert set(codes_of(send(client, PAGE, **WHY))) == {"F3003"}
    frozen.advance(minutes=1)
    assert set(codes_of(send(client, PAGE, again="y", **WHY))) == {"F1001", "F2002"}


def test_nothing_is_made_before_a_reason_and_a_tick(client: FlaskClient) -> None:
    for fields in ({}, {"reason": "rentrée"}, {"seen": "y"}):
        assert send(client, PAGE, **fields).status_code == 422
    assert noted() == []


def test_only_the_service_makes_letters(app: Flask, client: FlaskClient) -> None:
    assert f'href="{PAGE}"' in client.get("/mairie/familles").text
    for role in set(Role) - {Role.FACTURATION}:
        assert enter(app, make_agent(role)).get(PAGE).status_code == 403
    other = enter(app, make_agent(Role.CONSULTATION))
    assert PAGE not in other.get("/mairie/familles").text
