"""Every page has one frame: where one is, how to reach the town, what a search engine reads."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import create_app
from kiosque.db.models import Family, Guardian, Invoice
from kiosque.settings import AttestationRules, Settings

LOGO = Path(__file__).parents[3] / "data" / "demo" / "logo.svg"


def current(page: str) -> list[tuple[str, str]]:
    """The entries of the menu that say that one is there, and how."""
    menu = page.partition("<header")[2].partition("</header>")[0]
    return re.findall(r'<a href="([^"]+)" aria-current="(\w+)"', menu)


@pytest.mark.parametrize(
    ("address", "entry", "how"),
    [
        ("/factures", "/factures", "page"),
        ("/factures/2026-10-0001", "/factures", "true"),
        ("/factures/2026-10-0001/question", "/factures", "true"),
        ("/paiement/recapitulatif?invoice=2026-10-0001", "/factures", "true"),
        ("/famille", "/famille", "page"),
        ("/famille/demande", "/famille", "true"),
        ("/compte", "/compte", "page"),
        ("/compte/mot-de-passe", "/compte", "true"),
        ("/compte/adresse", "/compte", "true"),
    ],
)
def test_the_menu_shows_where_one_is(
    alice: FlaskClient, october: Invoice, address: str, entry: str, how: str
) -> None:
    assert current(alice.get(address).text) == [(entry, how)]


@pytest.mark.parametrize("address", ["/confidentialite", "/nulle-part"])
def test_elsewhere_the_menu_shows_nothing(alice: FlaskClient, address: str) -> None:
    page = alice.get(address).text
    assert 'href="/factures"' in page
    assert current(page) == []


def test_attestations_are_in_the_menu_of_a_town_that_gives_them(
    empty_database: None, settings: Settings, alice: FlaskClient
) -> None:
    assert "/attestations" not in alice.get("/compte").text
    app = create_app(replace(settings, attestation=AttestationRules(services=("Multi-accueil",))))
    client = app.test_client()
    for cookie in ("kiosque",):
        found = alice.get_cookie(cookie)
        assert found
        client.set_cookie(cookie, found.value)
    page = client.get("/compte").text
    assert 'href="/attestations"' in page
    assert current(client.get("/attestations").text) == [("/attestations", "page")]


def entrance(settings: Settings, **changes: str) -> str:
    app = create_app(replace(settings, town=replace(settings.town, **changes)))
    return app.test_client().get("/connexion").text


def test_the_towns_number_is_called_by_a_touch(empty_database: None, settings: Settings) -> None:
    page = entrance(settings, phone="+33 (0)2 51 77 86 97")
    assert '<a href="tel:+330251778697">+33\u00a0(0)2\u00a051' in page
    assert "tel:" not in entrance(settings)


def test_addresses_may_be_broken_after_an_at_sign_and_dots_and_stay_text(
    alice: FlaskClient, alices_family: Family
) -> None:
    Guardian.create(
        family=alices_family, first_name="", last_name="", email="a&b.c@example.org", phone=""
    )
    page = alice.get("/famille").text
    assert "a&amp;b.<wbr>c@<wbr>example.<wbr>org" in page
    assert '<a href="mailto:enfance@sautron.example.org">enfance@<wbr>sautron.<wbr>' in page


def test_the_tab_shows_the_towns_logo_or_its_colour(
    empty_database: None, settings: Settings
) -> None:
    icon = r'<link rel="icon" href="([^"]+)">'
    plain = re.search(icon, entrance(settings, colour="#7a0019"))
    logo = re.search(icon, entrance(settings, logo=str(LOGO)))
    assert plain
    assert plain[1].startswith("data:image/svg+xml,")
    assert "%237a0019" in plain[1]
    assert logo
    assert re.fullmatch(r"/fichiers/[0-9a-f]+\.svg", logo[1])


def test_a_search_engine_reads_what_the_site_is_and_what_it_may_visit(
    stranger: FlaskClient, app: Flask
) -> None:
    page = stranger.get("/connexion").text
    description = re.search(r'<meta name="description" content="([^"]+)">', page)
    assert description
    assert 50 <= len(description[1]) <= 160
    assert "Ville de Sautron" in description[1]
    robots = stranger.get("/robots.txt")
    assert robots.mimetype == "text/plain"
    lines = robots.text.splitlines()
    assert lines[0] == "User-agent: *"
    assert all(re.fullmatch(r"Disallow: /\S+", line) for line in lines[1:])
    assert not any("/connexion".startswith(line.partition(": ")[2]) for line in lines[1:])
