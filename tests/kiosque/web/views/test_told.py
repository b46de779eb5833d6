"""A family is told of its payment: the purchase, the rest to pay, what the town owes it."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from gateways.base import Handoff
from kiosque.db.models import Attempt, Family, Invoice, OutboxMail, Session
from tests import sentences
from tests.bank import notice
from tests.conftest import PASSWORD, Clock, SignIn, csrf_token, make_invoice

Pay = Callable[..., tuple[Attempt, Handoff]]
NOTIFY = "/paiement/notification/banque"
SUMMARY = "/paiement/recapitulatif?invoice=2026-10-0001"


@pytest.fixture
def sign_in(type_password: SignIn) -> SignIn:
    """By the page, which leaves more in the browser than a session."""
    return type_password


def test_the_summary_leads_with_what_is_bought_and_says_where_one_goes(
    alice: FlaskClient, october: Invoice
) -> None:
    page = alice.get(SUMMARY).text
    assert re.search(r"<th scope=.row.>Octobre 2026, Léa Martin.*Facture .*2026-10-0001", page)
    assert "http://127.0.0.1:8001" in page, "the bank's address"
    assert "Visa" in page
    assert 'href="/paiement-securise"' in page


def test_the_page_that_says_why_it_is_safe_is_for_everybody(stranger: FlaskClient) -> None:
    page = stranger.get("/paiement-securise")
    assert page.status_code == 200
    assert "https" in page.text


def test_once_paid_the_page_says_all_of_it(
    alice: FlaskClient, pay: Pay, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october, email="martin@example.org")
    alice.post(NOTIFY, data=notice(handoff))
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    for fact in (
        "45,20\u00a0€",
        "24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030",
        "R000001",
        "42,25\u00a0€",
    ):
        assert fact in page
    assert "m…@example.org" in page
    assert "martin@" not in page
    assert "result-paid" in page
    assert 'href="/recus/1.pdf"' in page


def test_where_the_receipt_went_is_still_said_once_it_has_left(
    alice: FlaskClient, october: Invoice
) -> None:
    page = alice.get(SUMMARY).text
    form = {"invoice": october.number, "expected_cents": "4520", "email": "martin@example.org"}
    sent = alice.post("/paiement/banque", data={"csrf_token": csrf_token(page), **form}).text
    fields = tuple(re.findall(r'name="(vads_\w+)" value="([^"]*)"', sent))
    alice.post(NOTIFY, data=notice(Handoff("", "", fields)))
    OutboxMail.update(state="sent", recipient="").execute()
    page = alice.get(f"/paiement/retour/{Attempt.get().reference}").text
    assert "m…@example.org" in page


def test_what_the_town_owes_is_said_on_the_list_and_the_account_and_deducted_from_nothing(
    alice: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    september: Invoice,
    frozen: Clock,
) -> None:
    _, first = pay(alices_family, october)
    frozen.advance(minutes=16)
    _, second = pay(alices_family, october)
    for handoff in (second, first):
        alice.post(NOTIFY, data=notice(handoff))
    for address in ("/factures", "/compte"):
        page = alice.get(address).text
        assert sentences.TOWN_OWES in page
        assert "45,20\u00a0€" in page
    assert re.search("1 facture.*42,25", alice.get("/factures").text)


def test_charlie_is_owed_nothing_of_alices(charlie: FlaskClient) -> None:
    assert sentences.TOWN_OWES not in charlie.get("/factures").text


def test_nothing_ticked_is_said_on_the_list_at_its_first_box(
    alice: FlaskClient, october: Invoice
) -> None:
    page = alice.get("/paiement/recapitulatif", follow_redirects=True)
    assert page.request.path == "/factures"
    assert sentences.TICK_ONE in page.text
    assert re.search(r'id="facture-1"[^>]* autofocus[^>]*aria-describedby="erreurs"', page.text)


def test_of_many_invoices_it_is_said_first_that_fifty_are_shown(
    alice: FlaskClient, alices_family: Family
) -> None:
    for number in range(55):
        make_invoice(alices_family, f"N{number:02}")
    page = alice.get("/factures").text
    assert 0 < page.index("Les 50 plus anciennes") < page.index('id="facture-1"')


def test_a_session_that_ended_on_the_summary_leads_back_to_the_same_summary(
    alice: FlaskClient, october: Invoice
) -> None:
    form = {"invoice": october.number, "expected_cents": "4520"}
    token = csrf_token(alice.get(SUMMARY).text)
    Session.delete().execute()
    away = alice.post("/paiement/banque", data={"csrf_token": token, **form})
    page = alice.get(away.location).text
    assert sentences.SESSION_OVER in page
    known = {"code": "F1001", "password": PASSWORD, "csrf_token": csrf_token(page)}
    assert alice.post(away.location, data=known).location == SUMMARY


def test_a_browser_that_lost_its_cookies_hears_of_the_session_not_of_the_page(
    stranger: FlaskClient, october: Invoice
) -> None:
    away = stranger.post("/paiement/banque", data={"invoice": october.number})
    assert away.location.startswith("/connexion")
    assert sentences.SESSION_OVER in stranger.get(away.location).text


def test_a_page_that_is_for_everybody_has_expired_and_says_so(stranger: FlaskClient) -> None:
    assert sentences.PAGE_EXPIRED in stranger.post("/connexion").text
