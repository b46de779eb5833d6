"""A family asks the town's service for a change, or tells of an error: it leaves as a mail, stays
as a row, and changes nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import chores
from kiosque.db.models import Child, Family, FamilyRequest, Guardian, Invoice, OutboxMail
from kiosque.families import requests
from kiosque.mails import rendering
from kiosque.mails.rendering import RenderedMail
from kiosque.settings import Settings
from tests import fresh_databases, sentences
from tests.conftest import TOWN, Clock, csrf_token, make_invoice

CHANGE, QUESTION = "/famille/demande", "/factures/2026-10-0001/question"
MOVED = "Nous déménageons au 4 rue du Bac, le 1er décembre."


def ask(client: FlaskClient, page: str, **fields: str) -> TestResponse:
    token = csrf_token(client.get(page).text)
    return client.post(page, data={"csrf_token": token, **fields})


@pytest.fixture
def mails(settings: Settings) -> Callable[[], dict[str, RenderedMail]]:
    """Every mail that waits, by the address it goes to."""

    def read() -> dict[str, RenderedMail]:
        found = {}
        for row in OutboxMail.select():
            mail = rendering.render_mail(settings, row)
            assert mail
            found[row.recipient] = mail
        return found

    return read


@pytest.fixture
def parents(alices_family: Family) -> None:
    for name in ("alice", "bob"):
        email = f"{name}@example.org"
        Guardian.create(family=alices_family, first_name=name, last_name="M", email=email)


def test_a_change_asked_for_is_mailed_to_the_service_copied_to_the_parents_and_kept(
    alice: FlaskClient, alices_family: Family, parents: None, mails: Any
) -> None:
    answer = ask(alice, CHANGE, topic="address", message=MOVED)
    assert answer.location == "/famille"
    assert sentences.REQUEST_SENT in alice.get(answer.location).text
    kept = FamilyRequest.get()
    assert (kept.state, kept.topic, kept.message, kept.invoice) == ("open", "address", MOVED, None)
    assert kept.family == alices_family
    sent = mails()
    assert set(sent) == {TOWN.contact_email, "alice@example.org", "bob@example.org"}
    assert "F1001" in sent[TOWN.contact_email].subject
    for words in ("F1001", "Martin", MOVED, "alice@example.org, bob@example.org"):
        assert words in sent[TOWN.contact_email].text
    for copy in (sent["alice@example.org"], sent["bob@example.org"]):
        assert MOVED in copy.text
        assert MOVED in copy.html


def test_an_error_on_an_invoice_names_it(
    alice: FlaskClient, october: Invoice, parents: None, mails: Any
) -> None:
    answer = ask(alice, QUESTION, topic="absence", message="Léa était malade le 12.")
    assert answer.location == "/factures/2026-10-0001"
    assert FamilyRequest.get().invoice == october
    sent = mails()
    assert "2026-10-0001" in sent[TOWN.contact_email].subject
    assert "45,20" in sent[TOWN.contact_email].text
    assert "2026-10-0001" in sent["alice@example.org"].subject


def test_nothing_else_changes_by_a_request(
    alice: FlaskClient, october: Invoice, parents: None
) -> None:
    Child.create(family=october.family, name="Léa Martin")
    before = fresh_databases.rows(without={"family_request", "outbox_mail", "sqlite_sequence"})
    for page, topic in ((CHANGE, "child_leaves"), (QUESTION, "paid")):
        assert ask(alice, page, topic=topic, message="Léa s’en va.").status_code == 302
    assert (
        fresh_databases.rows(without={"family_request", "outbox_mail", "sqlite_sequence"}) == before
    )


def test_a_button_pressed_twice_makes_one_request(
    alice: FlaskClient, bob: FlaskClient, october: Invoice, parents: None
) -> None:
    for client in (alice, alice, bob):
        for page, topic in ((CHANGE, "other"), (QUESTION, "other_error")):
            assert ask(client, page, topic=topic, message="Bonjour").status_code == 302
    assert (FamilyRequest.select().count(), OutboxMail.select().count()) == (2, 6)


def test_the_same_words_a_day_later_or_about_something_else_are_another_request(
    alice: FlaskClient, alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    other = make_invoice(alices_family, "2026-11-0001")
    for page in (QUESTION, f"/factures/{other.number}/question"):
        ask(alice, page, topic="price", message="Bonjour")
    ask(alice, QUESTION, topic="quantity", message="Bonjour")
    frozen.advance(days=1)
    requests.ask(alices_family, requests.RequestTopic.PRICE, "Bonjour", TOWN, october)
    assert FamilyRequest.select().count() == 4


def test_a_family_has_so_many_requests_a_day_and_keeps_what_it_typed(
    alice: FlaskClient, bob: FlaskClient, charlie: FlaskClient, october: Invoice, frozen: Clock
) -> None:
    for number in range(requests.A_DAY):
        client, page, topic = (
            (alice, CHANGE, "other"),
            (bob, QUESTION, "price"),
        )[number % 2]
        assert ask(client, page, topic=topic, message=f"n° {number}").status_code == 302
    refused = ask(alice, CHANGE, topic="phone", message="06 12 34 56 78")
    assert refused.status_code == 429
    assert sentences.MANY_REQUESTS in refused.text
    assert "06 12 34 56 78</textarea>" in refused.text
    assert FamilyRequest.select().count() == requests.A_DAY
    assert ask(charlie, CHANGE, topic="other", message="Bonjour").status_code == 302
    # What was asked already is no new request.
    assert ask(alice, CHANGE, topic="other", message="n° 0").status_code == 302


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"topic": "address"}, sentences.MESSAGE_WANTED),
        ({"topic": "address", "message": " \r\n\t "}, sentences.MESSAGE_WANTED),
        ({"message": "Bonjour"}, sentences.TOPIC_WANTED),
        ({"topic": "price", "message": "Bonjour"}, sentences.TOPIC_WANTED),
        ({"topic": "address", "message": "é" * 1001}, sentences.MESSAGE_TOO_LONG),
    ],
)
def test_what_will_not_do_is_said_and_nothing_typed_is_lost(
    alice: FlaskClient, fields: dict[str, str], words: str
) -> None:
    refused = ask(alice, CHANGE, **fields)
    assert refused.status_code == 422
    assert words in refused.text
    assert fields.get("message", "").strip() in refused.text
    assert ('value="address" required checked' in refused.text) is (
        fields.get("topic") == "address"
    )
    assert not FamilyRequest.select().exists()


def test_a_thousand_letters_pass_and_odd_ones_stay_text(
    alice: FlaskClient, parents: None, mails: Any
) -> None:
    for message, kept in {
        "😀" * 1000: "😀" * 1000,
        "a\r\n" * 500 + "b": "a\n" * 500 + "b",
        "x\0y\x1bz\tw": "x y z w",
        "<b>{{ 7*7 }}</b>\r\n\r\n%(x)s": "<b>{{ 7*7 }}</b>\n\n%(x)s",
        "Bcc: a@example.org": "Bcc: a@example.org",
    }.items():
        if len(kept) > 1000:
            continue
        assert ask(alice, CHANGE, topic="other", message=message).status_code == 302
        assert FamilyRequest.select().order_by(FamilyRequest.id.desc()).get().message == kept
        mail = mails()["alice@example.org"]
        assert "<b>{{" not in mail.html


def test_charlie_reaches_no_invoice_of_alices_nor_a_stranger_anything(
    charlie: FlaskClient, stranger: FlaskClient, october: Invoice
) -> None:
    token = csrf_token(charlie.get(CHANGE).text)
    theirs = charlie.post(QUESTION, data={"csrf_token": token, "topic": "paid", "message": "x"})
    assert (charlie.get(QUESTION).status_code, theirs.status_code) == (404, 404)
    for page in (CHANGE, QUESTION):
        assert stranger.get(page).location.startswith("/connexion")
    assert not FamilyRequest.select().exists()


@pytest.mark.parametrize("number", ["2026/10/0001", "A question", "é?#%/1"])
def test_a_number_may_hold_slashes(
    app: Flask, alice: FlaskClient, alices_family: Family, number: str
) -> None:
    invoice = make_invoice(alices_family, number)
    with app.test_request_context():
        page = app.url_for("family_requests.question", number=number, _external=False)
    assert ask(alice, page, topic="paid", message="x").status_code == 302
    assert FamilyRequest.get().invoice == invoice


def test_the_record_and_the_invoice_lead_there(alice: FlaskClient, october: Invoice) -> None:
    assert f'href="{CHANGE}"' in alice.get("/famille").text
    assert f'href="{QUESTION}"' in alice.get("/factures/2026-10-0001").text


def test_a_family_without_an_address_is_told_by_the_page_alone(
    alice: FlaskClient, mails: Any
) -> None:
    ask(alice, CHANGE, topic="email", message="alice@example.org")
    assert set(mails()) == {TOWN.contact_email}


def test_a_request_is_erased_with_age_and_its_mail_says_nothing_any_more(
    alice: FlaskClient, parents: None, settings: Settings, frozen: Clock
) -> None:
    ask(alice, CHANGE, topic="other", message="Bonjour")
    frozen.advance(days=requests.KEPT.days - 1)
    requests.purge()
    assert FamilyRequest.select().exists()
    frozen.advance(days=1)
    chores.send_mail(settings)
    assert not FamilyRequest.select().exists()
    assert [rendering.render_mail(settings, row) for row in OutboxMail.select()] == [None] * 3


@pytest.mark.parametrize("nothing", ["\u200b", "\u00a0\u202e \r\n", "\u00ad"])
def test_a_message_that_shows_nothing_is_none(alice: FlaskClient, nothing: str) -> None:
    answer = ask(alice, CHANGE, topic="other", message=nothing)
    assert answer.status_code == 422
    assert not FamilyRequest.select().exists()
