"""Coming in by oneself: the letter's code, the link of a mail; and «Mon compte»."""

from email import message_from_bytes, policy
from pathlib import Path

import email_validator
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db import write
from kiosque.db.models import Account, Family, Guardian, OutboxMail, Token
from kiosque.families import accounts, hashing, own_changes, tokens
from kiosque.families.hashing import Gate
from kiosque.families.signin import Visitor
from kiosque.families.tokens import Purpose
from kiosque.mails import delivery
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import PASSWORD, PUBLIC_URL, Clock, csrf_token
from tests.mailbox import plain_of

CODE = "abcde-fghjk-mnpqr"
OTHER = "une tout autre phrase"
HOSTILE = ("x" * 43, "x", "é", "%00", "x" * 10_240, "😀", "%ff", "..", "' OR 1=1 --")


def post(client: FlaskClient, address: str, **data: str) -> TestResponse:
    token = csrf_token(client.get(address).text)
    return client.post(address, data={**data, "csrf_token": token})


@pytest.fixture
def letter(alices_family: Family) -> Token:
    with write():
        return tokens.issue_code(alices_family, CODE)


def link(family: Family, purpose: Purpose = Purpose.RESET, email: str = "") -> str:
    """The path of a link that a mail has carried, to an address of the family's."""
    if purpose == Purpose.RESET:
        email = "martin@example.org"
        Family.update(email=email).where(Family.id == family.id).execute()
    with write():
        token = tokens.prepare_link(purpose, family, email)
    return f"/lien/{tokens.draw_link(token.id)}"


def activate(
    client: FlaskClient, code: str = "F1001", activation: str = CODE, new: str = PASSWORD
) -> TestResponse:
    return post(client, "/activer", code=code, activation=activation, new=new)


def test_the_letter_opens_the_invoices_at_once(stranger: FlaskClient, letter: Token) -> None:
    answer = activate(stranger, "f 1001", CODE.upper())
    assert answer.location == "/factures"
    page = stranger.get("/factures").text
    assert "Famille Martin" in page
    assert "Bienvenue." in page
    assert stranger.get_cookie("kiosque-navigateur")
    assert stranger.get("/activer").location == "/factures"


def test_a_computer_that_is_shared_keeps_no_mark_of_a_password_chosen_there(
    stranger: FlaskClient, letter: Token, alices_family: Family
) -> None:
    post(stranger, "/activer", code="F1001", activation=CODE, new=PASSWORD, shared="y")
    assert stranger.get("/compte").status_code == 200
    assert stranger.get_cookie("kiosque-navigateur") is None
    stranger.get(link(alices_family))
    post(stranger, "/mot-de-passe/nouveau", new=OTHER, shared="y")
    assert stranger.get("/compte").status_code == 200
    assert stranger.get_cookie("kiosque-navigateur") is None


def before_the_form(page: str) -> str:
    """Return the first words of the page, without what was typed."""
    return page.partition("<main")[2].partition("<form method")[0]


def test_whatever_is_wrong_with_the_codes_the_answer_is_the_same(
    stranger: FlaskClient, letter: Token, charlies_family: Family, frozen: Clock
) -> None:
    with write():
        tokens.redeem(tokens.issue_code(charlies_family, "zzzzz-zzzzz-zzzzz"))
    tries = [
        ("F1001", "faux"),
        ("F9999", CODE),
        ("F2002", "zzzzz-zzzzz-zzzzz"),
        ("F2002", CODE),
        ("F1001", CODE[:-1]),
        ("F1001", "\0"),
        ("F1001", "é😀"),
        ("' OR 1=1", "' OR 1=1"),
    ]
    pages = []
    for number, (code, activation) in enumerate(tries):
        frozen.advance(hours=3 if number else 0)
        answer = activate(stranger, code, activation)
        assert answer.status_code == 422
        pages.append(before_the_form(answer.text))
    assert len(set(pages)) == 1
    assert sentences.CODES_DO_NOT_MATCH in pages[0]
    frozen.advance(days=30)
    answer = activate(stranger)
    assert before_the_form(answer.text) == pages[0]
    assert not Account.select().exists()


def test_very_long_codes_are_refused_in_words(stranger: FlaskClient, letter: Token) -> None:
    answer = activate(stranger, "F" * 10_240, "x" * 10_240)
    assert answer.status_code == 422
    assert sentences.CODE_TOO_LONG in answer.text


def test_a_poor_password_is_refused_and_the_code_still_serves(
    stranger: FlaskClient, letter: Token
) -> None:
    for poor in ("court", "F1001F1001F1001", "motdepasse123", ""):
        answer = activate(stranger, new=poor)
        assert answer.status_code == 422
        assert 'href="#new"' in answer.text
        assert "Ces codes" not in answer.text
    assert activate(stranger).location == "/factures"


def test_a_crowd_of_new_passwords_is_told_when_to_come_back_and_spends_no_code(
    stranger: FlaskClient, letter: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "changes", Gate(at_once=1, waiting=0))
    with hashing.changes.enter():
        answer = activate(stranger)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert activate(stranger).location == "/factures"


def test_guesses_are_delayed_and_the_letter_opens_all_the_same(
    stranger: FlaskClient, letter: Token
) -> None:
    for _ in range(200):
        own_changes.find_activation("F1001", "essai", Visitor("127.0.0.1"))
    answer = activate(stranger, activation="essai")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert activate(stranger).location == "/factures"


def test_an_endless_address_is_refused_at_once(
    stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To normalise hostile text takes a time quadratic in it: it is not even looked at."""
    monkeypatch.setattr(email_validator, "validate_email", None)
    for hostile in (
        "a" + "\u0316\u0301" * 2000 + "@example.org",
        "a" * 250 + "@b.fr",
        "e\u0301" * 300 + "@b.fr",
    ):
        assert post(stranger, "/mot-de-passe/oublie", email=hostile).status_code == 422


def test_a_code_serves_once(stranger: FlaskClient, letter: Token, app: object) -> None:
    activate(stranger)
    bob = app.test_client()  # type: ignore[attr-defined]
    assert activate(bob, new=OTHER).status_code == 422
    assert accounts.authenticate("F1001", PASSWORD)


def test_a_known_and_an_unknown_address_read_the_same_page(
    stranger: FlaskClient, alices_family: Family, queries: list[str]
) -> None:
    Guardian.create(family=alices_family, first_name="", last_name="", email="alice@example.org")
    answers = []
    for email in ("alice@example.org", "nobody@example.org"):
        queries.clear()
        answer = post(stranger, "/mot-de-passe/oublie", email=email)
        page = stranger.get(answer.location).text
        # A token tells the second it was made in, and the two pages may not be of the same one.
        page = page.replace(csrf_token(page), "")
        answers.append((answer.status_code, answer.location, page, len(queries)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 302
    assert "example.org" not in answers[0][2].partition("<main")[2].partition("enfance@")[0]


@pytest.mark.parametrize("email", ["", "nobody", "a@b\0.fr", "x@" + "y" * 10_240, "=?x?=@x.fr"])
def test_what_is_no_address_is_said_so(
    stranger: FlaskClient, empty_database: None, email: str
) -> None:
    answer = post(stranger, "/mot-de-passe/oublie", email=email)
    assert answer.status_code == 422
    assert 'href="#email"' in answer.text


def test_asking_again_and_again_is_delayed_in_words(stranger: FlaskClient) -> None:
    for _ in range(3):
        assert post(stranger, "/mot-de-passe/oublie", email="a@example.org").status_code == 302
    answer = post(stranger, "/mot-de-passe/oublie", email="a@example.org")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")
    assert 'href="/mot-de-passe/oublie"' not in answer.text


def test_the_link_of_the_mail_leads_to_a_new_password(
    stranger: FlaskClient, alice: FlaskClient, bob: FlaskClient, alices_family: Family
) -> None:
    address = link(alices_family)
    opened = stranger.get(address)
    assert opened.location == "/mot-de-passe/nouveau"
    page = stranger.get(opened.location).text
    assert "Famille Martin, code famille F1001" in page
    assert address.rpartition("/")[2] not in page
    answer = post(stranger, "/mot-de-passe/nouveau", new=OTHER)
    assert answer.location == "/factures"
    assert sentences.PASSWORD_KEPT in stranger.get("/factures").text
    for elsewhere in (alice, bob):
        assert elsewhere.get("/factures").location.startswith("/connexion")
    assert accounts.authenticate("F1001", OTHER)
    with stranger.session_transaction() as session:
        assert "link" not in session


def test_a_family_never_activated_may_begin_by_a_link(
    stranger: FlaskClient, alices_family: Family, letter: Token
) -> None:
    stranger.get(link(alices_family))
    assert post(stranger, "/mot-de-passe/nouveau", new=OTHER).location == "/factures"
    assert tokens.find_code("F1001", CODE) is None


def test_a_mail_filter_that_opens_the_link_spends_nothing(
    stranger: FlaskClient, alices_family: Family, app: object
) -> None:
    address = link(alices_family)
    for _ in range(3):
        scanner = app.test_client()  # type: ignore[attr-defined]
        assert scanner.head(address).status_code == 302
        assert scanner.get(address, follow_redirects=True).status_code == 200
    stranger.get(address)
    assert post(stranger, "/mot-de-passe/nouveau", new=OTHER).status_code == 302


@pytest.mark.parametrize("secret", HOSTILE)
def test_a_hostile_link_is_a_clear_page(
    stranger: FlaskClient, alices_family: Family, secret: str
) -> None:
    link(alices_family)
    answer = stranger.get(f"/lien/{secret}")
    assert answer.status_code == 404
    if secret != "..":
        assert sentences.LINK_DEAD in answer.text


def test_a_truncated_used_expired_or_replaced_link_is_the_same_page(
    stranger: FlaskClient, alices_family: Family, frozen: Clock
) -> None:
    replaced = link(alices_family)
    used = link(alices_family)
    pages = [stranger.get(used[:-1]), stranger.get(replaced)]
    stranger.get(used)
    post(stranger, "/mot-de-passe/nouveau", new=OTHER)
    token = csrf_token(stranger.get("/compte").text)
    stranger.post("/deconnexion", data={"csrf_token": token})
    stranger.get("/connexion")
    pages.append(stranger.get(used))
    expired = link(alices_family)
    frozen.advance(hours=1)
    pages.append(stranger.get(expired))
    assert {page.status_code for page in pages} == {404}
    # The form's token alone differs, by the second it was made in.
    assert len({page.text.replace(csrf_token(page.text), "") for page in pages}) == 1
    assert sentences.ASK_ANOTHER_LINK in pages[0].text


def test_a_link_that_ends_while_the_page_is_open_changes_nothing(
    stranger: FlaskClient, alices_family: Family, frozen: Clock
) -> None:
    stranger.get(link(alices_family))
    token = csrf_token(stranger.get("/mot-de-passe/nouveau").text)
    frozen.advance(hours=1)
    answer = stranger.post("/mot-de-passe/nouveau", data={"new": OTHER, "csrf_token": token})
    assert answer.status_code == 404
    assert not Account.select().exists()


def test_a_token_used_by_the_other_parent_meanwhile_is_told_like_one_used_before(
    stranger: FlaskClient,
    alices_family: Family,
    letter: Token,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def the_other_parent_first(_password: str) -> str:
        Token.update(used_at=letter.issued_at).execute()
        return "hash"

    stranger.get(link(alices_family))
    forms = [stranger.get(address).text for address in ("/activer", "/mot-de-passe/nouveau")]
    monkeypatch.setattr(hashing, "hash_password", the_other_parent_first)
    data = {"code": "F1001", "activation": CODE, "new": OTHER, "csrf_token": csrf_token(forms[0])}
    answer = stranger.post("/activer", data=data)
    assert answer.status_code == 422
    assert sentences.CODES_DO_NOT_MATCH in answer.text
    Token.update(used_at=None).execute()
    answer = stranger.post("/mot-de-passe/nouveau", data=data)
    assert answer.status_code == 404
    assert sentences.LINK_DEAD in answer.text
    assert not Account.select().exists()


def test_without_a_link_there_is_nothing_to_fill(
    stranger: FlaskClient, empty_database: None
) -> None:
    for address in ("/mot-de-passe/nouveau", "/adresse/confirmer"):
        assert stranger.get(address).status_code == 404


def test_a_poor_new_password_is_refused_and_the_link_still_serves(
    stranger: FlaskClient, alices_family: Family
) -> None:
    stranger.get(link(alices_family))
    for poor in ("court", "", "Martin Martin"):
        assert post(stranger, "/mot-de-passe/nouveau", new=poor).status_code == 422
    assert post(stranger, "/mot-de-passe/nouveau", new=OTHER).status_code == 302


def test_charlies_link_opens_charlies_space_even_in_alices_browser(
    alice: FlaskClient, charlies_family: Family
) -> None:
    alice.get(link(charlies_family))
    post(alice, "/mot-de-passe/nouveau", new=OTHER)
    assert "Famille Petit" in alice.get("/factures").text
    assert accounts.authenticate("F1001", PASSWORD)


def test_the_link_of_one_purpose_does_not_serve_another(
    stranger: FlaskClient, alices_family: Family
) -> None:
    assert stranger.get(link(alices_family, Purpose.EMAIL, "m@example.org")).location == (
        "/adresse/confirmer"
    )
    assert stranger.get("/mot-de-passe/nouveau").status_code == 404
    stranger.get(link(alices_family))
    assert stranger.get("/adresse/confirmer").status_code == 404
    stranger.get(f"/lien/{CODE}")
    assert stranger.get("/mot-de-passe/nouveau").status_code == 404


def test_the_account_says_which_address_serves_and_where_it_comes_from(
    alice: FlaskClient, alices_family: Family
) -> None:
    assert "Aucune" in alice.get("/compte").text
    Guardian.create(family=alices_family, first_name="", last_name="", email="alice@example.org")
    page = alice.get("/compte").text
    assert "alice@example.org" in page
    assert sentences.KNOWN_FROM_TOWN in page
    Family.update(email="martin@example.org").where(Family.id == alices_family.id).execute()
    page = alice.get("/compte").text
    assert "martin@example.org" in page
    assert "alice@example.org" not in page
    assert sentences.KNOWN_FROM_TOWN not in page


def test_an_address_is_changed_by_its_owner_and_confirmed_in_its_mail(
    alice: FlaskClient, alices_family: Family, settings: Settings, stranger: FlaskClient
) -> None:
    answer = post(alice, "/compte/adresse", email="martin@example.org", current=PASSWORD)
    assert answer.location == "/compte"
    page = alice.get("/compte").text
    assert f"{sentences.TO_BE_CONFIRMED}\u00a0: " in page
    assert "martin@example.org" in page
    delivery.deliver(settings)
    (path,) = (settings.data / "outbox").glob("*-email-confirm-*")
    # On the phone that reads the mails, where nobody is signed in.
    assert stranger.get(link_of(path)).location == "/adresse/confirmer"
    assert "martin@example.org" in stranger.get("/adresse/confirmer").text
    assert Family.get_by_id(alices_family.id).email == ""
    assert post(stranger, "/adresse/confirmer").location == "/connexion"
    assert Family.get_by_id(alices_family.id).email == "martin@example.org"
    assert sentences.TO_BE_CONFIRMED not in alice.get("/compte").text
    assert stranger.get("/adresse/confirmer").status_code == 404


def link_of(path: Path) -> str:
    """The link of a mail that the demo has written, without the site's address."""
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    text = plain_of(message)
    return "/lien/" + str(text).partition(f"{PUBLIC_URL}/lien/")[2].split()[0]


@pytest.mark.parametrize(
    ("email", "current", "words"),
    [
        ("martin@example.org", "faux", "Le mot de passe actuel est incorrect."),
        ("martin@example.org", "", "Indiquez votre mot de passe actuel."),
        ("martin", PASSWORD, "n’est pas complète"),
        ("", PASSWORD, "Indiquez votre nouvelle adresse"),
        ("a\r\nBcc: x@example.org", PASSWORD, "n’est pas complète"),
    ],
)
def test_an_address_is_not_changed_without_the_password_or_for_what_is_none(
    alice: FlaskClient, alices_family: Family, email: str, current: str, words: str
) -> None:
    answer = post(alice, "/compte/adresse", email=email, current=current)
    assert answer.status_code == 422
    assert words in answer.text
    assert not OutboxMail.select().exists()
    assert not Token.select().exists()


def test_the_present_address_is_no_change(alice: FlaskClient, alices_family: Family) -> None:
    Family.update(email="martin@example.org").where(Family.id == alices_family.id).execute()
    answer = post(alice, "/compte/adresse", email="martin@example.org", current=PASSWORD)
    assert sentences.ALREADY_YOURS in answer.text


def test_an_accented_address_is_shown_in_its_own_letters_and_is_one_however_typed(
    alice: FlaskClient, alices_family: Family
) -> None:
    Guardian.create(
        family=alices_family, first_name="Alice", last_name="", email="alice@xn--cole-9oa.fr"
    )
    for page in ("/compte", "/famille"):
        assert "alice@école.fr" in alice.get(page).text
    Family.update(email="alice@xn--cole-9oa.fr").execute()
    answer = post(alice, "/compte/adresse", current=PASSWORD, email="Alice@École.fr")
    assert sentences.ALREADY_YOURS in answer.text
    post(alice, "/compte/adresse", current=PASSWORD, email="bob@École.fr")
    assert "bob@école.fr" in alice.get("/compte").text


def test_a_new_password_in_the_account_is_told_by_mail(
    alice: FlaskClient, alices_family: Family
) -> None:
    Guardian.create(family=alices_family, first_name="", last_name="", email="bob@example.org")
    post(alice, "/compte/mot-de-passe", current=PASSWORD, new=OTHER)
    assert [row.template for row in OutboxMail.select()] == ["password_changed"]


def test_the_other_devices_are_counted_and_signed_out(
    alice: FlaskClient, bob: FlaskClient, charlie: FlaskClient
) -> None:
    assert "Celui-ci seulement." in charlie.get("/compte").text
    page = alice.get("/compte").text
    assert "1 autre" in page
    assert alice.get("/compte/appareils").status_code == 405
    alice.post("/compte/appareils", data={"csrf_token": csrf_token(page)})
    assert sentences.OTHERS_SIGNED_OUT in alice.get("/compte").text
    assert bob.get("/factures").location.startswith("/connexion")
    assert charlie.get("/factures").status_code == 200


def test_a_stranger_finds_nothing_of_the_account(
    stranger: FlaskClient, empty_database: None
) -> None:
    assert stranger.get("/compte/adresse").location.startswith("/connexion")
    token = csrf_token(stranger.get("/connexion").text)
    for address in ("/compte/adresse", "/compte/appareils"):
        answer = stranger.post(address, data={"csrf_token": token})
        assert answer.location.startswith("/connexion")


def test_the_sign_in_page_shows_the_two_ways_in(
    stranger: FlaskClient, empty_database: None
) -> None:
    page = stranger.get("/connexion").text
    assert 'href="/activer"' in page
    assert 'href="/mot-de-passe/oublie"' in page
    assert 'href="mailto:enfance@sautron.example.org"' in page


def test_no_secret_is_ever_logged(
    stranger: FlaskClient, alices_family: Family, letter: Token, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    address = link(alices_family)
    stranger.get(f"{address}x")
    stranger.get(address)
    post(stranger, "/mot-de-passe/nouveau", new="court")
    activate(stranger, activation=f"{CODE}x")
    own_changes.find_activation("F1001", "faux", own_changes.Visitor("203.0.113.9"))
    for secret in (address.rpartition("/")[2], CODE):
        assert secret not in caplog.text
