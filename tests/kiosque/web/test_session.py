"""The session's cookie and the token of forms: signed, and neither shared nor kept for ever."""

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
    changed = signed[:-9] + ("A" if signed[-9] != "A" else "B") + signed[-8:]
    for forged in (changed, f"x{signed}", signed.rpartition(".")[0], "", "é"):
        stranger.set_cookie(COOKIE, forged)
        assert stranger.get("/factures").status_code == 302, forged
    stranger.set_cookie(COOKIE, signed)
    assert stranger.get("/factures").status_code == 200


def test_a_remember_me_cookie_that_a_visitor_invents_opens_nothing(stranger: FlaskClient) -> None:
    stranger.set_cookie("remember_token", "1|é")
    assert stranger.get("/factures").status_code == 302


def test_a_token_is_its_sessions(alice: FlaskClient, stranger: FlaskClient) -> None:
    tokens = [csrf_token(alice.get(page).text) for page in ("/factures", "/famille", "/factures")]
    # What follows the first point tells the second it was made in.
    assert len({token.partition(".")[0] for token in tokens}) == 1
    hers = tokens[0]
    theirs = csrf_token(stranger.get("/connexion").text)
    assert theirs.partition(".")[0] != hers.partition(".")[0]
    form = {"language": "en", "next": "/", "csrf_token": hers}
    assert stranger.post("/langue", data=form).status_code == 400
    assert alice.post("/langue", data=form).status_code == 302
