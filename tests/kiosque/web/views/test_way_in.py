"""Nothing is asked twice of who comes in, and nothing typed is lost for another field's fault."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import Family, Guardian, OutboxMail
from kiosque.families import accounts, own_changes
from kiosque.mails import delivery
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import PASSWORD, Clock, SignIn, choose_password, csrf_token
from tests.kiosque.web.views.test_account import post
from tests.kiosque.web.views.test_credentials import link_of

OTHER = "une tout autre phrase"
CHANGE, ADDRESS = "/compte/mot-de-passe", "/compte/adresse"
DISOWN = "/connexion/inconnue"


@pytest.fixture
def sign_in(type_password: SignIn) -> SignIn:
    """By the page, which leaves more in the browser than a session."""
    return type_password


@pytest.fixture
def given(alices_family: Family) -> str:
    """The password that the town hall gave to Alice."""
    return accounts.issue_password(alices_family, must_change=True)


def asks_password(page: str) -> bool:
    return 'name="current"' in page


def typed_again(page: str) -> list[str]:
    """Return what the fields of a page hold, its tokens aside."""
    return re.findall(
        r'<input type="(?:text|email|password)"[^>]*name="(?!username)\w+" value="([^"]+)"', page
    )


@pytest.mark.parametrize(
    "copied",
    [
        lambda text: text.replace("-", ""),
        str.upper,
        lambda text: f" {text.replace('-', ' ').title()} ",
    ],
)
def test_a_password_given_by_the_town_is_taken_however_it_is_copied(
    stranger: FlaskClient, given: str, copied: Callable[[str], str]
) -> None:
    assert post(stranger, "/connexion", code="F1001", password=copied(given)).status_code == 302
    assert post(stranger, CHANGE, new=given.replace("-", "")).status_code == 422
    assert post(stranger, CHANGE, new=PASSWORD).location == "/factures"


def test_a_password_of_the_familys_own_counts_letter_by_letter(
    stranger: FlaskClient, alices_family: Family
) -> None:
    choose_password(alices_family)
    for other in (PASSWORD.upper(), PASSWORD.replace(" ", ""), f"{PASSWORD} "):
        assert post(stranger, "/connexion", code="F1001", password=other).status_code == 422


def test_the_password_just_typed_is_not_asked_again_to_replace_it(
    stranger: FlaskClient, given: str
) -> None:
    post(stranger, "/connexion", code="F1001", password=given)
    assert not asks_password(stranger.get(CHANGE).text)
    refused = post(stranger, CHANGE, new="court")
    assert (refused.status_code, asks_password(refused.text)) == (422, False)
    assert post(stranger, CHANGE, new=PASSWORD).location == "/factures"
    assert accounts.authenticate("F1001", PASSWORD)


def test_in_a_session_left_open_it_is_asked(
    stranger: FlaskClient, given: str, frozen: Clock
) -> None:
    """However many pages were seen meanwhile: whoever passes by does not take the account."""
    post(stranger, "/connexion", code="F1001", password=given)
    frozen.advance(minutes=9)
    assert not asks_password(stranger.get(CHANGE).text)
    frozen.advance(minutes=1)
    assert asks_password(stranger.get(CHANGE).text)
    assert asks_password(post(stranger, CHANGE, new=PASSWORD).text)
    assert accounts.authenticate("F1001", given)
    assert post(stranger, CHANGE, current=given.upper(), new=PASSWORD).location == "/factures"


def test_a_password_of_ones_own_is_asked_for_to_change_it_even_just_after_signing_in(
    alice: FlaskClient,
) -> None:
    assert asks_password(alice.get(CHANGE).text)
    assert post(alice, CHANGE, new=OTHER).status_code == 422


def test_a_right_password_is_not_typed_again_because_the_new_one_is_refused(
    alice: FlaskClient, bob: FlaskClient, frozen: Clock
) -> None:
    refused = post(alice, CHANGE, current=PASSWORD, new="court")
    assert (asks_password(refused.text), PASSWORD in refused.text) == (False, False)
    assert asks_password(bob.get(CHANGE).text)
    assert post(alice, CHANGE, new=PASSWORD).status_code == 422
    assert post(alice, CHANGE, new=OTHER).location == "/factures"
    assert asks_password(alice.get(CHANGE).text)


def test_a_wrong_password_is_asked_again(alice: FlaskClient) -> None:
    assert asks_password(post(alice, CHANGE, current="faux", new="court").text)
    assert asks_password(alice.get(CHANGE).text)


def test_a_right_password_lasts_a_moment_only(alice: FlaskClient, frozen: Clock) -> None:
    post(alice, CHANGE, current=PASSWORD, new="court")
    frozen.advance(minutes=10)
    assert post(alice, CHANGE, new=OTHER).status_code == 422
    assert accounts.authenticate("F1001", PASSWORD)


def test_a_right_password_is_kept_when_the_address_is_refused_and_the_address_when_it_is_wrong(
    alice: FlaskClient,
) -> None:
    wrong = post(alice, ADDRESS, email="martin@example.org", current="faux")
    assert typed_again(wrong.text) == ["martin@example.org"]
    refused = post(alice, ADDRESS, email="martin@", current=PASSWORD)
    assert typed_again(refused.text) == ["martin@"]
    assert not asks_password(refused.text)
    assert post(alice, ADDRESS, email="martin@example.org").location == "/compte"
    assert asks_password(alice.get(ADDRESS).text)


def test_codes_and_ticks_stay_when_the_password_is_refused(
    stranger: FlaskClient, alices_family: Family
) -> None:
    answer = post(stranger, "/connexion", code="F1001", password="", shared="y")
    assert typed_again(answer.text) == ["F1001"]
    assert re.search('name="shared"[^>]* checked', answer.text)
    typed = {"code": "f 1001", "activation": "ABCDE", "new": "court", "shared": "y"}
    answer = post(stranger, "/activer", **typed)
    assert typed_again(answer.text) == ["f 1001", "ABCDE"]
    assert re.search('name="shared"[^>]* checked', answer.text)
    assert "court" not in answer.text


def test_a_first_sign_in_is_called_so_and_no_later_one(
    stranger: FlaskClient, alices_family: Family, given: str, frozen: Clock
) -> None:
    post(stranger, "/connexion", code="F1001", password=given)
    assert sentences.FIRST_SIGN_IN in stranger.get(CHANGE).text
    frozen.advance(minutes=31)
    post(stranger, "/connexion", code="F1001", password=given)
    page = stranger.get(CHANGE).text
    assert (sentences.FIRST_SIGN_IN in page, sentences.REPLACE_THE_GIVEN_ONE in page) == (
        False,
        True,
    )
    again = accounts.issue_password(alices_family, must_change=True)
    frozen.advance(minutes=1)
    post(stranger, "/connexion", code="F1001", password=again)
    assert sentences.FIRST_SIGN_IN not in stranger.get(CHANGE).text


def test_a_password_changed_meanwhile_ends_the_session_and_says_so(
    alice: FlaskClient, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = own_changes.NewPassword

    def meanwhile(*args: object) -> object:
        choose_password(alices_family, "la phrase de Bob, plus rapide")
        return judged(*args)

    monkeypatch.setattr(own_changes, "NewPassword", meanwhile)
    answer = post(alice, CHANGE, current=PASSWORD, new=OTHER)
    assert answer.location == "/connexion"
    assert sentences.JUST_CHANGED in alice.get("/connexion").text
    assert accounts.authenticate("F1001", "la phrase de Bob, plus rapide")


def test_password_managers_are_told_whose_password_is_changed(alice: FlaskClient) -> None:
    for page in (CHANGE, ADDRESS):
        assert re.search('value="F1001" autocomplete="username"[^>]* hidden', alice.get(page).text)


@pytest.fixture
def told(
    alice: FlaskClient, alices_family: Family, stranger: FlaskClient, settings: Settings
) -> str:
    """The link of the mail that tells Alice of a stranger who knows her password."""
    Guardian.create(family=alices_family, first_name="", last_name="", email="alice@example.org")
    post(stranger, "/connexion", code="F1001", password=PASSWORD)
    delivery.deliver(settings)
    (path,) = (settings.data / "outbox").glob("*-new-browser-*")
    return link_of(path)


def test_one_click_of_a_mail_ends_the_strangers_session_and_leads_to_a_new_password(
    alice: FlaskClient, stranger: FlaskClient, told: str, app: Flask
) -> None:
    phone = app.test_client()
    page = phone.get(phone.get(told).location)
    assert "famille Martin" in page.text
    assert told.rpartition("/")[2] not in page.text
    answer = post(phone, DISOWN)
    assert answer.location == "/mot-de-passe/nouveau"
    for elsewhere in (stranger, alice):
        assert elsewhere.get("/factures").location.startswith("/connexion")
    assert sentences.ALL_SIGNED_OUT in phone.get(answer.location).text
    assert post(phone, "/mot-de-passe/nouveau", new=OTHER).location == "/factures"
    assert accounts.authenticate("F1001", PASSWORD) is None
    assert phone.get(told).status_code == 404


def test_a_mail_scanner_that_opens_the_link_ends_nothing(
    stranger: FlaskClient, told: str, app: Flask
) -> None:
    for _ in range(3):
        scanner = app.test_client()
        assert scanner.get(told, follow_redirects=True).status_code == 200
        scanner.head(told)
    assert stranger.get("/factures").status_code == 200
    phone = app.test_client()
    phone.get(told)
    assert phone.post(DISOWN).status_code == 400  # without the token of the page
    assert stranger.get("/factures").status_code == 200


def test_a_browser_with_its_mark_is_no_news_and_a_shared_computer_is_each_time(
    alice: FlaskClient, alices_family: Family, app: Flask
) -> None:
    """Or the box would let a stranger in without a noise."""
    Guardian.create(family=alices_family, first_name="", last_name="", email="alice@example.org")
    alice.post("/deconnexion", data={"csrf_token": csrf_token(alice.get("/compte").text)})
    post(alice, "/connexion", code="F1001", password=PASSWORD)
    assert not OutboxMail.select().exists()
    for _ in range(2):
        post(app.test_client(), "/connexion", code="F1001", password=PASSWORD, shared="y")
    assert OutboxMail.select().count() == 2
