"""Signing in and out, and the password of the letter."""

import base64
import dataclasses
import io
import re

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import create_app
from kiosque.db.models import Family
from kiosque.families import accounts, hashing
from kiosque.families.hashing import Gate
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import PASSWORD, Clock, SignIn, choose_password, csrf_token


@pytest.fixture
def sign_in(type_password: SignIn) -> SignIn:
    """By the page, which leaves more in the browser than a session."""
    return type_password


def post(client: FlaskClient, address: str, **data: str) -> TestResponse:
    token = csrf_token(client.get(address).text)
    return client.post(address, data={**data, "csrf_token": token})


@pytest.fixture
def alices_password(alices_family: Family) -> str:
    return accounts.issue_password(alices_family, must_change=False)


@pytest.fixture
def letters_password(alices_family: Family) -> str:
    return accounts.issue_password(alices_family, must_change=True)


def test_the_right_code_and_password_open_the_invoices(
    stranger: FlaskClient, alices_password: str
) -> None:
    answer = post(stranger, "/connexion", code="f1001", password=alices_password)
    assert (answer.status_code, answer.location) == (302, "/factures")
    assert "Famille Martin" in stranger.get("/factures").text


@pytest.mark.parametrize(
    ("code", "password"),
    [("F1001", "faux"), ("F9999", "faux"), ("😀" * 2000, "x"), ("F1\0", "\0"), ("' OR 1=1", "x")],
)
def test_a_wrong_one_says_the_same_whichever_is_wrong(
    stranger: FlaskClient, alices_password: str, code: str, password: str
) -> None:
    answer = post(stranger, "/connexion", code=code, password=password)
    assert answer.status_code == 422
    if len(code) <= 100:
        assert sentences.WRONG_CODE_OR_PASSWORD in answer.text
    assert password not in ("faux",) or 'value="faux"' not in answer.text


def test_empty_fields_are_named(stranger: FlaskClient, app: object) -> None:
    answer = post(stranger, "/connexion", code="", password="")
    assert answer.status_code == 422
    assert sentences.CODE_WANTED in answer.text
    assert 'href="#password"' in answer.text


def test_a_megabyte_of_password_is_refused_politely(stranger: FlaskClient) -> None:
    answer = post(stranger, "/connexion", code="F1001", password="x" * 1_000_000)
    assert answer.status_code == 413
    assert "trop volumineux" in answer.text


def test_without_its_token_no_form_is_taken(stranger: FlaskClient, alices_password: str) -> None:
    data = {"code": "F1001", "password": alices_password}
    for token in ("", "x", None):
        answer = stranger.post("/connexion", data=data | ({"csrf_token": token} if token else {}))
        assert answer.status_code == 400
        assert sentences.PAGE_EXPIRED in answer.text


def test_one_visitors_token_does_not_serve_another(
    app: object, stranger: FlaskClient, alices_password: str
) -> None:
    theirs = csrf_token(app.test_client().get("/connexion").text)
    stranger.get("/connexion")
    answer = stranger.post(
        "/connexion",
        data={"code": "F1001", "password": alices_password, "csrf_token": theirs},
    )
    assert answer.status_code == 400


def test_the_letters_password_must_be_replaced_before_anything_else(
    stranger: FlaskClient, letters_password: str
) -> None:
    post(stranger, "/connexion", code="F1001", password=letters_password)
    for page in ("/factures", "/famille", "/compte", "/paiement/recapitulatif?invoice=x"):
        assert stranger.get(page).location == "/compte/mot-de-passe"
    assert sentences.FIRST_SIGN_IN in stranger.get("/compte/mot-de-passe").text
    answer = post(stranger, "/compte/mot-de-passe", current=letters_password, new=PASSWORD)
    assert answer.location == "/factures"
    assert stranger.get("/factures").status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "words"),
    [
        ("faux", PASSWORD, "actuel est incorrect"),
        (None, "court", "au moins 12"),
        (None, "", "Choisissez un mot de passe"),
        ("", PASSWORD, "actuel"),
    ],
)
def test_a_password_is_not_replaced_by_a_bad_one_or_by_someone_else(
    stranger: FlaskClient,
    letters_password: str,
    frozen: Clock,
    current: str | None,
    new: str,
    words: str,
) -> None:
    post(stranger, "/connexion", code="F1001", password=letters_password)
    frozen.advance(minutes=10)
    current = letters_password if current is None else current
    answer = post(stranger, "/compte/mot-de-passe", current=current, new=new)
    assert answer.status_code == 422
    assert words in answer.text
    assert accounts.authenticate("F1001", letters_password)


def test_a_new_password_ends_the_other_parents_session(
    alice: FlaskClient, bob: FlaskClient
) -> None:
    assert bob.get("/factures").status_code == 200
    post(alice, "/compte/mot-de-passe", current=PASSWORD, new="une autre phrase encore")
    assert alice.get("/factures").status_code == 200
    assert bob.get("/factures").location.startswith("/connexion")


def test_signing_out_is_a_post_and_ends_the_session(alice: FlaskClient) -> None:
    assert alice.get("/deconnexion").status_code == 405
    assert alice.get("/factures").status_code == 200
    token = csrf_token(alice.get("/factures").text)
    answer = alice.post("/deconnexion", data={"csrf_token": token}, follow_redirects=True)
    assert sentences.SIGNED_OUT in answer.text
    assert alice.get("/factures").location.startswith("/connexion")


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("/famille", "/famille"),
        ("/paiement/recapitulatif?invoice=A&invoice=B", None),
        ("//evil.example.org", "/factures"),
        ("https://evil.example.org", "/factures"),
        ("/\\evil.example.org", "/factures"),
        ("\\\\evil.example.org", "/factures"),
        ("javascript:alert(1)", "/factures"),
        ("/\t/evil.example.org", "/factures"),
        ("///evil.example.org", "/factures"),
        ("////evil.example.org/x", "/factures"),
        ("/x\\evil.example.org", "/factures"),
        ("//[", "/factures"),
        ("//[]", "/factures"),
        ("", "/factures"),
    ],
)
def test_after_signing_in_one_goes_only_to_a_page_of_ours(
    stranger: FlaskClient, alices_password: str, wanted: str, got: str | None
) -> None:
    stranger.get("/connexion")
    page = stranger.get("/connexion", query_string={"next": wanted})
    answer = stranger.post(
        "/connexion",
        query_string={"next": wanted},
        data={
            "code": "F1001",
            "password": alices_password,
            "csrf_token": csrf_token(page.text),
        },
    )
    assert answer.location == (got or wanted)


def test_a_page_asked_for_signed_out_is_shown_after_signing_in(
    stranger: FlaskClient, alices_password: str
) -> None:
    address = stranger.get("/famille").location
    answer = post(stranger, address, code="F1001", password=alices_password)
    assert answer.location == "/famille"


def test_the_session_identity_is_new_at_sign_in(
    stranger: FlaskClient, alices_password: str
) -> None:
    stranger.get("/connexion")
    before = stranger.get_cookie("kiosque").value
    post(stranger, "/connexion", code="F1001", password=alices_password)
    assert stranger.get_cookie("kiosque").value != before


@pytest.mark.parametrize("name", ["code", "password", "csrf_token"])
def test_a_file_in_place_of_a_field_is_an_empty_field(
    stranger: FlaskClient, alices_password: str, name: str
) -> None:
    token = csrf_token(stranger.get("/connexion").text)
    data = {"code": "F1001", "password": alices_password, "csrf_token": token}
    data[name] = (io.BytesIO(b"x"), "x.txt")
    with stranger.post("/connexion", data=data) as answer:
        assert answer.status_code == (400 if name == "csrf_token" else 422)


def test_a_remember_me_cookie_is_not_even_read(
    stranger: FlaskClient, alices_family: Family
) -> None:
    for value in ("1.x|é", "1|" + "0" * 128, "|"):
        stranger.set_cookie("remember_token", value)
        for address in ("/connexion", "/nulle-part", "/factures"):
            assert stranger.get(address).status_code in (200, 302, 404)


def test_nothing_of_the_session_before_signing_in_stays_in_it(
    stranger: FlaskClient, alices_password: str
) -> None:
    with stranger.session_transaction() as session:
        session["planted"] = "by someone else"
    post(stranger, "/connexion", code="F1001", password=alices_password)
    with stranger.session_transaction() as session:
        assert "planted" not in session


def test_a_forged_session_cookie_is_nobody(stranger: FlaskClient) -> None:
    stranger.set_cookie("kiosque", "eyJfdXNlcl9pZCI6IjEueCJ9.x.x")
    assert stranger.get("/factures").location.startswith("/connexion")


def test_a_copied_cookie_is_dead_once_its_owner_signs_out(
    alice: FlaskClient, stranger: FlaskClient
) -> None:
    stranger.set_cookie("kiosque", alice.get_cookie("kiosque").value)
    assert stranger.get("/factures").status_code == 200
    alice.post("/deconnexion", data={"csrf_token": csrf_token(alice.get("/compte").text)})
    answer = stranger.get("/factures", follow_redirects=True)
    assert sentences.SESSION_OVER in answer.text


def test_half_an_hour_idle_asks_to_sign_in_again_and_comes_back(
    alice: FlaskClient, frozen: Clock
) -> None:
    frozen.advance(minutes=31)
    answer = alice.get("/famille", follow_redirects=True)
    assert sentences.SESSION_OVER in answer.text
    assert post(alice, answer.request.full_path, code="F1001", password=PASSWORD).location == (
        "/famille"
    )


def test_half_a_day_asks_to_sign_in_again_however_busy(alice: FlaskClient, frozen: Clock) -> None:
    for _ in range(36):
        assert alice.get("/factures").status_code == 200
        frozen.advance(minutes=20)
    assert alice.get("/factures").location.startswith("/connexion")


def test_guesses_are_delayed_in_words_and_by_the_book(
    stranger: FlaskClient, alices_password: str
) -> None:
    for _ in range(5):
        assert post(stranger, "/connexion", code="F1001", password="essai").status_code == 422
    answer = post(stranger, "/connexion", code="F1001", password=alices_password)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert "patientez 1 minute avant" in answer.text
    assert 'href="/mot-de-passe/oublie"' in answer.text


def test_the_familys_own_browser_gets_in_while_a_stranger_is_delayed(
    alice: FlaskClient, stranger: FlaskClient
) -> None:
    alice.post("/deconnexion", data={"csrf_token": csrf_token(alice.get("/compte").text)})
    for _ in range(5):
        post(stranger, "/connexion", code="F1001", password="essai")
    assert post(stranger, "/connexion", code="F1001", password=PASSWORD).status_code == 429
    assert post(alice, "/connexion", code="F1001", password=PASSWORD).location == "/factures"


def test_its_mark_serves_no_other_family_and_cannot_be_forged(
    alice: FlaskClient, stranger: FlaskClient, charlies_family: Family
) -> None:
    """A mark is a favour to one family: it lifts no delay from the others."""
    choose_password(charlies_family)
    for _ in range(5):
        post(stranger, "/connexion", code="F2002", password="essai")
    mark = alice.get_cookie("kiosque-navigateur").value
    for forged in (mark, mark[:-1], "WyJGMjAwMiIsIngiXQ.x.x", "é", ""):
        stranger.set_cookie("kiosque-navigateur", forged)
        assert post(stranger, "/connexion", code="F2002", password=PASSWORD).status_code == 429


def test_a_mark_opens_nothing_by_itself(alice: FlaskClient, stranger: FlaskClient) -> None:
    stranger.set_cookie("kiosque-navigateur", alice.get_cookie("kiosque-navigateur").value)
    assert stranger.get("/factures").location.startswith("/connexion")
    assert post(stranger, "/connexion", code="F1001", password="essai").status_code == 422


def test_a_crowded_door_says_when_to_come_back(
    stranger: FlaskClient, alices_password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "strangers", Gate(at_once=1, waiting=0))
    with hashing.strangers.enter():
        answer = post(stranger, "/connexion", code="F1001", password=alices_password)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert stranger.get("/connexion").status_code == 200
    assert post(stranger, "/connexion", code="F1001", password=alices_password).status_code == 302


def test_the_present_password_is_not_guessed_in_a_session_left_open(alice: FlaskClient) -> None:
    for _ in range(5):
        post(alice, "/compte/mot-de-passe", current="essai", new="une tout autre phrase")
    answer = post(alice, "/compte/mot-de-passe", current=PASSWORD, new="une tout autre phrase")
    assert answer.status_code == 429
    assert accounts.authenticate("F1001", PASSWORD)


def test_a_new_password_gives_the_session_a_new_identity(alice: FlaskClient) -> None:
    before = alice.get_cookie("kiosque").value
    post(alice, "/compte/mot-de-passe", current=PASSWORD, new="une autre phrase encore")
    replayed = alice.application.test_client()
    replayed.set_cookie("kiosque", before)
    assert replayed.get("/factures").location.startswith("/connexion")


def test_where_https_cookies_are_secure_and_bound_to_the_host(
    settings: Settings, alices_family: Family
) -> None:
    choose_password(alices_family)
    client = create_app(dataclasses.replace(settings, public_url="https://localhost")).test_client()
    page = client.get("/connexion", base_url="https://localhost")
    answer = client.post(
        "/connexion",
        base_url="https://localhost",
        headers={"Referer": "https://localhost/connexion"},
        data={"code": "F1001", "password": PASSWORD, "csrf_token": csrf_token(page.text)},
    )
    cookies = answer.headers.getlist("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "__Host-kiosque",
        "__Host-kiosque-navigateur",
    }
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_a_new_password_chosen_in_a_browser_leaves_it_known(
    alice: FlaskClient, stranger: FlaskClient, frozen: Clock
) -> None:
    frozen.advance(minutes=10)
    new = "une autre phrase encore"
    post(alice, "/compte/mot-de-passe", current=PASSWORD, new=new)
    alice.post("/deconnexion", data={"csrf_token": csrf_token(alice.get("/compte").text)})
    for _ in range(5):
        post(stranger, "/connexion", code="F1001", password="essai")
    assert post(alice, "/connexion", code="F1001", password=new).location == "/factures"


def test_a_password_only_hashed_again_leaves_the_other_browsers_known(
    alice: FlaskClient, bob: FlaskClient, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob signs in once the price of a hash was raised; Alice's browser does not hear of it."""
    for parent in (alice, bob):
        parent.post("/deconnexion", data={"csrf_token": csrf_token(parent.get("/compte").text)})
    monkeypatch.setattr(hashing, "hasher", PasswordHasher(2, 16, 1))
    assert post(bob, "/connexion", code="F1001", password=PASSWORD).status_code == 302
    for _ in range(5):
        post(stranger, "/connexion", code="F1001", password="essai")
    assert post(alice, "/connexion", code="F1001", password=PASSWORD).status_code == 302


def test_a_mark_does_not_say_whose_it_is(alice: FlaskClient) -> None:
    mark = alice.get_cookie("kiosque-navigateur")
    content = base64.urlsafe_b64decode(mark.value.partition(".")[0] + "==")
    assert b"F1001" not in content
    assert mark.max_age == 90 * 24 * 3600


def test_a_provisional_password_serves_for_thirty_days(
    app: Flask, stranger: FlaskClient, letters_password: str, frozen: Clock
) -> None:
    """Only who knows it is told that it no longer does."""
    frozen.advance(days=29, hours=23)
    in_time = app.test_client()
    assert post(in_time, "/connexion", code="F1001", password=letters_password).status_code == 302
    frozen.advance(hours=1)
    assert "incorrect" in post(stranger, "/connexion", code="F1001", password="essai").text
    answer = post(stranger, "/connexion", code="F1001", password=letters_password)
    assert (answer.status_code, sentences.PROVISIONAL_OVER in answer.text) == (422, True)


def test_a_chosen_password_serves_for_ever(
    stranger: FlaskClient, alices_family: Family, frozen: Clock
) -> None:
    choose_password(alices_family)
    frozen.advance(days=3000)
    assert post(stranger, "/connexion", code="F1001", password=PASSWORD).status_code == 302


def test_a_mark_ends_with_the_password_it_was_given_for(
    alice: FlaskClient, alices_family: Family, frozen: Clock
) -> None:
    """Or whoever once knew it could gather marks, and guess the next one with each."""
    frozen.advance(hours=1)
    choose_password(alices_family, "une tout autre phrase")
    for _ in range(5):
        post(alice, "/connexion", code="F1001", password="essai")
    answer = post(alice, "/connexion", code="F1001", password="une tout autre phrase")
    assert answer.status_code == 429


def sign_out(client: FlaskClient) -> TestResponse:
    return client.post("/deconnexion", data={"csrf_token": csrf_token(client.get("/compte").text)})


def test_signing_out_makes_the_browser_forget_the_pages_it_showed(alice: FlaskClient) -> None:
    """Its Back button too; the cookies of the town's other sites are left alone."""
    assert sign_out(alice).headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in alice.get("/connexion").headers


def test_a_shared_computer_keeps_no_mark_of_who_was_there(
    stranger: FlaskClient, alices_family: Family
) -> None:
    choose_password(alices_family)
    post(stranger, "/connexion", code="F1001", password=PASSWORD, shared="y")
    new = "une autre phrase encore"
    post(stranger, "/compte/mot-de-passe", current=PASSWORD, new=new)
    assert "F1001" in stranger.get("/compte").text
    assert stranger.get_cookie("kiosque-navigateur") is None
    sign_out(stranger)
    assert stranger.get_cookie("kiosque-navigateur") is None
    post(stranger, "/connexion", code="F1001", password=new)
    assert stranger.get_cookie("kiosque-navigateur")


def test_a_mark_of_before_is_erased_once_the_computer_is_said_to_be_shared(
    alice: FlaskClient,
) -> None:
    assert alice.get_cookie("kiosque-navigateur")
    sign_out(alice)
    post(alice, "/connexion", code="F1001", password=PASSWORD, shared="y")
    assert alice.get_cookie("kiosque-navigateur") is None


def test_a_shared_computer_is_still_one_after_a_mistake(
    stranger: FlaskClient, alices_password: str
) -> None:
    page = post(stranger, "/connexion", code="F1001", password="essai", shared="y")
    assert re.search('name="shared"[^>]* checked', page.text)


@pytest.mark.parametrize("page", ["/connexion", "/activer"])
def test_an_address_may_fill_in_the_code_and_nothing_else(stranger: FlaskClient, page: str) -> None:
    shown = stranger.get(page, query_string={"code": "F1001", "password": "x", "new": "x"}).text
    assert 'name="code" value="F1001"' in shown
    assert 'value="x"' not in shown
    hostile = stranger.get(page, query_string={"code": '"><script>' + "x" * 5000}).text
    assert "<script>x" not in hostile
    assert "x" * 101 not in hostile.partition("<main")[2]


def test_the_code_filled_in_follows_to_the_first_sign_in(stranger: FlaskClient) -> None:
    assert 'href="/activer?code=F1001"' in stranger.get("/connexion?code=F1001").text
