"""While a bank is in maintenance, a sentence takes the place of the button; the rest goes on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Callback, Gateway
from kiosque import payments
from kiosque.db.models import Attempt, BankClosure, Family, Invoice
from kiosque.payments import Purchase, Refused
from kiosque.settings import OtherRegie
from tests.bank import notice
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, csrf_token, make_invoice

SENTENCE = "Le Trésor public entretient son service ce week-end."
IN_THREE_HOURS = NOW + timedelta(hours=3)
ENDS = "24\u00a0novembre\u00a02026 à 23\u00a0h\u00a030"
ADDRESSES = ("/factures", "/paiement/recapitulatif?invoice=2026-10-0001", "/factures/2026-10-0001")
BUTTONS = ("Vérifier et payer", "Régler votre facture", "Payer 45,20")


@pytest.fixture
def closed(empty_database: None, frozen: Clock) -> BankClosure:
    return payments.close_bank("banque", SENTENCE, IN_THREE_HOURS, "Dominique")


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_button_gives_way_to_the_sentence_until_the_bank_opens(
    address: str, alice: FlaskClient, october: Invoice, closed: BankClosure
) -> None:
    page = alice.get(address).text
    assert SENTENCE in page
    assert ENDS in page
    assert not [button for button in BUTTONS if f"{button}" in page.partition("<main")[2]]
    payments.open_bank("banque")
    page = alice.get(address).text
    assert SENTENCE not in page
    assert [button for button in BUTTONS if button in page]


def test_it_opens_by_itself_at_the_hour_said(
    closed: BankClosure, frozen: Clock, october: Invoice
) -> None:
    assert set(payments.closure_words()) == {"banque"}
    frozen.at = IN_THREE_HOURS
    assert payments.closure_words() == {}


def test_who_had_the_summary_open_is_told_and_nothing_is_opened(
    alice: FlaskClient, october: Invoice, frozen: Clock
) -> None:
    token = csrf_token(alice.get(ADDRESSES[1]).text)
    payments.close_bank("banque", "", IN_THREE_HOURS, "Dominique")
    form = {"invoice": october.number, "expected_cents": "4520", "csrf_token": token}
    answer = alice.post("/paiement/banque", data=form)
    assert answer.status_code == 409
    assert "la banque est en maintenance" in answer.text
    assert Attempt.select().count() == 0


def test_no_other_way_opens_a_payment_either(
    gateway: Gateway, october: Invoice, closed: BankClosure
) -> None:
    with pytest.raises(Refused, match="Trésor"):
        payments.start(Purchase(october.family, [october.number], 4520), gateway, PUBLIC_URL)


def test_a_payment_already_at_the_bank_is_heard_of(
    pay: Any, gateway: Gateway, alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    _, handoff = pay(alices_family, october)
    payments.close_bank("banque", "", IN_THREE_HOURS, "Dominique")
    said = Callback.of_form(notice(handoff).items())
    payments.record(gateway.name, gateway.read_notification(said), ISSUERS)
    assert Invoice.get_by_id(october.id).state == "paid"


def test_another_regies_bank_stays_open(
    app: Flask, alice: FlaskClient, alices_family: Family, october: Invoice, closed: BankClosure
) -> None:
    whole, gateways = app.extensions["settings"], app.extensions["gateways"]
    creche = OtherRegie("Crèche", "Camille Roy", services=("Multi-accueil",), gateway="creche")
    app.extensions["settings"] = replace(whole, regies={"creche": creche})
    app.jinja_env.globals["settings"] = app.extensions["settings"]
    app.extensions["gateways"] = {**gateways, "creche": gateways["banque"]}
    make_invoice(alices_family, "2026-10-0002", regie="creche")
    page = alice.get("/factures").text
    assert SENTENCE in page
    assert "Vérifier et payer" in page


def test_nothing_to_pay_nothing_to_say(alice: FlaskClient, closed: BankClosure) -> None:
    assert SENTENCE not in alice.get("/factures").text


@pytest.mark.parametrize(
    ("sentence", "until", "author"),
    [
        ("", NOW, "Dominique"),
        ("", NOW + timedelta(days=31, seconds=1), "Dominique"),
        ("x" * 301, IN_THREE_HOURS, "Dominique"),
        ("a\nb", IN_THREE_HOURS, "Dominique"),
        ("\x1b[31m", IN_THREE_HOURS, "Dominique"),
        ("", IN_THREE_HOURS, " "),
    ],
)
def test_a_closure_has_an_end_an_author_and_a_sentence_of_one_line(
    empty_database: None, frozen: Clock, sentence: str, until: Any, author: str
) -> None:
    with pytest.raises(Refused):
        payments.close_bank("banque", sentence, until, author)
    assert BankClosure.select().count() == 0


def test_a_bank_that_has_opened_by_itself_is_not_said_to_be_opened(
    closed: BankClosure, frozen: Clock
) -> None:
    assert payments.open_bank("banque")
    assert not payments.open_bank("banque")
    payments.close_bank("banque", "", frozen.at + timedelta(hours=1), "Dominique")
    frozen.advance(hours=2)
    assert not payments.open_bank("banque")
