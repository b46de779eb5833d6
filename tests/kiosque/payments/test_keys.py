"""A town changes its key while payments are on their way."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Handoff
from gateways.sandbox.server import create_bank
from kiosque import create_app
from kiosque.db.models import BankMessage, Invoice
from kiosque.payments import Purchase, start
from kiosque.settings import Settings
from tests import sentences
from tests.bank import KEY, notice
from tests.conftest import PUBLIC_URL, dump, make_family, make_invoice

pytestmark = pytest.mark.usefixtures("sound_books")

NEW_KEY = "Qd7rVn2LxBw9TgKc4PzMh6Ys"


class TestKey:
    """The town installs the new key while a form signed with the old one is on a screen."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
        changed = {"key": NEW_KEY, "previous_key": KEY, "previous_key_until": until}
        table = {**settings.gateways["banque"], **changed}
        return replace(settings, gateways={"banque": table})

    @pytest.fixture
    def handoff(self, pay: Any, alices_family: Any, october: Invoice) -> Handoff:
        handoff: Handoff = pay(alices_family, october)[1]
        return handoff

    def test_a_notice_of_the_old_key_pays_and_the_audit_says_which_key(
        self, stranger: FlaskClient, handoff: Handoff, october: Invoice
    ) -> None:
        answer = stranger.post("/paiement/notification/banque", data=notice(handoff, KEY))
        assert (answer.status_code, answer.text) == (200, "OK")
        assert Invoice.get_by_id(october.id).state == "paid"
        assert BankMessage.get().signing_key == "previous"
        assert not [key for key in (KEY, NEW_KEY) if key in dump()]

    def test_after_its_day_it_is_refused_kept_in_the_audit_and_sent_again_under_the_new_one(
        self, app: Flask, stranger: FlaskClient, handoff: Handoff, october: Invoice
    ) -> None:
        gateway = app.extensions["gateways"]["banque"]
        gateway._now = lambda: datetime.now(UTC) + timedelta(days=32)
        answer = stranger.post("/paiement/notification/banque", data=notice(handoff, KEY))
        assert answer.status_code == 400
        assert sentences.OLD_KEY in answer.text
        refused = BankMessage.get()
        assert (refused.accepted, refused.signing_key, refused.detail) == (
            False,
            None,
            f"signée de l’{sentences.OLD_KEY}",
        )
        assert Invoice.get_by_id(october.id).state == "open"
        again = stranger.post("/paiement/notification/banque", data=notice(handoff, NEW_KEY))
        assert again.status_code == 200
        assert Invoice.get_by_id(october.id).state == "paid"
        assert not [key for key in (KEY, NEW_KEY) if key in dump()]

    def test_the_same_payment_told_under_both_keys_counts_once(
        self, stranger: FlaskClient, handoff: Handoff, october: Invoice
    ) -> None:
        for key in (KEY, NEW_KEY, KEY):
            stranger.post("/paiement/notification/banque", data=notice(handoff, key))
        said = [row.verdict for row in BankMessage.select().order_by(BankMessage.id)]
        assert said == ["recorded", "known", "known"]


# --- With the mock bank, from end to end ---


def with_key_of(bank: FlaskClient, settings: Settings) -> Settings:
    """The settings of a town that has installed the bank's new key and keeps the old for a week."""
    until = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
    key = bank.application.extensions["bank"].key().decode()
    changed = {"key": key, "previous_key": KEY, "previous_key_until": until}
    return replace(settings, gateways={"banque": {**settings.gateways["banque"], **changed}})


def test_the_bank_changes_its_key_while_a_payer_is_on_its_page(
    empty_database: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page was opened under the old key; the result is signed by the new one, which the town
    installs only afterwards."""
    town: list[Flask] = [create_app(settings)]

    def post(_self: object, url: str, *, data: dict[str, str], **_: Any) -> Any:
        answer = town[0].test_client().post(urlsplit(url).path, data=data)
        return SimpleNamespace(status_code=answer.status_code, text=answer.text)

    monkeypatch.setattr("gateways.sandbox.notifications.requests.Session.post", post)
    monkeypatch.setenv("SANDBOX_KEY", KEY)
    monkeypatch.setenv("SANDBOX_NOTIFY_URL", f"{PUBLIC_URL}/paiement/notification/banque")
    monkeypatch.setenv("SANDBOX_DATABASE", str(tmp_path / "bank.sqlite3"))
    bank = create_bank().test_client()
    family = make_family("F1001", "Martin")
    invoices = [make_invoice(family, number) for number in ("A", "B")]

    def go(invoice: Invoice) -> dict[str, str]:
        purchase = Purchase(family, [invoice.number], invoice.total_cents)
        gateway = town[0].extensions["gateways"]["banque"]
        return dict(start(purchase, gateway, PUBLIC_URL)[1].fields or ())

    page = bank.post("/vads-payment/", data=go(invoices[0])).location
    bank.post("/cle")
    bank.post(f"{page}/carte", data={"card": "4970100000000000"})
    assert [row.detail for row in BankMessage.select()] == ["signature fausse"]
    refused = bank.post("/vads-payment/", data=go(invoices[1]))
    assert (refused.status_code, "00" in refused.text) == (400, True)

    town[0] = create_app(with_key_of(bank, settings))
    (resend,) = re.findall(r'action="(/operations/\w+/resend)"', bank.get("/").text)
    bank.post(resend)
    assert Invoice.get(Invoice.number == "A").state == "paid"
    last = BankMessage.select().order_by(BankMessage.id.desc()).get()
    assert last.signing_key == "current"
