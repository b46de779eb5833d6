"""Families as agents look them up: found by any word, read only, each reading in the log."""

import html
import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Callback, Gateway
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Child, Family, Guardian, Invoice, OutboxMail, StaffEvent
from kiosque.families import accounts, own_changes, sessions, signin
from kiosque.families.signin import Visitor
from kiosque.families.throttle import TooManyTries
from kiosque.language import clock
from kiosque.outbox import queue
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent
from tests.bank import notice
from tests.conftest import ISSUERS, NOW, Clock, choose_password, make_family, make_invoice
from tests.kiosque.payments.conftest import at_counter


@pytest.fixture
def client(app: Flask, alices_family: Family, charlies_family: Family) -> FlaskClient:
    Guardian.create(family=alices_family, first_name="Alice", last_name="Durand")
    Child.create(family=alices_family, name="Léa Martin")
    Family.update(words="martin alice durand lea martin").where(Family.code == "F1001").execute()
    return enter(app, make_agent(Role.FACTURATION))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("f 1001", {"F1001"}),
        ("F1", {"F1001"}),
        ("F", {"F1001", "F2002"}),
        ("mart", {"F1001"}),
        ("durand  MARTIN", {"F1001"}),
        ("alice petit", set()),
        ("Léa", {"F1001"}),
        ("LEA dürand", {"F1001"}),
        ("-", set()),
        ("%", set()),
        ("_", set()),
        ("\0", set()),
        ("' OR 1=1", set()),
    ],
)
def test_a_search_finds_codes_and_the_names_of_the_household(
    client: FlaskClient, asked: str, found: set[str]
) -> None:
    page = client.get("/mairie/familles", query_string={"q": asked}).text
    assert {code for code in ("F1001", "F2002") if f"/familles/{code}" in page} == found


def test_the_search_box_goes_straight_to_the_family_of_a_code(client: FlaskClient) -> None:
    go = "/mairie/aller"
    assert client.get(go, query_string={"q": "f1001"}).location == "/mairie/familles/F1001"
    assert client.get(go).location == "/mairie/familles"


def test_the_search_box_goes_straight_to_the_one_family_of_a_name_and_notes_it(
    client: FlaskClient,
) -> None:
    def place(asked: str) -> str:
        return client.get("/mairie/aller", query_string={"q": asked}).location

    for asked in ("F1001 Martin", "Famille F1001", "durand martin"):
        assert place(asked) == "/mairie/familles/F1001"
    assert place("F2002 Durand").startswith("/mairie/familles?q=")
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.object) == ("families_searched", "durand martin")
    for nobody in ("durant", "-", "%"):
        assert place(nobody).startswith("/mairie/familles?q=")
    make_family("F3003", "Martin")
    assert place("martin") == "/mairie/familles?q=martin"
    Family.update(archived_at=clock.now()).where(Family.code == "F3003").execute()
    assert place("martin") == "/mairie/familles/F1001"


def test_a_record_is_read_and_the_reading_noted(client: FlaskClient) -> None:
    page = client.get("/mairie/familles/F1001")
    for words in ("Martin", "Alice", "Durand", "Léa Martin"):
        assert words in page.text
    assert "Petit" not in page.text
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.object) == ("family_read", "F1001")
    assert line.staff.email == "facturation@sautron.example.org"


def test_a_search_is_noted_too(client: FlaskClient) -> None:
    client.get("/mairie/familles", query_string={"q": "martin"})
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.object) == ("families_searched", "martin")


def test_a_family_forgotten_or_unknown_is_not_there(client: FlaskClient) -> None:
    Family.update(forgotten_at=clock.now()).where(Family.code == "F2002").execute()
    for code in ("F2002", "F9999", "x" * 500):
        assert client.get(f"/mairie/familles/{code}").status_code == 404
    assert "/familles/F2002" not in client.get("/mairie/familles?q=F2002").text
    assert client.get("/mairie/aller?q=F2002").location == "/mairie/familles?q=F2002"


# --- The record ---


def words(page: str) -> str:
    """Return what a page says, without its marks."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", page)).split())


def test_the_record_says_what_is_due_and_what_the_town_owes(
    client: FlaskClient, october: Invoice, september: Invoice
) -> None:
    at_counter(september, amount_cents=1000)
    page = words(client.get("/mairie/familles/F1001").text)
    assert "Doit 77,45 € (2 factures), dont 32,25 € en retard." in page
    assert "reste 32,25 €" in page
    at_counter(september, amount_cents=5000, is_extra=True)
    page = words(client.get("/mairie/familles/F1001").text)
    assert "Doit 45,20 € (1 facture)." in page
    assert "La ville lui doit 17,75 €, payés en trop." in page
    assert "2026-09-0001" in page


def test_the_record_shows_payments_with_their_receipts(
    client: FlaskClient, gateway: Gateway, october: Invoice, pay: Callable[..., tuple]
) -> None:
    _attempt, handoff = pay(october.family, october, email="alice@example.org")
    report = gateway.read_notification(Callback.of_form(notice(handoff).items()))
    payments.record(gateway.name, report, ISSUERS)
    page = words(client.get("/mairie/familles/F1001").text)
    assert "R000001" in page
    assert "Ne doit rien." in page
    assert "reçu : en attente" in page.lower()


def test_the_record_costs_as_many_queries_whatever_the_family_paid(
    client: FlaskClient, alices_family: Family, queries: list[str]
) -> None:
    def cost() -> int:
        queries.clear()
        assert client.get("/mairie/familles/F1001").status_code == 200
        return len(queries)

    def add(count: int) -> None:
        for _ in range(count):
            number = Invoice.select().count()
            at_counter(make_invoice(alices_family, f"N{number}"))
            make_invoice(alices_family, f"D{number}")

    add(1)
    few = cost()
    add(30)
    assert cost() == few <= 20


def test_the_record_shows_no_address_of_a_mail_in_clear(
    client: FlaskClient, alices_family: Family
) -> None:
    with write():
        for number, recipient in enumerate(("secrete@example.org", "autre@example.org")):
            queue.add(str(number), "password_changed", alices_family.id, recipient)
    OutboxMail.update(state="failed", last_error="550 5.1.1").where(OutboxMail.key == "1").execute()
    page = client.get("/mairie/familles/F1001").text.replace("<wbr>", "")
    assert "secrete@" not in page
    assert "s…@example.org" in page
    assert "abandonné (550 5.1.1)" in words(page)


def test_the_record_says_how_the_family_gets_in(
    client: FlaskClient, alices_family: Family, app: Flask, frozen: Clock
) -> None:
    def said() -> str:
        return words(client.get("/mairie/familles/F1001").text)

    assert "jamais connectée" in said()
    assert "Mot de passe aucun" in said()
    own_changes.issue_codes([(alices_family, "abc")])
    assert "code d’activation valable jusqu’au 24 décembre 2026" in said()
    accounts.issue_password(alices_family, must_change=True)
    assert "provisoire, jusqu’au 24 décembre 2026" in said()
    choose_password(alices_family)
    sessions.start(accounts.account_of(alices_family))
    assert "choisi par la famille" in said()
    assert "Dernière connexion 24 novembre 2026" in said()
    assert "doit attendre" not in said()
    for _ in range(6):
        with suppress(TooManyTries):
            signin.attempt("F1001", "faux", Visitor("203.0.113.9"))
    assert "un nouvel appareil doit attendre jusqu’au 24 novembre 2026" in said()


def test_a_provisional_password_too_old_is_said(
    app: Flask, client: FlaskClient, alices_family: Family, frozen: Clock
) -> None:
    accounts.issue_password(alices_family, must_change=True)
    frozen.advance(days=31)
    client = enter(app, make_agent(Role.FACTURATION))
    page = words(client.get("/mairie/familles/F1001").text)
    assert "provisoire, dépassé depuis le 24 décembre 2026" in page


def test_the_record_tells_apart_what_the_treasury_collects_and_what_is_left_of_credit_notes(
    client: FlaskClient, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    make_invoice(alices_family, "AV-1", -3000, state="nothing_due")
    payments.apply_credit("AV-1", october.number, 1000, "Dominique", "accord")
    payments.transmit([september.number], "2026-12", NOW.date(), "Dominique", "impayée")
    page = words(client.get("/mairie/familles/F1001").text)
    assert "Doit 35,20 € (1 facture). Doit 42,25 € au Trésor public. A 20,00 € d’avoir." in page
    assert "par l’avoir AV-1" in page
