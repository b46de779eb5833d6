"""Canaries: secrets of every kind go through a whole journey, with its failures, and are then
looked for everywhere they must not be."""

import logging
import re
import smtplib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, Response
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from gateways.sandbox import notifications, server
from kiosque import create_app
from kiosque.db import write
from kiosque.db.models import Family, Guardian, Invoice
from kiosque.families import accounts, own_changes, tokens
from kiosque.language import clock
from kiosque.mails import delivery
from kiosque.settings import Settings
from tests.conftest import choose_password, csrf_token, dump
from tests.stage import OPEN, Stage

SECRET_KEY = "canari-cle-Jm5vXqT9rWz8LkPn4sYb7HdGc3FaEu"
BANK_KEY = "CanariBanque0123456789abcdefGHIJ"
SMTP_PASSWORD = "canari-smtp-wLz3RvT6nKp2M"
PASSWORD = "canari une phrase de famille"
NEW_PASSWORD = "canari une autre phrase encore"
WRONG_PASSWORD = "canari mot de passe d’une autre"
#: A password typed in the wrong field: shown again to whoever typed it, and kept nowhere.
MISPLACED = "canari dans le champ du code"
TOKEN = "canari-jeton-d-activation-Bd5yHs9J"
CARD = "4970100000000000"
CANARIES = (SECRET_KEY, BANK_KEY, SMTP_PASSWORD, PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, TOKEN)


@dataclass
class Trail:
    """Keep all that the site said, to browsers and to the bank."""

    pages: list[str] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)

    def follow(self, app: Flask) -> None:
        @app.after_request
        def keep(response: Response) -> Response:
            if not response.direct_passthrough:
                self.pages.append(response.get_data(as_text=True))
            self.headers.append(response.headers)
            return response

    def addresses(self) -> list[str]:
        return [headers.get("Location", "") for headers in self.headers]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    bank = dict(settings.gateways["banque"], key=BANK_KEY)
    smtp = replace(settings.mail, host="127.0.0.1", username="kiosque", password=SMTP_PASSWORD)
    return replace(settings, secret_key=SECRET_KEY, gateways={"banque": bank}, mail=smtp)


@pytest.fixture
def trail(app: Flask) -> Trail:
    found = Trail()
    found.follow(app)
    return found


@pytest.fixture
def bank(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, app: Flask, frozen: Any) -> FlaskClient:
    """The mock bank, whose notices reach the site."""
    monkeypatch.setenv("SANDBOX_KEY", BANK_KEY)
    monkeypatch.setenv("SANDBOX_NOTIFY_URL", "http://127.0.0.1:8000/paiement/notification/banque")
    monkeypatch.setenv("SANDBOX_DATABASE", str(tmp_path / "bank.sqlite3"))

    def post(_self: object, _url: str, *, data: dict[str, str], **_options: object) -> Any:
        return app.test_client().post("/paiement/notification/banque", data=data)

    monkeypatch.setattr(notifications.requests.Session, "post", post)
    frozen.at = datetime.now(UTC)  # the bank's own clock is the machine's
    return server.create_bank().test_client()


def send(client: FlaskClient, address: str, **fields: str) -> Any:
    token = csrf_token(client.get("/connexion").text) or csrf_token(client.get("/compte").text)
    return client.post(address, data={**fields, "csrf_token": token})


def pay_by_card(client: FlaskClient, bank: FlaskClient) -> None:
    """From the summary to the bank's page, and the card typed there."""
    page = client.get(f"/paiement/recapitulatif?invoice={OPEN}").text
    cents = re.search(r'name="expected_cents" value="(\d+)"', page)[1]
    data = {"csrf_token": csrf_token(page), "invoice": OPEN, "expected_cents": cents, "email": ""}
    form = client.post("/paiement/banque", data={**data, "email": "alice@example.org"}).text
    fields = dict(re.findall(r'name="((?:vads_\w+|signature))" value="([^"]*)"', form))
    opened = bank.post("/vads-payment/", data=fields)
    bank.post(f"{opened.location}/carte", data={"card": CARD})
    client.get(re.search(r"/paiement/retour/\w+", fields["vads_url_return"])[0])


def fail_in_every_way(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong passwords, expired pages, forged notices, unknown tokens, faults of ours."""
    stranger = app.test_client()
    for code in ("F1001", "F2002", "F9999", MISPLACED):
        send(stranger, "/connexion", code=code, password=WRONG_PASSWORD)
    stranger.post("/connexion", data={"code": "F1001", "password": WRONG_PASSWORD})
    stranger.get(f"/activation/{TOKEN}")
    stranger.get(f"/connexion?token={TOKEN}")
    stranger.post("/paiement/notification/banque", data={"vads_card_number": CARD, "key": TOKEN})
    client.get("/factures", headers={"Cookie": f"kiosque={TOKEN}"})

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "verify_password", broken)
        fault = send(client, "/compte/mot-de-passe", current=PASSWORD, new=NEW_PASSWORD)
        assert fault.status_code == 500
        patch.setattr(accounts, "authenticate", broken)
        assert send(stranger, "/connexion", code="F3003", password=PASSWORD).status_code == 500
    send(client, "/compte/mot-de-passe", current=WRONG_PASSWORD, new=NEW_PASSWORD)
    changed = send(client, "/compte/mot-de-passe", current=PASSWORD, new=NEW_PASSWORD)
    assert changed.status_code == 302


def come_in_by_code_and_by_link(app: Flask, family: Family) -> list[str]:
    """Open the account with a letter's code, then with a mail's link. Returns both secrets."""
    code = "canar-codew-5n8rt"
    own_changes.issue_codes([(family, code)])
    newcomer = app.test_client()
    fields = {"code": family.code, "activation": code, "new": NEW_PASSWORD}
    assert send(newcomer, "/activer", **fields).location == "/factures"
    Guardian.create(family=family, first_name="", last_name="", email="alice@example.org")
    with write():
        token = tokens.prepare_link(tokens.Purpose.RESET, family, "alice@example.org")
    secret = tokens.draw_link(token.id)
    assert secret
    forgetful = app.test_client()
    assert forgetful.get(f"/lien/{secret}").location == "/mot-de-passe/nouveau"
    page = forgetful.get("/mot-de-passe/nouveau").text
    fields = {"new": PASSWORD, "csrf_token": csrf_token(page)}
    assert forgetful.post("/mot-de-passe/nouveau", data=fields).location == "/factures"
    assert forgetful.get(f"/lien/{secret}").status_code == 404
    return [code, code.replace("-", ""), secret]


def refuse_mail(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail server refuses the password, and quotes it."""

    class Refusing(smtplib.SMTP):
        def connect(self, *_: object, **__: object) -> tuple[int, bytes]:
            return 220, b"ready"

        def starttls(self, **_: object) -> tuple[int, bytes]:
            return 220, b"go on"

        def login(self, *_: object, **__: object) -> tuple[int, bytes]:
            raise smtplib.SMTPAuthenticationError(535, SMTP_PASSWORD.encode())

    monkeypatch.setattr(delivery.smtplib, "SMTP", Refusing)
    assert delivery.deliver(settings)[1] >= 1


def test_no_secret_reaches_a_log_a_page_an_address_or_the_database(
    app: Flask,
    stage: Stage,
    settings: Settings,
    alices_family: Family,
    bank: FlaskClient,
    trail: Trail,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    accounts.issue_password(alices_family, must_change=False)
    choose_password(alices_family, PASSWORD)
    client = app.test_client()
    assert send(client, "/connexion", code="F1001", password=PASSWORD).status_code == 302
    cookie = client.get_cookie("kiosque").value
    number = SecureCookieSessionInterface().get_signing_serializer(app).loads(cookie)["_user_id"]
    for address in ("/factures", "/famille", "/compte", f"/factures/{OPEN}", "/recus/1"):
        assert client.get(address).status_code == 200
    pay_by_card(client, bank)
    assert Invoice.get(Invoice.number == OPEN).state == "paid"
    fail_in_every_way(client, app, monkeypatch)
    refuse_mail(settings, monkeypatch)
    send(client, "/deconnexion")
    secrets = come_in_by_code_and_by_link(app, alices_family)

    base = dump()
    kept = "\n".join(path.read_text("utf-8", "replace") for path in settings.data.rglob("*.eml"))
    said = "\n".join([*trail.pages, *trail.addresses()])
    # The search looks where it should: these do appear.
    assert "INSERT INTO" in caplog.text
    assert "Martin" in said
    assert "F1001" in base
    assert "error 500" in caplog.text
    assert "0000" in base  # of the card, its last four digits
    for canary in (*CANARIES, *secrets, CARD, cookie, number):
        for place in (caplog.text, said, base, kept):
            assert canary not in place, canary
    assert MISPLACED not in caplog.text + base


def test_an_app_shows_no_secret_of_its_settings(
    settings: Settings, empty_database: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = create_app(settings)
    shown = repr(settings) + repr(app.extensions) + caplog.text + str(clock.now())
    assert not [canary for canary in CANARIES if canary in shown]
