"""Stopping the mails about invoices, by their link or in the account."""

import pytest
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer

from kiosque.db.models import Family, Guardian, SecurityEvent
from kiosque.invoices import announcements
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import csrf_token


@pytest.fixture
def link(alices_family: Family, settings: Settings) -> str:
    return f"/courriels/arret/{announcements.stop_token(settings.secret_key, alices_family)}"


def wants_mail(family: Family) -> bool:
    return bool(Family.get_by_id(family.id).wants_mail)


def test_looking_at_the_link_stops_nothing(
    stranger: FlaskClient, link: str, alices_family: Family
) -> None:
    for method in (stranger.get, stranger.head):
        assert method(link).status_code == 200
    assert sentences.STOP_MAILS in stranger.get(link).text
    assert wants_mail(alices_family)


def test_the_link_itself_leaves_by_no_page_that_it_leads_to(
    stranger: FlaskClient, link: str
) -> None:
    """The next page learns our origin only, which our forms ask for."""
    for address in (link, f"{link}x", "/lien/x"):
        assert stranger.get(address).headers.getlist("Referrer-Policy") == ["strict-origin"]


def test_the_button_of_the_page_stops_them(
    stranger: FlaskClient, link: str, alices_family: Family, charlies_family: Family
) -> None:
    page = stranger.get(link).text
    assert '<form method="post" class="narrow">' in page
    answer = stranger.post(link)
    assert (answer.status_code, sentences.UNSUBSCRIBED in answer.text) == (200, True)
    assert not wants_mail(alices_family)
    assert wants_mail(charlies_family)


def test_one_click_of_the_mail_program_stops_them_without_session_nor_token_and_twice_is_once(
    stranger: FlaskClient, link: str, alices_family: Family
) -> None:
    for _ in range(2):
        answer = stranger.post(link, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert stranger.get("/compte").location.startswith("/connexion")
    assert not wants_mail(alices_family)
    events = [event.kind for event in SecurityEvent.select()]
    assert events == ["notices_stopped"]


def test_the_link_says_nothing_of_the_family_and_opens_nothing_else(
    stranger: FlaskClient, link: str, alices_family: Family
) -> None:
    page = stranger.get(link).text + stranger.post(link).text
    assert "F1001" not in page
    assert "Martin" not in page
    assert stranger.get("/factures").status_code == 302
    assert stranger.get("/compte").status_code == 302


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:],
        lambda token: "Mg." + token.partition(".")[2],
        lambda token: "é\x00" + token[4:],
        lambda _: "x" * 5000,
        lambda _: ".",
    ],
)
def test_a_token_that_is_not_ours_changes_nothing_and_says_what_to_do(
    stranger: FlaskClient,
    link: str,
    alices_family: Family,
    charlies_family: Family,
    method: str,
    change: object,
) -> None:
    folder, _, token = link.rpartition("/")
    assert callable(change)
    answer = getattr(stranger, method)(f"{folder}/{change(token)}")
    assert answer.status_code == 404
    assert sentences.LINK_CUT in answer.text
    assert "enfance@sautron.example.org" in answer.text
    assert wants_mail(alices_family)
    assert wants_mail(charlies_family)


def test_a_token_signed_for_another_purpose_is_not_ours(
    stranger: FlaskClient, alices_family: Family, settings: Settings
) -> None:
    token = URLSafeSerializer(settings.secret_key, salt="browser").dumps(alices_family.id)
    assert stranger.post(f"/courriels/arret/{token}").status_code == 404
    assert wants_mail(alices_family)


def test_a_token_of_a_family_erased_since_is_answered_alike(
    stranger: FlaskClient, link: str, alices_family: Family
) -> None:
    alices_family.delete_instance()
    assert stranger.post(link).status_code == 404


def test_the_account_says_where_we_write_and_lets_stop_and_take_up_again(
    alice: FlaskClient, bob: FlaskClient, alices_family: Family
) -> None:
    Guardian.create(
        family=alices_family, first_name="Alice", last_name="Martin", email="alice@example.org"
    )
    page = alice.get("/compte").text
    assert "alice@example.org" in page
    form = {"csrf_token": csrf_token(page), "wanted": "no"}
    answer = alice.post("/compte/avis", data=form, follow_redirects=True)
    assert sentences.MAILS_STOPPED in answer.text
    assert not wants_mail(alices_family)
    page = bob.get("/compte").text
    assert 'value="yes"' in page
    bob.post("/compte/avis", data={"csrf_token": csrf_token(page), "wanted": "yes"})
    assert wants_mail(alices_family)


@pytest.mark.parametrize("wanted", [None, "", "maybe"])
def test_an_odd_choice_changes_nothing(
    alice: FlaskClient, alices_family: Family, wanted: str | None
) -> None:
    form = {"csrf_token": csrf_token(alice.get("/compte").text)}
    if wanted is not None:
        form["wanted"] = wanted
    assert alice.post("/compte/avis", data=form).status_code == 302
    assert wants_mail(alices_family)


def test_the_choice_in_the_account_is_the_familys_own(
    charlie: FlaskClient, stranger: FlaskClient, alices_family: Family, charlies_family: Family
) -> None:
    assert charlie.post("/compte/avis", data={"wanted": "no"}).status_code == 400
    assert wants_mail(charlies_family)
    form = {"csrf_token": csrf_token(charlie.get("/compte").text), "wanted": "no"}
    charlie.post("/compte/avis", data=form)
    assert (wants_mail(alices_family), wants_mail(charlies_family)) == (True, False)
    assert "/connexion" in stranger.get("/compte").headers["Location"]


def test_a_family_that_the_town_cannot_write_to_is_told_so(alice: FlaskClient) -> None:
    assert sentences.NO_EMAIL in alice.get("/compte").text


def test_the_link_that_stops_mails_is_written_in_no_other_form(
    stranger: FlaskClient, link: str
) -> None:
    assert link.rpartition("/")[2] not in stranger.get(link).text
