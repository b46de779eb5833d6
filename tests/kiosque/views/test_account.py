"""Signing in and out, and the password of the letter."""

import io

import pytest
from flask.testing import FlaskClient

from kiosque import accounts
from kiosque.models import Family
from tests.conftest import PASSWORD, csrf_token


def post(client: FlaskClient, address: str, **data: str) -> object:
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
        assert "Code famille ou mot de passe incorrect" in answer.text
    assert password not in ("faux",) or 'value="faux"' not in answer.text


def test_empty_fields_are_named(stranger: FlaskClient, app: object) -> None:
    answer = post(stranger, "/connexion", code="", password="")
    assert answer.status_code == 422
    assert "Indiquez votre code famille." in answer.text
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
        assert "La page a expiré" in answer.text


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
    assert "première connexion" in stranger.get("/compte/mot-de-passe").text
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
    stranger: FlaskClient, letters_password: str, current: str | None, new: str, words: str
) -> None:
    post(stranger, "/connexion", code="F1001", password=letters_password)
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
    assert "Vous êtes déconnecté." in answer.text
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
