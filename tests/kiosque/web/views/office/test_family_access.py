"""A family's way in, opened again by an agent: letter, link, provisional password."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db.models import Account, Family, Guardian, OutboxMail, Session, StaffEvent
from kiosque.families import accounts, own_changes, tokens
from kiosque.staff.roles import Role
from tests import fresh_databases, pdfs
from tests.agents import enter, make_agent, send
from tests.conftest import PASSWORD, csrf_token, dump

LETTER, LINK, WORD = (f"/mairie/familles/F1001/{act}" for act in ("lettre", "lien", "mot-de-passe"))
WHY = {"reason": "au guichet", "seen": "y"}


@pytest.fixture
def client(app: Flask, alices_family: Family, charlies_family: Family) -> FlaskClient:
    Guardian.create(
        family=alices_family, first_name="Alice", last_name="Martin", email="alice@example.org"
    )
    return enter(app, make_agent(Role.FACTURATION))


def link(client: FlaskClient, to: str) -> TestResponse:
    token = csrf_token(client.get("/mairie/mon-acces").text)
    return client.post(LINK, data={"csrf_token": token, **WHY, "to": to})


def last_line() -> tuple[str, str, str]:
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    return line.action, line.object, line.reason


def held() -> object:
    """All that the database holds, but for what agents read."""
    return fresh_databases.rows(without={"staff_event", "sqlite_sequence"})


def code_in(paper: bytes) -> str:
    found = re.search(r"(?:[a-z2-9]{5}-){2}[a-z2-9]{5}", pdfs.text(paper))
    assert found
    return found[0]


@pytest.mark.parametrize("page", [LETTER, LINK, WORD])
def test_nothing_is_done_before_a_reason_and_a_tick(client: FlaskClient, page: str) -> None:
    before = held()
    for fields in ({}, {"reason": "au guichet"}, {"seen": "y"}, {**WHY, "reason": "x" * 1001}):
        token = csrf_token(client.get(page).text)
        sent = {"csrf_token": token, "to": "alice@example.org", **fields}
        assert client.post(page, data=sent).status_code == 422
    assert held() == before


def test_a_letter_is_a_pdf_whose_code_opens_the_account(client: FlaskClient, app: Flask) -> None:
    answer = send(client, LETTER, **WHY)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Alice Martin" in pdfs.text(answer.data)
    assert tokens.find_code("F1001", code_in(answer.data))
    assert last_line() == ("letter_issued", "F1001", "au guichet")


def test_a_letter_is_kept_nowhere(client: FlaskClient, app: Flask) -> None:
    folder = app.extensions["settings"].data
    before = set(folder.rglob("*"))
    code = code_in(send(client, LETTER, **WHY).data)
    assert set(folder.rglob("*")) == before
    assert code not in dump()
    assert code.replace("-", "") not in dump()


def test_a_letter_leaves_the_password_and_the_address_until_it_serves(
    client: FlaskClient, alice: FlaskClient
) -> None:
    Family.update(email="en-ligne@example.org").where(Family.code == "F1001").execute()
    send(client, LETTER, **WHY)
    assert Family.get(Family.code == "F1001").email == "en-ligne@example.org"
    assert alice.get("/compte").status_code == 200


def test_a_place_that_was_taken_is_given_back_by_the_letter(
    client: FlaskClient, alice: FlaskClient
) -> None:
    Family.update(email="voleur@example.org").where(Family.code == "F1001").execute()
    answer = send(client, LETTER, **WHY, forget="y")
    assert Family.get(Family.code == "F1001").email == ""
    assert Session.select().count() == 0
    assert accounts.authenticate("F1001", PASSWORD) is None
    assert tokens.find_code("F1001", code_in(answer.data))
    assert last_line() == ("family_shut_out", "F1001", "au guichet")


def test_a_link_leaves_for_the_address_held_and_opens_a_first_account(
    client: FlaskClient, alices_family: Family, app: Flask
) -> None:
    answer = link(client, "alice@example.org")
    assert answer.location == "/mairie/familles/F1001"
    mail = OutboxMail.get(OutboxMail.template == "reset")
    assert mail.recipient == "alice@example.org"
    secret = tokens.draw_link(mail.object_id)
    assert secret
    token = own_changes.find_link(secret, tokens.Purpose.RESET)
    assert token
    own_changes.reset(token, "un parapluie vert dans la cour", app.extensions["settings"].town, "")
    assert Account.get().family == alices_family
    assert last_line() == ("link_sent", "F1001", "au guichet")


@pytest.mark.parametrize("to", ["", "ailleurs@example.org", "charlie@example.org"])
def test_a_link_leaves_for_no_other_address(
    client: FlaskClient, charlies_family: Family, to: str
) -> None:
    Guardian.create(
        family=charlies_family, first_name="Charlie", last_name="Petit", email="charlie@example.org"
    )
    before = held()
    assert link(client, to).status_code == 422
    assert held() == before
    assert last_line() == ("family_read", "F1001", "")


def test_a_family_without_an_address_gets_no_link(client: FlaskClient) -> None:
    Guardian.update(email="").execute()
    assert LINK not in client.get("/mairie/familles/F1001").text
    assert '<form method="post" class' not in client.get(LINK).text
    assert link(client, "alice@example.org").status_code == 422


def test_a_provisional_password_is_shown_once_and_the_family_told(
    client: FlaskClient, alice: FlaskClient
) -> None:
    page = send(client, WORD, **WHY)
    shown = re.search(r"(?:[a-z2-9]{5}-){2}[a-z2-9]{5}", page.text)
    assert shown
    account = accounts.authenticate("F1001", shown[0])
    assert account
    assert account.must_change_password
    assert alice.get("/compte").status_code == 302  # its session has ended
    assert shown[0] not in dump()
    assert shown[0] not in client.get(WORD).text
    told = OutboxMail.get(OutboxMail.template == "password_changed")
    assert told.recipient == "alice@example.org"
    assert last_line() == ("password_given", "F1001", "au guichet")


@pytest.mark.parametrize("page", [LETTER, LINK, WORD])
def test_a_family_forgotten_has_no_way_in_to_open(
    client: FlaskClient, page: str, alices_family: Family
) -> None:
    Family.update(forgotten_at=alices_family.updated_on).execute()
    assert client.get(page).status_code == 404


def test_the_buttons_are_those_of_the_role(client: FlaskClient, app: Flask) -> None:
    record = "/mairie/familles/F1001"
    assert all(page in client.get(record).text for page in (LETTER, LINK, WORD))
    reader = enter(app, make_agent(Role.CONSULTATION))
    assert not any(page in reader.get(record).text for page in (LETTER, LINK, WORD))
