"""An agent's way in: the link, the password, the code; and what each refusal says."""

import re
from urllib.parse import unquote

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db import write
from kiosque.db.models import Staff
from kiosque.settings import Settings
from kiosque.staff import invitations, second_factor
from kiosque.staff.events import TERMINAL
from kiosque.staff.roles import Role
from tests.agents import PASSWORD, begin, make_agent, send, sign_in, telephone_of
from tests.conftest import Clock, csrf_token

NEW = "un parapluie vert dans la cour"


@pytest.fixture
def agent(empty_database: None, frozen: Clock) -> Staff:
    return make_agent(Role.ADMINISTRATION)


def link_of(agent: Staff) -> str:
    with write():
        invitation = invitations.prepare(agent, TERMINAL)
    return f"/mairie/invitation/{invitations.draw_link(invitation.id)}"


def test_from_the_link_to_the_first_page(app: Flask, empty_database: None, frozen: Clock) -> None:
    agent = make_agent(Role.ADMINISTRATION)
    with write():
        invitations.forget_telephone(agent, TERMINAL)
    client, link = app.test_client(), link_of(agent)
    page = client.get(link).text
    secret = re.search(r'class="reference">([A-Z2-7 ]+)<', page)
    assert secret
    telephone = pyotp.TOTP(secret[1].replace(" ", ""))
    told = send(client, link, new=NEW, code=telephone.at(frozen.at)).text
    codes = re.findall(r"<li>(\w{5}-\w{5}-\w{5})</li>", told)
    assert len(codes) == 10
    frozen.advance(seconds=30)
    answer = send(client, "/mairie/connexion", email=agent.email, password=NEW)
    assert answer.location == "/mairie/code"
    assert client.get("/mairie").location.startswith("/mairie/code")
    answer = send(client, "/mairie/code", code=telephone.at(frozen.at))
    assert answer.location == "/mairie"
    assert client.get("/mairie").status_code == 200


def test_the_drawing_and_the_key_say_the_same(app: Flask, agent: Staff, settings: Settings) -> None:
    with write():
        invitations.forget_telephone(agent, TERMINAL)
    page = app.test_client().get(link_of(agent)).text
    secret = second_factor.secret(Staff.get_by_id(agent.id), settings.secret_key)
    assert secret in page.replace(" ", "")
    drawing = page.partition("<svg")[2].partition("</svg>")[0]
    assert "style=" not in drawing
    assert "viewBox=" in drawing  # else a phone's screen would cut it instead of shrinking it
    address = second_factor.address(Staff.get_by_id(agent.id), settings.secret_key, "Ville")
    assert f"secret={secret}" in unquote(address)


def test_a_link_opened_by_a_mail_filter_still_serves(
    app: Flask, agent: Staff, settings: Settings
) -> None:
    link = link_of(agent)
    for _ in range(3):
        assert app.test_client().get(link).status_code == 200
    client = app.test_client()
    answer = send(client, link, new=NEW, code=telephone_of(settings, agent))
    assert answer.location == "/mairie/connexion"
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("wrong", ["new", "code", "nothing"])
def test_what_will_not_do_is_said_beside_its_field(
    app: Flask, agent: Staff, settings: Settings, wrong: str
) -> None:
    typed = {"new": NEW, "code": telephone_of(settings, agent)}
    if wrong in typed:
        typed[wrong] = "123"
    link, client = link_of(agent), app.test_client()
    answer = send(client, link, **({} if wrong == "nothing" else typed))
    assert answer.status_code == 422
    fields = ("new", "code") if wrong == "nothing" else (wrong,)
    for field in fields:
        assert f'id="{field}-error"' in answer.text
    assert NEW not in answer.text


def test_an_address_and_a_password_that_do_not_go_together(app: Flask, agent: Staff) -> None:
    told = []
    for email in (agent.email, "personne@sautron.example.org"):
        client = app.test_client()
        answer = send(client, "/mairie/connexion", email=email, password="faux")
        assert answer.status_code == 422
        told.append(re.findall(r'<li><a href="#email">([^<]+)', answer.text))
        assert "faux" not in answer.text
    assert told[0] == told[1] != []


def test_too_many_tries_are_told_in_the_words_that_families_read(app: Flask, agent: Staff) -> None:
    client = app.test_client()
    for _ in range(5):
        send(client, "/mairie/connexion", email=agent.email, password="faux")
    answer = send(client, "/mairie/connexion", email=agent.email, password=PASSWORD)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "patientez 1 minute" in answer.text.replace("\u00a0", " ")
    assert "/mot-de-passe/oublie" not in answer.text


def test_a_code_serves_once(app: Flask, agent: Staff, settings: Settings) -> None:
    code = telephone_of(settings, agent)
    assert send(begin(app, agent), "/mairie/code", code=code).location == "/mairie"
    assert send(begin(app, agent), "/mairie/code", code=code).status_code == 422


def test_a_recovery_code_says_how_many_are_left(app: Flask, agent: Staff) -> None:
    codes = second_factor.renew_recovery_codes(agent, TERMINAL)
    for left in (9, 8):
        client = begin(app, agent)
        send(client, "/mairie/code", code=codes[left])
        assert f"il en reste {left}" in client.get("/mairie").text


def test_new_recovery_codes_are_shown_once(app: Flask, agent: Staff) -> None:
    client = sign_in(app, agent)
    told = send(client, "/mairie/mon-acces", "/mairie/mon-acces/codes").text
    codes = re.findall(r"<li>(\w{5}-\w{5}-\w{5})</li>", told)
    assert len(codes) == 10
    assert codes[0] not in client.get("/mairie/mon-acces").text


def test_after_a_code_one_is_where_one_wanted_to_be(
    app: Flask, agent: Staff, settings: Settings, frozen: Clock
) -> None:
    client = app.test_client()
    asked = client.get("/mairie/agents?x=1").location
    token = csrf_token(client.get(asked).text)
    data = {"email": agent.email, "password": PASSWORD, "csrf_token": token}
    asked = client.post(asked, data=data).location
    answer = send(client, asked, code=telephone_of(settings, agent))
    assert answer.location == "/mairie/agents?x=1"
    frozen.advance(minutes=10)
    asked = client.get(f"/mairie/agents/{agent.id}").location
    answer = send(client, asked, code=telephone_of(settings, agent))
    assert answer.location == f"/mairie/agents/{agent.id}"


@pytest.mark.parametrize(
    "target", ["//evil.example.org", "https://evil.example.org", "/factures", "/mairieX", "\\x"]
)
def test_no_address_leads_out_of_the_area(
    app: Flask, agent: Staff, settings: Settings, target: str
) -> None:
    client = begin(app, agent)
    token = csrf_token(client.get("/mairie/code").text)
    answer = client.post(
        "/mairie/code",
        query_string={"next": target},
        data={"code": telephone_of(settings, agent), "csrf_token": token},
    )
    assert answer.location == "/mairie"


def test_a_session_that_ended_is_told_and_so_is_the_form_left_open(
    app: Flask, agent: Staff, frozen: Clock
) -> None:
    client = sign_in(app, agent)
    token = csrf_token(client.get("/mairie/agents/nouveau").text)
    frozen.advance(minutes=30)
    answer = client.post("/mairie/agents/nouveau", data={"csrf_token": token})
    assert answer.location.startswith("/mairie/connexion")
    assert "votre session est terminée" in client.get(answer.location).text


def test_who_has_no_role_may_at_least_leave(
    app: Flask, empty_database: None, frozen: Clock
) -> None:
    client = sign_in(app, make_agent(None))
    refused = client.get("/mairie")
    assert refused.status_code == 403
    assert "/mairie/deconnexion" in refused.text
    data = {"csrf_token": csrf_token(refused.text)}
    assert client.post("/mairie/deconnexion", data=data).status_code == 302


def test_a_page_that_is_not_there_keeps_to_the_area(app: Flask, agent: Staff) -> None:
    page: FlaskClient = sign_in(app, agent)
    assert 'href="/mairie"' in page.get("/mairie/inconnue").text
    assert 'href="/connexion"' not in page.get("/mairie/inconnue").text
