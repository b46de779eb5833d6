"""A family pays by PayFiP: nothing is signed, so only what the service answers counts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from werkzeug.test import TestResponse

from gateways.base import Gateway
from gateways.payfip import soap
from kiosque.db.models import (
    Anomaly,
    Attempt,
    BankMessage,
    Fact,
    Invoice,
    JournalEntry,
    Receipt,
    Settlement,
)
from kiosque.language import clock
from kiosque.papers import content, receipts_and_invoices
from kiosque.payments import bank_messages, reconcile
from kiosque.settings import Payment, Settings
from tests import sentences
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, csrf_token, make_invoice
from tests.payfip import TABLE, answer, created, fault

pytestmark = pytest.mark.usefixtures("sound_books")

NOTIFY = "/paiement/notification/tresor"


class Treasury:
    """The DGFiP's service: what it was told of each idop, and what became of it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.orders: dict[str, dict[str, str]] = {}
        self.asked = 0
        self.refuses: bytes | None = None
        self.result: str | None = None
        self.missing = "P5"

    def post(self, _endpoint: object, _path: str, sent: bytes, *, seconds: float) -> bytes:
        told = {leaf.tag: leaf.text or "" for leaf in etree.fromstring(sent)[0][0][0]}
        if self.refuses:
            return self.refuses
        if "montant" in told:
            idop = f"00000000-0000-4000-8000-{len(self.orders):012d}"
            self.orders[idop] = told
            return created(idop)
        self.asked += 1
        if self.result is None:
            return fault(self.missing)
        order = self.orders[told["idOp"]]
        kept = {name: order[name] for name in ("mel", "montant", "numcli", "refdet", "saisie")}
        at = self.clock.at.astimezone(clock.PARIS) - timedelta(minutes=5)
        return answer(
            "recupererDetailPaiementSecurise",
            dattrans=f"{at:%d%m%Y}",
            heurtrans=f"{at:%H%M}",
            idOp=told["idOp"],
            numauto="112233" if self.result in "PV" else None,
            resultrans=self.result,
            **kept,
        )


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, payment=Payment(gateway="tresor"), gateways={"tresor": TABLE})


@pytest.fixture
def treasury(frozen: Clock, monkeypatch: pytest.MonkeyPatch) -> Treasury:
    service = Treasury(frozen)
    monkeypatch.setattr(soap, "post_soap", service.post)
    return service


@pytest.fixture
def gateway(app: Flask, frozen: Clock) -> Any:
    found = app.extensions["gateways"]["tresor"]
    found._now = lambda: frozen.at
    return found


@pytest.fixture
def go(alice: FlaskClient, treasury: Treasury, gateway: Gateway) -> Callable[..., TestResponse]:
    def confirm(*invoices: Invoice, email: str = "alice@example.org") -> TestResponse:
        query = {"invoice": [invoice.number for invoice in invoices]}
        alice.get("/paiement/recapitulatif", query_string=query)
        data = {
            "csrf_token": csrf_token(alice.get("/famille").text),
            "invoice": query["invoice"],
            "expected_cents": str(sum(invoice.total_cents for invoice in invoices)),
            "email": email,
        }
        return alice.post("/paiement/banque", data=data)

    return confirm


Go = Callable[..., TestResponse]


def notify(client: FlaskClient) -> TestResponse:
    return client.post(NOTIFY, data={"idop": Attempt.get().gateway_reference})


# --- Before leaving ---


def test_the_summary_demands_the_address_and_says_to_whom_it_goes(
    go: Go, alice: FlaskClient, october: Invoice, treasury: Treasury
) -> None:
    page = alice.get(f"/paiement/recapitulatif?invoice={october.number}").text
    assert "(facultatif)" not in page
    assert f"{sentences.EMAIL_SENT_ON} PayFiP" in page
    assert 'maxlength="80" required' in page
    for email in ("", "  ", f"{'a' * 64}@{'b' * 20}.example.org"):
        refused = go(october, email=email)
        assert refused.status_code == 422
        assert 'aria-invalid="true"' in refused.text
    assert sentences.EMAIL_WANTED in go(october, email="").text
    assert treasury.orders == {}
    assert Attempt.select().count() == 0


def test_the_privacy_page_says_that_the_address_goes_to_the_treasury(stranger: FlaskClient) -> None:
    page = stranger.get("/confidentialite").text
    assert f"{sentences.EMAIL_SENT_ON_TOO} PayFiP" in page


def test_an_address_that_payfip_refuses_is_asked_for_again_and_nothing_is_held(
    go: Go, october: Invoice, treasury: Treasury
) -> None:
    treasury.refuses = fault("A2")
    refused = go(october)
    assert refused.status_code == 422
    assert sentences.EMAIL_NOT_TAKEN in refused.text
    assert Attempt.get().state == "cancelled"
    treasury.refuses = None
    assert go(october).status_code == 200


def test_a_service_out_of_order_is_no_refusal(go: Go, october: Invoice, treasury: Treasury) -> None:
    treasury.refuses = fault("999", "TechDysfonctionnementErreur")
    answered = go(october)
    assert answered.status_code == 503
    assert sentences.NOTHING_PAID in answered.text


def test_an_invoice_under_one_euro_is_not_offered_alone(
    go: Go, alice: FlaskClient, october: Invoice, treasury: Treasury
) -> None:
    small = make_invoice(october.family, "SMALL", 99)
    page = alice.get("/paiement/recapitulatif?invoice=SMALL")
    assert page.status_code == 409
    assert "de 1,00\u00a0€ à 9\u202f999,99\u00a0€" in page.text
    assert go(small).status_code == 409
    assert treasury.orders == {}
    assert go(small, october).status_code == 200


# --- The way there ---


def test_the_payer_is_led_to_the_page_by_a_link_followed_once(
    go: Go, october: Invoice, treasury: Treasury
) -> None:
    page = go(october)
    (idop,) = treasury.orders
    link = f'href="https://www.payfip.gouv.fr/tpa/paiementws.web?idop={idop}" data-way-out'
    assert link in page.text
    assert 'method="post" action="https' not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    told = treasury.orders[idop]
    assert told["refdet"] == Attempt.get().reference
    assert told["urlnotif"] == f"{PUBLIC_URL}{NOTIFY}"
    assert told["objet"] == "Facture 2026 10 0001"
    assert told["mel"] == "alice@example.org"


def test_going_back_and_pressing_again_makes_no_second_payment(
    go: Go, october: Invoice, treasury: Treasury
) -> None:
    go(october)
    assert go(october).status_code == 303
    assert len(treasury.orders) == 1


def test_an_identifier_that_another_payment_has_opens_nothing_and_holds_nothing(
    go: Go, october: Invoice, september: Invoice, treasury: Treasury
) -> None:
    assert go(october).status_code == 200
    known = created(str(Attempt.get().gateway_reference))
    treasury.refuses = known
    answered = go(september)
    assert answered.status_code == 503
    assert sentences.BANK_SILENT in answered.text
    assert "paiementws.web" not in answered.text
    last = Attempt.select().order_by(Attempt.id.desc()).get()
    assert (last.state, last.gateway_reference) == ("cancelled", None)
    treasury.refuses = None
    assert go(september).status_code == 200


def test_an_answer_without_a_result_keeps_no_invoice_for_a_week(
    go: Go, stranger: FlaskClient, october: Invoice, treasury: Treasury
) -> None:
    go(october)
    treasury.result = " "
    notify(stranger)
    attempt = Attempt.get()
    assert (attempt.state, attempt.unanswered) == ("handed_off", 1)
    assert attempt.live_until == attempt.started_at + timedelta(minutes=20)
    assert Anomaly.select().count() == 0


# --- What became of it ---


@pytest.mark.parametrize(
    ("result", "state", "invoice"),
    [
        ("P", "paid", "paid"),
        ("V", "paid", "paid"),
        ("R", "refused", "open"),
        ("Z", "refused", "open"),
        ("A", "cancelled", "open"),
    ],
)
def test_a_notification_makes_us_ask_and_the_answer_counts(
    go: Go,
    stranger: FlaskClient,
    october: Invoice,
    treasury: Treasury,
    frozen: Clock,
    result: str,
    state: str,
    invoice: str,
) -> None:
    go(october)
    frozen.advance(minutes=8)
    treasury.result = result
    for _ in range(2):
        answered = notify(stranger)
        assert (answered.status_code, answered.text) == (200, "OK")
    assert Attempt.get().state == state
    assert Invoice.get().state == invoice
    assert Settlement.select().count() == (state == "paid")


def test_a_direct_debit_refused_is_not_said_to_be_a_card(
    go: Go, stranger: FlaskClient, alice: FlaskClient, october: Invoice, treasury: Treasury
) -> None:
    go(october)
    treasury.result = "Z"
    notify(stranger)
    page = alice.get(f"/paiement/retour/{Attempt.get().reference}").text
    assert sentences.PAYMENT_REFUSED in page
    assert sentences.ANOTHER_MEANS in page
    assert "carte" not in page


def test_a_forged_notification_pays_nothing_and_asks_for_nobody_else(
    go: Go, stranger: FlaskClient, october: Invoice, treasury: Treasury
) -> None:
    go(october)
    forged = {"idop": "f" * 8 + "-0000-4000-8000-" + "0" * 12, "resultrans": "P"}
    assert stranger.post(NOTIFY, data=forged).status_code == 200
    assert treasury.asked == 0
    for data in ({"idop": "x"}, {"idOp": ["a", "b"]}, {}):
        assert stranger.post(NOTIFY, data=data).status_code == 400
    assert notify(stranger).status_code == 200
    assert treasury.asked == 1
    assert (Attempt.get().state, Invoice.get().state) == ("handed_off", "open")


def test_a_message_that_anyone_may_write_is_kept_for_a_time_only(
    go: Go, stranger: FlaskClient, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(october)
    monkeypatch.setattr(bank_messages, "ROWS_AN_HOUR", 3)
    for _ in range(5):
        stranger.post(NOTIFY, data={"idop": "f" * 8 + "-0000-4000-8000-" + "0" * 12})
        notify(stranger)
    rows = [(row.verdict, row.accepted) for row in BankMessage.select().order_by(BankMessage.id)]
    assert rows == [("unknown_order", False), ("to_confirm", False)] * 3


def test_a_payer_sent_back_by_a_form_finds_the_page_of_the_payment(
    go: Go, alice: FlaskClient, october: Invoice, treasury: Treasury
) -> None:
    go(october)
    treasury.result = "P"
    attempt = Attempt.get()
    address = f"/paiement/retour/{attempt.reference}"
    sent = alice.post(address, data={"idop": attempt.gateway_reference, "resultrans": "R"})
    assert (sent.status_code, sent.location) == (303, address)
    assert Attempt.get().state == "handed_off"
    assert alice.post("/paiement/retour/inconnu").status_code == 404
    assert sentences.PAID in alice.get(sent.location).text
    assert Invoice.get().state == "paid"


def run(app: Flask) -> reconcile.Summary:
    return reconcile.run(app.extensions["gateways"], PUBLIC_URL, ISSUERS)


def test_a_notification_that_never_comes_is_made_good_by_asking(
    go: Go, app: Flask, october: Invoice, treasury: Treasury, frozen: Clock
) -> None:
    go(october)
    frozen.advance(minutes=2, seconds=59)
    assert run(app).answered == 0
    frozen.advance(seconds=1)
    treasury.result = "P"
    assert run(app).answered == 1
    assert Invoice.get().state == "paid"


def test_a_result_unknown_for_twenty_minutes_frees_the_invoice_and_still_counts_a_day_later(
    go: Go, app: Flask, october: Invoice, treasury: Treasury, frozen: Clock
) -> None:
    go(october)
    for _ in range(20):
        assert Attempt.get().state == "handed_off"
        assert go(october).status_code == 303
        frozen.advance(minutes=1)
        run(app)
    assert Attempt.get().state == "expired"
    assert go(october).status_code == 200
    frozen.advance(hours=24)
    treasury.result = "P"
    run(app)
    first, second = Attempt.select().order_by(Attempt.id)
    assert (first.state, second.state) == ("paid", "paid")
    assert Invoice.get().state == "paid"
    assert Anomaly.select().where(Anomaly.kind == "overpayment").count() == 1


def test_a_service_out_of_order_frees_nothing(
    go: Go, app: Flask, october: Invoice, treasury: Treasury, frozen: Clock
) -> None:
    go(october)
    treasury.refuses = fault("999", "TechDysfonctionnementErreur")
    for _ in range(5):
        frozen.advance(minutes=5)
        run(app)
    assert Attempt.get().state == "handed_off"
    treasury.refuses = None
    assert go(october).status_code == 200
    assert [each.state for each in Attempt.select().order_by(Attempt.id)] == [
        "expired",
        "handed_off",
    ]


def test_an_identifier_unknown_within_minutes_frees_nothing_until_the_night_has_passed(
    go: Go, app: Flask, october: Invoice, treasury: Treasury, frozen: Clock
) -> None:
    go(october)
    treasury.missing = "P1"
    frozen.advance(hours=2)
    run(app)
    assert Attempt.get().state == "handed_off"
    frozen.advance(hours=14)
    run(app)
    assert Attempt.get().state == "expired"


def test_a_result_that_nobody_knows_is_told_and_never_paid(
    go: Go, stranger: FlaskClient, october: Invoice, treasury: Treasury
) -> None:
    go(october)
    treasury.result = "Q"
    notify(stranger)
    assert (Attempt.get().state, Invoice.get().state) == ("pending", "open")
    assert sentences.UNKNOWN_RESULT in Anomaly.get().detail


def test_an_abandonment_then_paid_is_paid(
    go: Go, app: Flask, october: Invoice, treasury: Treasury, frozen: Clock
) -> None:
    go(october)
    frozen.advance(minutes=9)
    treasury.result = "A"
    run(app)
    assert Attempt.get().state == "cancelled"
    frozen.advance(minutes=6)
    treasury.result = "P"
    run(app)
    assert (Attempt.get().state, Invoice.get().state) == ("paid", "paid")
    assert Fact.select().where(Fact.state == "paid").count() == 1


# --- A direct debit is no card ---


@pytest.mark.parametrize(
    ("result", "mode", "words", "label"),
    [
        ("P", "card", "Carte bancaire en ligne", "paiement en ligne"),
        ("V", "direct_debit", "Prélèvement, autorisé en ligne", "prélèvement en ligne"),
    ],
)
def test_the_receipt_and_the_journal_say_what_was_paid_with(
    go: Go,
    alice: FlaskClient,
    october: Invoice,
    treasury: Treasury,
    settings: Settings,
    result: str,
    mode: str,
    words: str,
    label: str,
) -> None:
    go(october)
    treasury.result = result
    notify(alice)
    assert Settlement.get().mode == mode
    assert f"<dt>Mode</dt><dd>{words}</dd>" in alice.get(f"/recus/{Receipt.get().id}").text
    assert words in receipts_and_invoices._card(content.receipt_document(Receipt.get()))
    assert {entry.label for entry in JournalEntry.select()} == {label}
