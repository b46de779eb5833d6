"""A town changes its key while payments are on their way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Handoff
from kiosque import verification
from kiosque.config import Settings
from kiosque.models import Invoice, Notice
from tests.bank import KEY, notice
from tests.conftest import dump

NEW_KEY = "Qd7rVn2LxBw9TgKc4PzMh6Ys"


@pytest.fixture(autouse=True)
def _sound_books(base: None) -> object:
    yield
    assert verification.faults() == []


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
        assert '"clé": "ancienne clé"' in Notice.get().fields
        assert not [key for key in (KEY, NEW_KEY) if key in dump()]

    def test_after_its_day_it_is_refused_kept_in_the_audit_and_sent_again_under_the_new_one(
        self, app: Flask, stranger: FlaskClient, handoff: Handoff, october: Invoice
    ) -> None:
        gateway = app.extensions["gateways"]["banque"]
        gateway._now = lambda: datetime.now(UTC) + timedelta(days=32)
        answer = stranger.post("/paiement/notification/banque", data=notice(handoff, KEY))
        assert answer.status_code == 400
        assert "ancienne clé, qui n’est plus acceptée" in answer.text
        refused = Notice.get()
        assert (refused.accepted, refused.verdict) == (
            False,
            "signée de l’ancienne clé, qui n’est plus acceptée",
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
        said = [row.verdict for row in Notice.select().order_by(Notice.id)]
        assert said == ["enregistré", "déjà connu", "déjà connu"]
