"""Pages for everybody, headers on every page, errors, and the leaflet's promises."""

import gzip
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from peewee import IntegrityError

from kiosque.db import database
from kiosque.db.models import Family, Settlement
from kiosque.version import VERSION
from tests import fresh_databases, sentences
from tests.bank import SHARED
from tests.conftest import NOW, make_invoice

PUBLIC = ["/connexion", "/mentions-legales", "/accessibilite", "/confidentialite"]
PRIVATE = ["/factures", "/famille", "/compte", "/compte/mot-de-passe", "/factures/2026-10-0001",
           "/paiement/recapitulatif?invoice=2026-10-0001", "/paiement/recapitulatif",
           "/famille/demande"]  # fmt: skip


def test_the_entrance_leads_to_the_invoices_or_to_the_sign_in(
    stranger: FlaskClient, alice: FlaskClient
) -> None:
    assert stranger.get("/").location == "/connexion"
    assert alice.get("/").location == "/factures"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_pages_answer_and_name_the_town(stranger: FlaskClient, address: str) -> None:
    page = stranger.get(address)
    assert page.status_code == 200
    for words in ("Ville de Sautron", "enfance@sautron.example.org", "info@sautron.example.org"):
        assert words in page.text


def test_health_says_whether_the_database_answers(stranger: FlaskClient) -> None:
    assert stranger.get("/sante").json == {"etat": "ok", "version": VERSION, "sauvegarde": None}
    database.execute_sql("DELETE FROM schema_migration")
    assert stranger.get("/sante").json["etat"] == sentences.PENDING_MIGRATIONS
    fresh_databases.damage("DROP TABLE invoice")
    answer = stranger.get("/sante")
    assert (answer.status_code, answer.json) == (
        503,
        {"etat": "base illisible", "version": VERSION, "sauvegarde": None},
    )


@fresh_databases.on_sqlite
def test_health_says_when_nothing_more_can_be_written(
    stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosque.db.sqlite.MINIMUM_FREE_BYTES", 2**62)
    assert stranger.get("/sante").json["etat"] == "disque plein"
    monkeypatch.setattr("kiosque.db.sqlite.os.access", lambda *_: False)
    answer = stranger.get("/sante")
    assert (answer.status_code, answer.json["etat"]) == (503, sentences.READ_ONLY_DATABASE)


def test_pages_hold_no_inline_script_or_style_and_ask_nothing_of_third_parties(
    stranger: FlaskClient, alice: FlaskClient, alices_family: Family
) -> None:
    make_invoice(alices_family, "2026-10-0001")
    for client, addresses in ((stranger, PUBLIC), (alice, PRIVATE)):
        for address in addresses:
            page = client.get(address).text
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", page), address
            for loaded in re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', page):
                assert loaded.startswith(("/fichiers/", "data:image/svg+xml,")), loaded


def test_the_stylesheet_and_script_are_kept_for_ever_under_a_name_of_their_content(
    stranger: FlaskClient,
) -> None:
    page = stranger.get("/connexion").text
    for name in re.findall(r'"(/fichiers/[^"]+)"', page):
        answer = stranger.get(name)
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.mimetype == ("text/css" if name.endswith(".css") else "text/javascript")
    assert (
        "--town-on-light:#0b4a75" in stranger.get(re.search(r'"(/fichiers/\S+css)"', page)[1]).text
    )


def test_the_stylesheet_and_script_travel_compressed_to_whoever_takes_it(
    stranger: FlaskClient,
) -> None:
    page = stranger.get("/connexion").text
    names = re.findall(r'"(/fichiers/[^"]+)"', page)
    sent = len(page.encode())
    for name in names:
        plain = stranger.get(name, headers={"Accept-Encoding": "gzip;q=0, identity"})
        small = stranger.get(name, headers={"Accept-Encoding": "gzip, br"})
        assert "Content-Encoding" not in plain.headers
        assert small.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(small.data) == plain.data
        assert "Accept-Encoding" in plain.headers["Vary"]
        assert "Accept-Encoding" in small.headers["Vary"]
        sent += len(small.data)
    # A phone on a bad network: three requests, and some kilobytes of headers besides.
    assert len(names) == 2
    assert sent < 26_000


def test_a_year_of_invoices_with_all_that_its_page_needs_fits_thirty_kilobytes(
    alice: FlaskClient, alices_family: Family
) -> None:
    for at in range(12):
        make_invoice(alices_family, f"2026-10-{at:04}")
    page = alice.get("/factures").text
    needed = [
        alice.get(name, headers={"Accept-Encoding": "gzip"}).data
        for name in re.findall(r'"(/fichiers/[^"]+)"', page)
    ]
    # Beside some two kilobytes of headers.
    assert len(page.encode()) + sum(map(len, needed)) < 28_000


def test_the_script_alone_is_of_six_kilobytes_at_most(stranger: FlaskClient) -> None:
    (name,) = re.findall(r'"(/fichiers/[^"]+\.js)"', stranger.get("/connexion").text)
    assert 0 < len(stranger.get(name).data) < 6_000


def test_behind_https_the_cookie_is_bound_to_this_host(app: Flask) -> None:
    from dataclasses import replace  # noqa: PLC0415

    from kiosque import create_app  # noqa: PLC0415

    settings = replace(app.extensions["settings"], public_url="https://kiosque.example.org")
    answer = create_app(settings).test_client().get("/connexion")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-kiosque=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))


def test_french_spaces_stand_before_double_punctuation(
    stranger: FlaskClient, alice: FlaskClient, alices_family: Family
) -> None:
    make_invoice(alices_family, "2026-10-0001")
    for client, addresses in ((stranger, [*PUBLIC, "/nulle-part"]), (alice, PRIVATE)):
        for address in addresses:
            page = client.get(address).text.replace("&nbsp;", "\u00a0")
            text = re.sub(r"<script.*?</script>|<[^>]+>|&\w+;", "", page, flags=re.DOTALL)
            assert not re.search(r"\w [:;?!»]|« ", text), address
            assert not re.search(r"\w[;?!](\s|$)", text), address


def test_no_page_of_the_towns_asks_for_a_card(
    stranger: FlaskClient, alice: FlaskClient, alices_family: Family
) -> None:
    """Card numbers go straight to the bank: the town has no field to type one in."""
    make_invoice(alices_family, "2026-10-0001")
    asked = set()
    for client, addresses in ((stranger, PUBLIC), (alice, PRIVATE)):
        for address in addresses:
            asked |= set(
                re.findall(
                    r'<(?:input|select|textarea)[^>]*name="([^"]+)"', client.get(address).text
                )
            )
    assert asked == {
        "csrf_token", "code", "password", "current", "new", "invoice", "expected_cents", "email",
        "wanted", "next", "shared", "username", "topic", "message",
    }  # fmt: skip


def test_the_database_itself_refuses_more_of_a_card_than_its_last_four_digits(
    alices_family: Family,
) -> None:
    money = {"family": alices_family, "mode": "cash", "amount_cents": 1, "settled_at": NOW}
    values = {**money, "state": "counted", "author": "Dominique", "reason": "essai"}
    Settlement.create(**values, card_last4="0055")
    with pytest.raises(IntegrityError, match="card_last4"):
        Settlement.create(**values, card_last4="4970100000000055")


@pytest.mark.skipif(not SHARED.exists(), reason="../shared est absent")
def test_the_leaflets_own_words_are_on_the_screens(
    alice: FlaskClient, alices_family: Family
) -> None:
    """The button a family reads about in the town's folder is the button it finds."""
    make_invoice(alices_family, "2026-10-0001")
    leaflet = (SHARED / "leaflet.txt").read_text(encoding="utf-8")
    summary = alice.get("/paiement/recapitulatif?invoice=2026-10-0001").text
    button = re.search(r"Vous cliquez sur « ([^»]+) »", leaflet)[1]
    assert button in summary
