"""Who did what, as it is read: by agent, action, object and day, page by page."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import Staff
from kiosque.staff import events
from kiosque.staff.events import TERMINAL, Action, Actor
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent
from tests.conftest import NOW, Clock

PAGE = "/mairie/journal-des-actions"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return enter(app, make_agent(Role.ADMINISTRATION))


@pytest.fixture
def bob(app: Flask) -> Staff:
    return make_agent(Role.FACTURATION, "bob@sautron.example.org")


@pytest.fixture
def told(client: FlaskClient, bob: Staff, frozen: Clock) -> None:
    frozen.at = NOW - timedelta(days=2)
    events.note(Action.FAMILY_READ, Actor(bob, "192.0.2.7"), "F1001")
    frozen.at = NOW
    events.note(Action.FAMILY_READ, Actor(bob, "192.0.2.7"), "F10012")
    events.note(Action.INVOICE_READ, TERMINAL, "2026-10-0001", "pour voir")
    events.note(Action.REFUSED, Actor(None, "192.0.2.9"), "=personne")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("agent=bob", ["F10012", "F1001"]),
        ("agent=Bob@sautron", ["F10012", "F1001"]),
        ("agent=charlie", []),
        ("action=invoice_read", ["2026-10-0001"]),
        ("objet=f 1001", ["F10012", "F1001"]),
        ("objet=2026-10", ["2026-10-0001"]),
        ("objet=f1001&du=2026-11-24", ["F10012"]),
        ("action=family_read&au=2026-11-22", ["F1001"]),
        ("action=family_read&du=2026-11-23&au=2026-11-23", []),
    ],
)
def test_the_log_answers_the_filters_of_its_address(
    client: FlaskClient, asked: str, found: list[str]
) -> None:
    page = unescape(re.sub("<[^>]*>", "", client.get(f"{PAGE}?{asked}").text))
    assert page.count("lue\xa0: ") == len(found)
    assert all(each in page for each in found)
    rows = csv.DictReader(io.StringIO(client.get(f"{PAGE}.csv?{asked}").text[1:]), delimiter=";")
    assert [row["objet"] for row in rows] == found


@pytest.mark.usefixtures("told")
def test_a_line_leaves_as_it_is_read(client: FlaskClient) -> None:
    (row,) = csv.DictReader(
        io.StringIO(client.get(f"{PAGE}.csv?action=invoice_read").text[1:]), delimiter=";"
    )
    assert list(row.values()) == [
        "2026-11-24 20:30:00", "au terminal", "", "facture lue", "2026-10-0001", "pour voir",
    ]  # fmt: skip
    assert client.get(f"{PAGE}.ods").status_code == 200
    assert "'=personne" in client.get(f"{PAGE}.csv").text


@pytest.mark.parametrize("asked", ["du=hier", "action=x", "au=0001-01-01"])
def test_a_filter_that_is_none_is_said(client: FlaskClient, asked: str) -> None:
    assert client.get(f"{PAGE}?{asked}").status_code == 422
    assert client.get(f"{PAGE}.csv?{asked}").status_code == 404


def test_the_log_is_read_page_by_page_and_keeps_its_filters(client: FlaskClient) -> None:
    for number in range(60):
        events.note(Action.FAMILY_READ, TERMINAL, f"F{number:04d}")
    first = client.get(f"{PAGE}?action=family_read").text
    assert "60 lignes" in first
    assert "F0059" in first
    assert "F0001" not in first
    further = first.rpartition("apres=")[2].partition("&")[0]
    assert "F0001" in client.get(f"{PAGE}?action=family_read&apres={further}").text


def test_the_log_costs_as_many_queries_whatever_is_asked(
    client: FlaskClient, told: None, queries: list[str]
) -> None:
    costs = set()
    for asked in ("", "?agent=bob&action=family_read&objet=F1&du=2026-11-01&au=2026-12-01"):
        queries.clear()
        client.get(f"{PAGE}{asked}")
        costs.add(len(queries))
    assert len(costs) == 1


def test_who_read_the_log_and_of_what_is_in_it(client: FlaskClient) -> None:
    client.get(f"{PAGE}?objet=F1001")
    rows = csv.DictReader(
        io.StringIO(client.get(f"{PAGE}.csv?action=log_read").text[1:]), delimiter=";"
    )
    assert [row["motif"] for row in rows] == ["F1001"]
