"""The session's cookie and the token of forms: signed, and neither shared nor kept for ever."""

import time

import pytest
from flask import Flask, session
from flask.testing import FlaskClient

from tests.conftest import csrf_token

COOKIE = "kiosque"


def _value(client: FlaskClient) -> str:
    found = client.get_cookie(COOKIE)
    assert found
    return found.value


def test_a_cookie_that_we_did_not_sign_opens_nothing(
    alice: FlaskClient, stranger: FlaskClient
) -> None:
    signed = _value(alice)
    assert alice.get("/factures").status_code == 200
    for forged in (signed[:-2] + "AA", f"x{signed}", signed.rpartition(".")[0], "", "é"):
        stranger.set_cookie(COOKIE, forged)
        assert stranger.get("/factures").status_code == 302, forged
    stranger.set_cookie(COOKIE, signed)
    assert stranger.get("/factures").status_code == 200


def test_a_cookie_signed_too_long_ago_holds_nothing(
    app: Flask, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger.get("/connexion")
    with stranger:
        stranger.get("/mentions-legales")
        assert "csrf_token" in session
    later = time.time() + app.permanent_session_lifetime.total_seconds() + 60
    monkeypatch.setattr("kiosque.web.cookies.time.time", lambda: later)
    with app.test_request_context(headers={"Cookie": f"{COOKIE}={_value(stranger)}"}):
        assert "csrf_token" not in session


def test_what_a_page_adds_to_a_session_stays_out_of_the_next_page(
    app: Flask, stranger: FlaskClient
) -> None:
    with stranger.session_transaction() as kept:
        kept["list"] = [1]
    for _ in range(2):
        with app.test_request_context(headers={"Cookie": f"{COOKIE}={_value(stranger)}"}):
            assert session["list"] == [1]
            session["list"].append(2)


def test_a_token_is_its_sessions(alice: FlaskClient, stranger: FlaskClient) -> None:
    tokens = [csrf_token(alice.get(page).text) for page in ("/factures", "/famille", "/factures")]
    assert len(set(tokens)) == 1
    hers = tokens[0]
    assert csrf_token(stranger.get("/connexion").text) != hers
    form = {"language": "en", "next": "/", "csrf_token": hers}
    assert stranger.post("/langue", data=form).status_code == 400
    assert alice.post("/langue", data=form).status_code == 302
