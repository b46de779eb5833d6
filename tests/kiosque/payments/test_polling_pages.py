"""A parent who comes back, or whose notice must be confirmed, makes the site ask the bank."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Gateway, Handoff, Order, Report, Unreachable
from kiosque import payments
from kiosque.db.models import (
    Anomaly,
    Attempt,
    BankMessage,
    Family,
    Invoice,
)
from kiosque.payments import Purchase, checkout, reconcile
from kiosque.payments.reconcile import Summary
from tests import sentences
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, csrf_token, make_invoice
from tests.kiosque.payments.conftest import Pay, state_of
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")

Run = Callable[..., Summary]


@pytest.fixture
def run(bank: TalkativeBank) -> Run:
    """The timer's call."""
    return lambda **options: reconcile.run({bank.name: bank}, PUBLIC_URL, ISSUERS, **options)


# --- On the pages ---


@pytest.fixture
def asked_app(app: Flask, bank: TalkativeBank) -> Flask:
    app.extensions["gateways"]["banque"] = bank
    return app


def test_a_parent_back_before_the_notice_makes_us_ask_once(
    asked_app: Flask, alice: FlaskClient, go: Pay, bank: TalkativeBank, october: Invoice
) -> None:
    attempt, handoff = go(october)
    bank.answers = [[bank.report(handoff)]]
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert sentences.PAID in page
    alice.get(f"/paiement/retour/{attempt.reference}")
    assert len(bank.asked) == 1


def test_a_page_that_refreshes_itself_does_not_ask_each_time(
    asked_app: Flask,
    alice: FlaskClient,
    go: Pay,
    bank: TalkativeBank,
    frozen: Clock,
    october: Invoice,
) -> None:
    attempt, _ = go(october)
    for _ in range(10):
        page = alice.get(f"/paiement/retour/{attempt.reference}").text
        assert sentences.WAITING in page
        frozen.advance(seconds=3)
    assert len(bank.asked) == 2


def test_a_bank_that_does_not_answer_breaks_no_page(
    asked_app: Flask, alice: FlaskClient, go: Pay, bank: TalkativeBank, october: Invoice
) -> None:
    attempt, _ = go(october)
    bank.answers = [Unreachable("panne")]
    answer = alice.get(f"/paiement/retour/{attempt.reference}")
    assert answer.status_code == 200
    assert sentences.WAITING in answer.text


def test_a_slow_bank_takes_few_of_the_sites_threads(
    asked_app: Flask,
    go: Pay,
    bank: TalkativeBank,
    alices_family: Family,
) -> None:
    """While two visitors wait for the bank, the third has a page at once; then asks again."""
    attempts = [go(make_invoice(alices_family, f"N{n}"))[0] for n in range(4)]
    address = "/paiement/retour/{}".format
    deep: list[int] = []
    poll = bank.poll

    def slowly(order: Order) -> list[Report]:
        deep.append(len(deep))
        if len(deep) < len(attempts):
            page = asked_app.test_client().get(address(attempts[len(deep)].reference))
            assert sentences.WAITING in page.text
        return poll(order)

    bank.poll = slowly  # type: ignore[method-assign]
    asked_app.test_client().get(address(attempts[0].reference))
    assert len(deep) == 2
    asked_app.test_client().get(address(attempts[2].reference))
    assert len(deep) == 4


def test_a_bank_slow_to_open_payments_takes_few_of_the_sites_threads(
    go: Pay, bank: TalkativeBank, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While four payers wait for it, the fifth is told at once; once they are through, no more."""
    monkeypatch.setattr(checkout, "DOOR_SECONDS", 0)
    invoices = [make_invoice(alices_family, f"N{n}") for n in range(6)]
    begin = bank.start

    def slowly(order: Order) -> Handoff:
        waiting = Attempt.select().where(Attempt.state == "created").count()
        if waiting <= checkout.STARTS_AT_ONCE:
            go(invoices[waiting])
        return begin(order)

    bank.start = slowly  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match=sentences.CROWD):
        go(invoices[0])
    assert Attempt.select().where(Attempt.state == "cancelled").count() == 5
    bank.start = begin  # type: ignore[method-assign]
    assert state_of(go(invoices[5])[0]) == "handed_off"


def test_who_pays_at_another_bank_does_not_wait_for_the_slow_one(
    bank: TalkativeBank, gateway: Gateway, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "DOOR_SECONDS", 0)
    other = TalkativeBank(gateway)
    other.name = "autre"
    begin = bank.start

    def open_at(bank: TalkativeBank, name: str) -> Attempt:
        invoice = make_invoice(alices_family, name)
        return payments.start(
            Purchase(alices_family, [name], invoice.total_cents), bank, PUBLIC_URL
        )[0]

    def slowly(order: Order) -> Handoff:
        waiting = Attempt.select().where(Attempt.state == "created").count()
        if waiting < checkout.STARTS_AT_ONCE:
            open_at(bank, f"N{waiting}")
        else:
            assert state_of(open_at(other, "autre")) == "handed_off"
        return begin(order)

    bank.start = slowly  # type: ignore[method-assign]
    open_at(bank, "N0")
    assert Attempt.select().where(Attempt.state == "handed_off").count() == 5


def test_the_summary_asks_about_the_payment_that_holds_the_invoice(
    asked_app: Flask, alice: FlaskClient, go: Pay, bank: TalkativeBank, october: Invoice
) -> None:
    attempt, handoff = go(october)
    bank.answers = [[bank.report(handoff)]]
    answer = alice.get(f"/paiement/recapitulatif?invoice={october.number}")
    assert answer.location == f"/paiement/retour/{attempt.reference}"
    assert state_of(attempt) == "paid"


def test_charlie_makes_us_ask_nothing_about_alices_invoice(
    asked_app: Flask, charlie: FlaskClient, go: Pay, bank: TalkativeBank, october: Invoice
) -> None:
    go(october)
    charlie.get(f"/paiement/recapitulatif?invoice={october.number}")
    form = {"invoice": october.number, "expected_cents": "4520"}
    token = csrf_token(charlie.get("/compte").text)
    charlie.post("/paiement/banque", data={**form, "csrf_token": token})
    assert bank.asked == []


# --- A notice that must be confirmed ---


@pytest.fixture
def cautious(asked_app: Flask, bank: TalkativeBank) -> TalkativeBank:
    """The bank's notices are believed only once it has been asked."""
    read = bank.read_notification
    bank.read_notification = lambda callback: replace(read(callback), ask=True)  # type: ignore[method-assign]
    return bank


def hear(client: FlaskClient, handoff: Handoff) -> int:
    from tests.bank import notice  # noqa: PLC0415

    return client.post("/paiement/notification/banque", data=notice(handoff)).status_code


def test_a_notice_confirmed_by_the_bank_counts_at_once(
    cautious: TalkativeBank, stranger: FlaskClient, go: Pay, october: Invoice
) -> None:
    _, handoff = go(october)
    cautious.answers = [[cautious.report(handoff)]]
    assert hear(stranger, handoff) == 200
    assert state_of(october) == "paid"
    assert sorted(n.verdict for n in BankMessage.select()) == ["recorded", "to_confirm"]


@pytest.mark.parametrize("answer", [[], Unreachable("panne")], ids=["unknown", "silent"])
def test_a_notice_that_the_bank_does_not_confirm_pays_nothing(
    cautious: TalkativeBank,
    stranger: FlaskClient,
    go: Pay,
    october: Invoice,
    answer: list[object] | Exception,
) -> None:
    attempt, handoff = go(october)
    cautious.answers = [answer]  # type: ignore[list-item]
    assert hear(stranger, handoff) == 200
    assert (state_of(attempt), state_of(october)) == ("handed_off", "open")


def test_a_notice_that_could_not_be_confirmed_is_asked_about_by_the_next_run(
    cautious: TalkativeBank,
    stranger: FlaskClient,
    go: Pay,
    run: Run,
    frozen: Clock,
    october: Invoice,
) -> None:
    _, handoff = go(october)
    cautious.answers = [Unreachable("panne")]
    hear(stranger, handoff)
    cautious.answers = [[cautious.report(handoff)]]
    frozen.advance(minutes=1)
    run()
    assert state_of(october) == "paid"


def test_a_mere_trigger_about_an_order_of_nobodys_asks_nothing(
    cautious: TalkativeBank, stranger: FlaskClient, go: Pay, october: Invoice
) -> None:
    _, handoff = go(october)
    report = replace(cautious.report(handoff), reference="", ask=True)
    unknown = replace(report, gateway_reference="20200101000000-000000")
    assert payments.record("banque", unknown, ISSUERS) == "unknown_order"
    assert Anomaly.select().count() == 0
    assert payments.record("banque", report, ISSUERS) == "to_confirm"
