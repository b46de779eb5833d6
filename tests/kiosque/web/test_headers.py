"""Every answer carries the headers that protect it, whatever it is and wherever it comes from."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import create_app
from kiosque.db.models import Family, Invoice
from kiosque.settings import Settings
from tests.conftest import csrf_token
from tests.stage import PAGES, Stage

EXPECTED = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def answers(stage: Stage, *clients: FlaskClient) -> Iterator[tuple[str, TestResponse]]:
    """Every address of the site, opened in several ways by each of these visitors."""
    for endpoint in PAGES:
        address = stage.address(endpoint)
        for client in clients:
            for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE"):
                yield f"{method} {address}", client.open(address, method=method)


def test_every_answer_carries_them(stage: Stage, stranger: FlaskClient, alice: FlaskClient) -> None:
    seen = set()
    for what, answer in answers(stage, stranger, alice):
        expected = dict(EXPECTED)
        if "/fichiers/" in what and answer.status_code == 200 and "OPTIONS" not in what:
            expected["Cache-Control"] = "public, max-age=31536000, immutable"
        if re.match(
            "(GET|HEAD|POST) /courriels/arret/|(GET|HEAD) /(lien|mairie/invitation)/", what
        ):
            expected["Referrer-Policy"] = "strict-origin"  # a secret is in the address
        got = {name: answer.headers.get(name) for name in expected}
        assert got == expected, what
        assert "camera=()" in answer.headers["Permissions-Policy"], what
        assert "Strict-Transport-Security" not in answer.headers, what
        seen.add(answer.status_code)
        answer.close()
    assert {200, 302, 400, 405} <= seen


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example.org"])
def test_errors_carry_them_too(app: Flask, stranger: FlaskClient, host: str) -> None:
    def broken() -> str:
        raise ValueError

    app.view_functions["site.privacy"] = broken
    for address in ("/nulle-part", "/confidentialite", "/fichiers/nulle.css", "/%ff"):
        headers = stranger.get(address, headers={"Host": host}).headers
        assert {name: headers.get(name) for name in EXPECTED} == EXPECTED, address


def test_only_the_page_that_leads_to_the_bank_may_send_a_form_there(
    alice: FlaskClient, october: Invoice
) -> None:
    page = alice.get("/paiement/recapitulatif?invoice=2026-10-0001")
    data = {
        "csrf_token": csrf_token(page.text),
        "invoice": october.number,
        "expected_cents": "4520",
        "email": "",
    }
    sent = alice.post("/paiement/banque", data=data)
    assert "form-action 'self' http://127.0.0.1:8001;" in sent.headers["Content-Security-Policy"]
    again = alice.get("/factures")
    assert "form-action 'self';" in again.headers["Content-Security-Policy"]


def test_behind_https_the_browser_is_told_never_to_come_without(
    empty_database: None, settings: Settings
) -> None:
    secure = replace(settings, public_url="https://kiosque.example.org")
    client = create_app(secure).test_client()
    for address in ("/connexion", "/nulle-part", "/sante", "/"):
        answer = client.get(address, base_url="https://kiosque.example.org")
        assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"


def test_a_browser_that_tells_no_page_where_it_comes_from_can_still_sign_in(
    empty_database: None,
    settings: Settings,
    sign_in: Callable[[Family], FlaskClient],
    alices_family: Family,
) -> None:
    sign_in(alices_family)
    secure = replace(settings, public_url="https://kiosque.example.org")
    client, site = create_app(secure).test_client(), "https://kiosque.example.org"
    token = csrf_token(client.get("/connexion", base_url=site).text)
    data = {"code": "F1001", "password": "faux", "csrf_token": token}
    assert client.post("/connexion", base_url=site, data=data).status_code == 422
