"""A bank's message reaches its gateway as it came: bounded in size, and in nothing else."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import BadCallback, Callback, Gateway, Handoff, Outcome, Report
from kiosque.db.models import BankMessage, Invoice
from kiosque.web.limits import MAX_REQUEST_BYTES
from tests.kiosque.payments.conftest import state_of
from tests.kiosque.web.views.test_payment import Pay

NOTIFY = "/paiement/notification/banque"


@dataclass
class JsonBank:
    """A gateway that believes all JSON, and keeps what it was given."""

    name: str = "banque"
    given: list[Callback] = field(default_factory=list)

    def read_notification(self, callback: Callback) -> Report:
        self.given.append(callback)
        told: dict[str, Any] = callback.json() if callback.body else callback.parameters()
        if "order" not in told:
            raise BadCallback("commande absente")
        return Report(
            told["order"], Outcome.PAID, int(told["cents"]), "EUR", "T1", told["reference"]
        )


@pytest.fixture
def bank(app: Flask, monkeypatch: pytest.MonkeyPatch, gateway: Gateway) -> JsonBank:
    found = JsonBank()
    monkeypatch.setattr("kiosque.web.current.gateways", lambda: {"banque": found})
    return found


def paid(handoff: Handoff) -> dict[str, Any]:
    sent = dict(handoff.fields or ())
    return {
        "order": sent["vads_order_id"],
        "cents": 4520,
        "reference": handoff.gateway_reference,
    }


def test_a_json_notice_reaches_its_gateway_and_pays(
    bank: JsonBank, stranger: FlaskClient, pay: Pay, october: Invoice
) -> None:
    _, handoff = pay(october.family, october)
    answer = stranger.post(f"{NOTIFY}?a=%C3%A9&a=2", json=paid(handoff), headers={"X-Sceau": "abc"})
    assert (answer.status_code, state_of(october)) == (200, "paid")
    (callback,) = bank.given
    assert (callback.method, callback.query) == ("POST", "a=%C3%A9&a=2")
    assert callback.header("x-sceau") == "abc"
    assert callback.json() == paid(handoff)


def test_a_notice_by_get_reaches_its_gateway_and_pays(
    bank: JsonBank, stranger: FlaskClient, pay: Pay, october: Invoice
) -> None:
    _, handoff = pay(october.family, october)
    assert stranger.get(NOTIFY, query_string=paid(handoff)).status_code == 200
    assert state_of(october) == "paid"


@pytest.mark.parametrize("body", [b"\xff\x00\x1f\x8b", b"a=1&a=2&" * 2000, b"<xml/>", b"[1]"])
@pytest.mark.parametrize("kind", ["", "text/xml", "application/json", "multipart/form-data"])
def test_whatever_comes_is_given_to_the_byte_and_refused_by_the_gateway_alone(
    bank: JsonBank, stranger: FlaskClient, empty_database: None, body: bytes, kind: str
) -> None:
    answer = stranger.post(NOTIFY, data=body, content_type=kind)
    assert answer.status_code == 400
    assert bank.given[-1].body == body
    assert BankMessage.get().verdict == "rejected"


def test_only_what_is_too_long_never_reaches_the_gateway(
    bank: JsonBank, stranger: FlaskClient, empty_database: None
) -> None:
    assert stranger.post(NOTIFY, data=b"x" * (MAX_REQUEST_BYTES + 1)).status_code == 413
    assert bank.given == []


def test_a_refused_json_notice_leaves_the_names_of_its_members_and_no_value(
    bank: JsonBank, stranger: FlaskClient, empty_database: None
) -> None:
    assert stranger.post(NOTIFY, json={"id": "secret", "n" * 40: 1}).status_code == 400
    row = BankMessage.get()
    assert row.detail == "commande absente"
    assert "id " + "n" * 30 in row.fields
    assert "secret" not in row.fields


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_no_other_method_is_a_notice(
    bank: JsonBank, stranger: FlaskClient, empty_database: None, method: str
) -> None:
    assert stranger.open(NOTIFY, method=method).status_code == 405
    assert bank.given == []


def test_asking_for_the_headers_alone_proves_nothing(
    bank: JsonBank, stranger: FlaskClient, pay: Pay, october: Invoice
) -> None:
    _, handoff = pay(october.family, october)
    assert stranger.head(NOTIFY, query_string=paid(handoff)).status_code == 400
    assert state_of(october) == "open"
