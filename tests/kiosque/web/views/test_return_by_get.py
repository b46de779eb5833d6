"""A bank that sends its answer back by the payer's browser, in the address: it is not read, it goes
nowhere, and played again as a notice it proves nothing."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Gateway, Handoff
from gateways.lyra import rest
from kiosque.db.models import Attempt, BankMessage, Family, Invoice
from kiosque.payments.orders import order_of
from kiosque.settings import Settings
from tests import sentences
from tests.bank import (
    ABANDONED,
    KEY,
    REFUSED,
    envelope,
    error_envelope,
    notice,
    order_answer,
    transaction,
)
from tests.conftest import dump
from tests.gateways.test_lyra_page import typed_into

NOTIFY = "/paiement/notification/banque"
PASSWORD = "testpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
Pay = Callable[..., tuple[Attempt, Handoff]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    table = {
        **settings.gateways["banque"],
        "password": PASSWORD,
        "confirm": True,
        "return_mode": "GET",
    }
    return replace(settings, gateways={"banque": table})


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record each question to the bank, which knows of no payment."""
    found: list[str] = []

    def know_nothing(_endpoint: object, path: str, _body: object, **_: object) -> dict[str, Any]:
        found.append(path)
        return error_envelope("Order/Get", "PSP_010")

    monkeypatch.setattr(rest, "post_json", know_nothing)
    return found


@pytest.fixture
def confirm(monkeypatch: pytest.MonkeyPatch) -> Callable[[Attempt], None]:
    """Have the bank say, when asked, that it took the payer's money."""

    def know(attempt: Attempt) -> None:
        order = order_of(Attempt.get_by_id(attempt.id), "https://kiosque.example.org")
        told = envelope("Order/Get", order_answer(order, transaction(order)))
        monkeypatch.setattr(rest, "post_json", lambda *_, **__: told)

    return know


def brought_back(handoff: Handoff, **changes: str | None) -> dict[str, str]:
    """The fields of the address, signed by the bank."""
    return notice(handoff, **{"hash": None, "url_check_src": None, **changes})


def test_the_form_asks_for_it(pay: Pay, alices_family: Family, october: Invoice) -> None:
    _, handoff = pay(alices_family, october)
    assert dict(handoff.fields or ())["vads_return_mode"] == "GET"


@pytest.mark.parametrize("end", [{}, REFUSED, ABANDONED])
def test_the_address_is_left_at_once_for_one_that_holds_nothing(
    alice: FlaskClient,
    stranger: FlaskClient,
    charlie: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    asked: list[str],
    caplog: pytest.LogCaptureFixture,
    end: dict[str, str | None],
) -> None:
    caplog.set_level(logging.DEBUG)
    attempt, handoff = pay(alices_family, october)
    address, fields = f"/paiement/retour/{attempt.reference}", brought_back(handoff, **end)
    before = dump()
    for client in (alice, stranger, charlie):
        answer = client.get(f"{address}?{urlencode(fields)}")
        assert (answer.status_code, answer.location) == (302, address)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        said = answer.text.replace(attempt.reference, "")
        assert not [value for value in fields.values() if len(value) > 5 and value in said]
    assert dump() == before
    assert asked == []
    kept = caplog.text.replace(attempt.reference, "")
    assert not [
        value
        for name, value in fields.items()
        if name not in dict(handoff.fields or ()) and len(value) > 5 and value in kept
    ]


def test_the_page_behind_says_what_we_know_and_not_what_the_address_said(
    alice: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    query = urlencode(brought_back(handoff))
    page = alice.get(f"/paiement/retour/{attempt.reference}?{query}", follow_redirects=True)
    assert page.request.query_string == b""
    assert sentences.WAITING in page.text
    assert Attempt.get_by_id(attempt.id).state == "handed_off"


@pytest.mark.parametrize("query", ["x=1", "essai=1&signature=a", "vads_amount", "%00=1", "é=é"])
def test_whatever_is_in_the_address_but_our_own_is_dropped(
    alice: FlaskClient, pay: Pay, alices_family: Family, october: Invoice, query: str
) -> None:
    attempt, _ = pay(alices_family, october)
    address = f"/paiement/retour/{attempt.reference}"
    assert alice.get(f"{address}?{query}").location == address
    assert alice.get(f"{address}?essai=1").status_code == 200


def test_the_answer_of_an_unknown_payment_is_not_found_and_not_logged(
    alice: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = alice.get("/paiement/retour/KFabsent?vads_card_number=497010XXXXXX0001")
    assert answer.status_code == 404
    assert "497010" not in answer.text + caplog.text


# --- Played again as a notice ---


@pytest.mark.parametrize("end", [{}, REFUSED, ABANDONED])
def test_posted_as_a_notice_it_is_refused_and_changes_nothing(
    stranger: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    end: dict[str, str | None],
) -> None:
    attempt, handoff = pay(alices_family, october)
    answer = stranger.post(NOTIFY, data=brought_back(handoff, **end))
    assert (answer.status_code, answer.text) == (
        400,
        f"KO vads_hash {sentences.ABSENT_OR_MALFORMED}",
    )
    assert Attempt.get_by_id(attempt.id).state == "handed_off"
    assert [(row.accepted, row.reference) for row in BankMessage.select()] == [(False, "")]


def test_a_forgery_made_of_it_pays_nothing_since_the_bank_does_not_confirm_it(
    stranger: FlaskClient, pay: Pay, alices_family: Family, october: Invoice, asked: list[str]
) -> None:
    """Whatever is typed on the bank's page comes back signed; renamed, it is a notification."""
    attempt, handoff = pay(alices_family, october)
    forged = typed_into(brought_back(handoff), notice(handoff))
    assert stranger.post(NOTIFY, data=forged).status_code == 200
    assert asked == ["/api-payment/V4/Order/Get"]
    assert Attempt.get_by_id(attempt.id).state == "handed_off"
    assert Invoice.get_by_id(october.id).state == "open"


def test_the_same_forgery_pays_where_the_bank_is_not_asked(
    app: Flask,
    gateway: Any,
    stranger: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
) -> None:
    """The negative control: settings refuse to start so."""
    credulous: Gateway = type(gateway)("banque", "", replace(gateway._shop, confirm=False))
    app.extensions["gateways"]["banque"] = credulous
    attempt, handoff = pay(alices_family, october)
    forged = typed_into(brought_back(handoff), notice(handoff))
    assert stranger.post(NOTIFY, data=forged).status_code == 200
    assert Attempt.get_by_id(attempt.id).state == "paid"
    assert Invoice.get_by_id(october.id).state == "paid"


def test_a_true_notice_pays_once_the_bank_confirms_it(
    stranger: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    confirm: Callable[[Attempt], None],
) -> None:
    attempt, handoff = pay(alices_family, october)
    confirm(attempt)
    assert stranger.post(NOTIFY, data=notice(handoff)).status_code == 200
    assert Attempt.get_by_id(attempt.id).state == "paid"


def test_a_refund_forged_of_it_gives_nothing_back(
    stranger: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    confirm: Callable[[Attempt], None],
) -> None:
    attempt, handoff = pay(alices_family, october)
    confirm(attempt)
    stranger.post(NOTIFY, data=notice(handoff))
    for said in (
        {"trans_status": "CANCELLED"},
        {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "a" * 32},
    ):
        forged = typed_into(brought_back(handoff), notice(handoff, **said))
        assert stranger.post(NOTIFY, data=forged).status_code == 200
        assert Invoice.get_by_id(october.id).state == "paid"


def test_the_bank_keys_are_those_of_the_stage(settings: Settings) -> None:
    """Else each refusal above would be for its signature alone."""
    assert settings.gateways["banque"]["key"] == KEY
