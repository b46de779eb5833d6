"""A family's own pages, as an agent is shown them: they say what the family reads, and only say."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Handoff
from kiosque.db.models import Attempt, Child, Family, Guardian, Invoice, StaffEvent
from kiosque.staff.roles import Role
from kiosque.web.read_only import said_by
from tests import fresh_databases
from tests.agents import enter, make_agent
from tests.conftest import make_invoice
from tests.pages.stage import Seen

LIST = "/mairie/familles/F1001/vue"
PAGES = [LIST, f"{LIST}/factures/2026-10-0001", f"{LIST}/famille"]
ACTS = re.compile(r"<(form|button|input|select|textarea|script|iframe)\b| on\w+=|csrf|action=")


@pytest.fixture
def client(
    app: Flask, alices_family: Family, charlies_family: Family, october: Invoice
) -> FlaskClient:
    Guardian.create(family=alices_family, first_name="Alice", last_name="Martin")
    Child.create(family=alices_family, name="Léa Martin")
    make_invoice(charlies_family, "2026-10-0002", 9999)
    return enter(app, make_agent(Role.CONSULTATION))


def shown(client: FlaskClient, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200
    return answer.text.partition('<div class="as-family">')[2].partition("</main>")[0]


def test_an_agent_reads_what_the_family_reads(client: FlaskClient, alice: FlaskClient) -> None:
    for page, own in zip(PAGES, ("/factures", "/factures/2026-10-0001", "/famille"), strict=True):
        seen, read = shown(client, page), alice.get(own).text
        for words in re.findall(r"<h[12]>(.*?)</h[12]>", read):
            assert words in seen, page
    assert "45,20" in shown(client, LIST)
    assert "Léa Martin" in shown(client, PAGES[2])


@pytest.mark.parametrize("page", PAGES)
def test_nothing_of_what_is_shown_acts(
    client: FlaskClient, october: Invoice, pay: Callable[..., tuple[Attempt, Handoff]], page: str
) -> None:
    assert not ACTS.search(shown(client, page))
    pay(october.family, october)
    assert "tag-opened" in shown(client, LIST)
    assert not ACTS.search(shown(client, page))


def test_no_page_of_any_state_acts_once_shown(pages: list[Seen]) -> None:
    states = [seen for seen in pages if (seen.endpoint or "").startswith("family.")]
    assert len(states) > 20
    for seen in states:
        said = said_by(seen.html, lambda _address: "")
        assert not ACTS.search(said), seen.state
        assert "href" not in said, seen.state
        assert "<h1>" in said, seen.state


def test_it_is_said_at_the_top_that_it_is_a_view_of_an_agent(client: FlaskClient) -> None:
    page = client.get(LIST).text
    said = page.index("Vous êtes un agent, et voyez la page de la famille Martin.")
    assert page.index("<main") < said < page.index("<h1")


def test_its_links_lead_to_other_views_and_nowhere_else(client: FlaskClient) -> None:
    for page in PAGES:
        links = re.findall(r'href="([^"]*)"', shown(client, page))
        assert all(link.startswith(LIST) for link in links)
    assert f"{LIST}/factures/2026-10-0001" in shown(client, LIST)


def test_reading_changes_nothing_but_the_log(client: FlaskClient) -> None:
    log = {"staff_event", "staff_session", "sqlite_sequence"}
    before = fresh_databases.rows(without=log)
    for page in PAGES:
        client.get(page)
        line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
        assert (line.action, line.object) == ("seen_as_family", "F1001")
    assert fresh_databases.rows(without=log) == before


def test_the_agent_gets_no_session_of_the_family(client: FlaskClient) -> None:
    for page in PAGES:
        for cookie in client.get(page).headers.getlist("Set-Cookie"):
            assert cookie.startswith("mairie=")
    assert client.get_cookie("kiosque") is None
    assert client.get("/factures").location.startswith("/connexion")


def test_no_address_of_a_view_takes_a_form(app: Flask, client: FlaskClient) -> None:
    views = [rule for rule in app.url_map.iter_rules() if "/vue" in rule.rule]
    assert len(views) == len(PAGES)
    for rule in views:
        assert rule.methods == {"GET", "HEAD", "OPTIONS"}
    for page in PAGES:
        assert client.post(page).status_code in (400, 405)


def test_an_invoice_is_seen_with_its_own_family_only(client: FlaskClient) -> None:
    assert client.get(f"{LIST}/factures/2026-10-0002").status_code == 404
    assert "2026-10-0002" not in client.get(LIST).text


def test_what_a_file_says_stays_words(client: FlaskClient) -> None:
    Child.update(name='<script>alert("&amp;")</script>').execute()
    page = shown(client, PAGES[2])
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#34;&amp;amp;&#34;)&lt;/script&gt;" in page
