"""Every address of the town hall's area by every role, by nobody and by a family; both cookies."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import create_app
from kiosque.db.models import (
    Family,
    FamilyRequest,
    Guardian,
    Invoice,
    Staff,
    StaffEvent,
    StaffSession,
)
from kiosque.db.states import RequestTopic
from kiosque.families import requests
from kiosque.settings import Office, Settings
from kiosque.staff import roles, sessions
from kiosque.staff.roles import Role
from kiosque.web.office.access import Agent, NotOpen
from tests.agents import begin, enter, make_agent, send, sign_in
from tests.conftest import TOWN, Clock
from tests.kiosque.web.test_hostile import visit
from tests.stage import PAGES, STAFF, Stage
from tests.uploads import MONTH, make_upload

AREA = [endpoint for endpoint, page in PAGES.items() if page.audience == STAFF]


def is_sign_in(answer: TestResponse) -> bool:
    return (answer.location or "").startswith("/mairie/connexion")


def test_the_table_names_every_page_of_the_area_that_is_no_way_in(stage: Stage) -> None:
    area = {rule.endpoint for rule in stage.rules() if rule.rule.startswith("/mairie")}
    ways_in = {"sign_in", "code", "sign_out", "invitation"}
    assert area == {*AREA, *(f"office.{name}" for name in ways_in)}


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_a_page_opens_to_the_roles_of_the_table_and_to_no_other(
    stage: Stage, role: Role | None
) -> None:
    refused = enter(stage.app, make_agent(role, "partout@x.fr"))
    for endpoint in AREA:
        if role not in PAGES[endpoint].roles:
            assert visit(stage, endpoint, refused).status_code == 403, endpoint
            continue
        answer = visit(stage, endpoint, enter(stage.app, make_agent(role, f"{endpoint}@x.fr")))
        # 404: the row that it would erase is not there.
        assert answer.status_code in (200, 302, 404, 422), endpoint
        assert not is_sign_in(answer), endpoint


def test_a_password_alone_opens_no_page(stage: Stage) -> None:
    client = begin(stage.app, make_agent(Role.ADMINISTRATION))
    for endpoint in AREA:
        answer = visit(stage, endpoint, client)
        assert answer.location.startswith("/mairie/code"), endpoint


def test_what_cannot_be_undone_asks_for_a_code_after_ten_minutes(
    stage: Stage, frozen: Clock
) -> None:
    agents = {role: enter(stage.app, make_agent(role)) for role in Role}
    frozen.advance(minutes=10)
    # First those that ask, and so change nothing that the others are about.
    for endpoint in sorted(AREA, key=lambda endpoint: not PAGES[endpoint].fresh):
        (role, *_) = PAGES[endpoint].roles
        answer = visit(stage, endpoint, agents[role])
        asks = (answer.location or "").startswith("/mairie/code")
        assert asks is PAGES[endpoint].fresh, endpoint


def test_a_role_over_or_to_come_opens_nothing(
    app: Flask, empty_database: None, frozen: Clock
) -> None:
    agent = make_agent(Role.CONTROLE, ends_on=frozen.at.date())
    client = sign_in(app, agent)
    assert client.get("/mairie/journal-des-actions").status_code == 200
    for _ in range(10):  # the day ends, in Paris, while the session runs
        frozen.advance(minutes=29)
        client.get("/mairie/mon-acces")
    assert client.get("/mairie/journal-des-actions").status_code == 403


def test_an_agent_acts_on_the_regies_of_the_role_and_on_no_other(
    app: Flask, empty_database: None, frozen: Clock
) -> None:
    staff = make_agent(Role.REGISSEUR, "marie@x.fr", regie="creche")
    make_agent(Role.FACTURATION, "marie@x.fr")
    agent = Agent(staff, StaffSession(), roles.in_force(staff))
    assert agent.regies(Role.REGISSEUR) == {"creche"}
    assert agent.regies(Role.REGISSEUR, Role.FACTURATION) == {"", "creche"}
    assert agent.regies(Role.CONTROLE) == frozenset()
    with app.app_context():
        agent.require_all(["creche"], Role.REGISSEUR)
        with pytest.raises(NotOpen):
            agent.require_all([""], Role.REGISSEUR)


# --- Two cookies ---


def test_an_agent_is_no_family(app: Flask, stage: Stage) -> None:
    client = sign_in(app, make_agent(Role.REGISSEUR))
    for page in ("/factures", "/famille", "/compte"):
        assert client.get(page).location.startswith("/connexion")


@pytest.mark.parametrize(("mine", "other"), [("mairie", "kiosque"), ("kiosque", "mairie")])
def test_a_cookie_given_under_the_others_name_opens_nothing(
    app: Flask, alice: FlaskClient, mine: str, other: str
) -> None:
    signed_in = {"kiosque": alice, "mairie": sign_in(app, make_agent(Role.ADMINISTRATION))}
    found = signed_in[mine].get_cookie(mine)
    assert found
    client = app.test_client()
    client.set_cookie(other, found.value)
    for page in ("/mairie", "/mairie/agents", "/factures", "/compte"):
        assert "/connexion" in client.get(page).location


def test_one_browser_may_be_of_a_family_and_of_an_agent(
    app: Flask, alice: FlaskClient, frozen: Clock
) -> None:
    agent = make_agent(Role.REGISSEUR)
    other = sign_in(app, agent).get_cookie("mairie")
    assert other
    alice.set_cookie("mairie", other.value)
    assert (alice.get("/mairie").status_code, alice.get("/compte").status_code) == (200, 200)
    assert send(alice, "/mairie/mon-acces", "/mairie/deconnexion").status_code == 302
    assert is_sign_in(alice.get("/mairie"))
    assert alice.get("/compte").status_code == 200


def test_a_copied_cookie_dies_with_its_session(
    app: Flask, empty_database: None, frozen: Clock
) -> None:
    client = sign_in(app, make_agent(Role.REGISSEUR))
    copied = client.get_cookie("mairie")
    assert copied
    send(client, "/mairie/mon-acces", "/mairie/deconnexion")
    thief = app.test_client()
    thief.set_cookie("mairie", copied.value)
    assert is_sign_in(thief.get("/mairie"))


def test_the_cookie_goes_over_https_to_us_alone_and_to_no_script(
    settings: Settings, empty_database: None, frozen: Clock
) -> None:
    app = create_app(replace(settings, public_url="https://127.0.0.1"))
    answer = app.test_client().get("/mairie/connexion", base_url="https://127.0.0.1")
    app.extensions["at_work"]()
    (cookie,) = answer.headers.getlist("Set-Cookie")
    name, *rules = cookie.split("; ")
    assert name.startswith("__Host-mairie=")
    assert set(rules) == {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"}


def test_who_comes_from_another_site_is_led_in_by_a_page_of_ours(
    app: Flask, empty_database: None, frozen: Clock
) -> None:
    make_agent(Role.REGISSEUR)
    answer = app.test_client().get("/mairie/agents?x=1", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'href="/mairie/agents?x=1"' in answer.text
    assert "Set-Cookie" not in answer.headers


# --- From which networks ---

Site = Callable[..., FlaskClient]


@pytest.fixture
def guarded(settings: Settings, empty_database: None, frozen: Clock) -> Site:
    """The site of a town that names networks, as seen from an address."""

    def go(address: str, *networks: str) -> FlaskClient:
        app = create_app(replace(settings, office=Office(networks=networks)))
        app.extensions["at_work"]()
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        return client

    return go


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("2001:db8::1", 200),
        ("192.0.3.7", 403),
        ("2001:db9::1", 403),
        ("", 403),
    ],
)
def test_the_area_opens_from_the_networks_that_are_named(
    guarded: Site, address: str, status: int
) -> None:
    client = guarded(address, "192.0.2.0/24", "2001:db8::/32")
    assert client.get("/mairie/connexion").status_code == status
    assert client.get("/mairie/invitation/x").status_code == (status if status == 403 else 404)
    assert client.get("/connexion").status_code == 200


def test_without_a_network_it_opens_from_everywhere(guarded: Site) -> None:
    assert guarded("203.0.113.5").get("/mairie/connexion").status_code == 200


def test_an_agent_removed_while_at_work_is_out_at_once(
    app: Flask, empty_database: None, frozen: Clock
) -> None:
    admin = sign_in(app, make_agent(Role.ADMINISTRATION))
    agent = make_agent(Role.REGISSEUR)
    client = sign_in(app, agent)
    page = f"/mairie/agents/{agent.id}"
    assert send(admin, page, f"{page}/fermer").location == page
    assert is_sign_in(client.get("/mairie"))
    assert Staff.get_by_id(agent.id).closed_at


# --- No reading without its line, no contact for control ---


def readings(of: str) -> int:
    lines = StaffEvent.select().where(StaffEvent.action.in_(["family_read", "upload_read"]))
    return int(lines.where(StaffEvent.object == of).count())


def test_a_page_that_shows_a_familys_contact_is_noted_whatever_it_is_for(
    app: Flask, october: Invoice, charlies_family: Family
) -> None:
    Guardian.create(
        family=october.family, first_name="Alice", last_name="M.", email="alice@example.org"
    )
    requests.ask(october.family, RequestTopic.EMAIL, "Nouvelle adresse.", TOWN)
    client = sign_in(app, make_agent(Role.FACTURATION))
    record = "/mairie/familles/F1001"
    pages = [f"{record}/lien", f"{record}/fusionner?double=F2002"]
    pages.append(f"/mairie/demandes/{FamilyRequest.get().id}")
    for number, page in enumerate(pages, 1):
        assert client.get(page).status_code == 200
        assert readings("F1001") == number, page
    before = readings("F1001")
    assert send(client, pages[-1], decision="x").status_code == 422
    assert readings("F1001") == before + 2


def test_a_preview_shown_again_with_a_refusal_is_noted(app: Flask) -> None:
    found = make_upload(app.extensions["settings"], MONTH)
    client = sign_in(app, make_agent(Role.REGISSEUR))
    page = f"/mairie/imports/{found.id}"
    assert send(client, "/mairie/mon-acces", f"{page}/charger").status_code == 422
    assert readings("octobre.csv") == 1


def test_to_read_the_log_leaves_a_line_in_it(app: Flask, empty_database: None) -> None:
    client = sign_in(app, make_agent(Role.CONTROLE))
    client.get("/mairie/journal-des-actions")
    assert "journal des actions lu" in client.get("/mairie/journal-des-actions").text


def test_who_controls_is_given_no_paper_with_a_familys_address(
    app: Flask, october: Invoice
) -> None:
    client = sign_in(app, make_agent(Role.CONTROLE))
    paper = "/mairie/documents/factures/2026-10-0001.pdf"
    assert client.get(paper).status_code == 403
    assert paper not in client.get("/mairie/factures/2026-10-0001").text


def test_a_password_alone_ends_nobodys_session(
    app: Flask, empty_database: None, frozen: Clock
) -> None:
    agent = make_agent(Role.REGISSEUR)
    client = sign_in(app, agent)
    for _ in range(sessions.AT_ONCE + 1):
        frozen.advance(seconds=1)
        begin(app, agent)
    assert client.get("/mairie").status_code == 200
    assert StaffSession.select().count() == sessions.AT_ONCE + 1
