"""One bank that hangs, or one adapter with a bug, costs the others nothing, and is told."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from peewee import OperationalError

from gateways.base import Declined, Gateway, Handoff, Order, Polls, Report, Unreachable
from kiosque import payments
from kiosque.db.models import Attempt, BankMessage, Family, Invoice, Repayment, Settlement
from kiosque.payments import (
    Purchase,
    Refused,
    bank_questions,
    checkout,
    polling,
    reconcile,
)
from kiosque.payments.bank_questions import Call
from tests import sentences
from tests.bank import notice
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, csrf_token, make_invoice
from tests.kiosque.payments.conftest import gave_back, state_of
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")

Hang = Callable[..., object]


@pytest.fixture
def hang() -> Iterator[Hang]:
    """A call that does not end while the test lasts."""
    over = threading.Event()

    def call(*_: object) -> object:
        over.wait(60)
        raise Unreachable("trop tard")

    yield call
    over.set()


@pytest.fixture
def other(gateway: Gateway) -> TalkativeBank:
    """Charlie's bank."""
    bank = TalkativeBank(gateway)
    bank.name = "autre"
    return bank


@pytest.fixture
def both(bank: TalkativeBank, other: TalkativeBank) -> dict[str, Gateway]:
    return {"banque": bank, "autre": other}


def open_at(bank: TalkativeBank, invoice: Invoice) -> tuple[Attempt, Handoff]:
    purchase = Purchase(invoice.family, [invoice.number], invoice.total_cents)
    return payments.start(purchase, bank, PUBLIC_URL)


def ask_back(bank: TalkativeBank, family: Family, count: int) -> list[Repayment]:
    """Refunds that nobody has sent yet."""
    asked = []
    for number in range(count):
        attempt, handoff = open_at(bank, make_invoice(family, f"R{number}"))
        report = bank.report(handoff, final=True, trans_uuid=f"{number:032d}")
        payments.record(bank.name, report, ISSUERS)
        settlement = Settlement.get(Settlement.attempt == attempt)
        asked.append(payments.ask_refund(settlement, 1000, "Dominique", "absence", bank))
    return asked


def run(gateways: dict[str, Gateway], seconds: float = 30) -> reconcile.Summary:
    return reconcile.run(gateways, PUBLIC_URL, ISSUERS, seconds=seconds)


# --- One run ---


def test_twelve_refunds_at_a_bank_that_hangs_keep_no_other_waiting_nor_the_run_from_ending(
    bank: TalkativeBank,
    other: TalkativeBank,
    both: dict[str, Gateway],
    hang: Hang,
    frozen: Clock,
    alices_family: Family,
    charlies_family: Family,
    october: Invoice,
) -> None:
    ask_back(bank, alices_family, 12)
    theirs, handoff = open_at(other, make_invoice(charlies_family, "C1"))
    mine, my_handoff = open_at(bank, october)
    other.answers = [[other.report(handoff)]]
    bank.answers = [[bank.report(my_handoff)]]
    bank.refund = hang  # type: ignore[method-assign, assignment]
    frozen.advance(minutes=15)
    began = time.monotonic()
    summary = run(both, seconds=1)
    assert time.monotonic() - began < 3
    assert (state_of(theirs), state_of(mine)) == ("paid", "paid")
    assert (summary.answered, summary.refunds, summary.silent) == (2, 0, ["banque"])
    assert summary.left == 10, "two were sent, the others wait for the next run"


def test_a_bank_that_hangs_when_asked_keeps_no_other_waiting(
    bank: TalkativeBank,
    other: TalkativeBank,
    both: dict[str, Gateway],
    hang: Hang,
    frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
    alices_family: Family,
    charlies_family: Family,
) -> None:
    monkeypatch.setattr(bank_questions.Questions, "seconds", 0.2)
    for number in range(20):
        open_at(bank, make_invoice(alices_family, f"N{number}"))
    theirs, handoff = open_at(other, make_invoice(charlies_family, "C1"))
    other.answers = [[other.report(handoff)]]
    bank.poll = hang  # type: ignore[method-assign, assignment]
    frozen.advance(minutes=15)
    began = time.monotonic()
    summary = run(both)
    assert time.monotonic() - began < 5, "nobody waits for a call once its time has passed"
    assert state_of(theirs) == "paid"
    assert summary.silent == ["banque"]
    assert reconcile.GIVE_UP_AFTER <= summary.unanswered < 20, "given up"
    assert summary.left == 20 - summary.unanswered


@pytest.mark.parametrize(("most", "asked"), [(32, 8), (5, 5)])
def test_a_bank_is_asked_as_many_questions_at_once_as_its_share_and_the_run_allow(
    bank: TalkativeBank,
    hang: Hang,
    frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
    alices_family: Family,
    most: int,
    asked: int,
) -> None:
    monkeypatch.setattr(reconcile, "AT_ONCE", most)
    for number in range(10):
        open_at(bank, make_invoice(alices_family, f"N{number}"))
    orders: list[Order] = []
    bank.poll = lambda order: orders.append(order) or hang()  # type: ignore[method-assign, assignment, func-returns-value]
    frozen.advance(minutes=15)
    assert run({"banque": bank}, seconds=0.5).unanswered == asked
    assert len(orders) == asked


def test_what_is_heard_after_it_was_given_up_is_too_late_and_asked_again(
    bank: TalkativeBank, monkeypatch: pytest.MonkeyPatch, frozen: Clock, october: Invoice
) -> None:
    monkeypatch.setattr(bank_questions.Questions, "seconds", 0.1)
    attempt, handoff = open_at(bank, october)
    heard = threading.Event()

    def slowly(_order: Order) -> list[Report]:
        heard.wait(10)
        return [bank.report(handoff)]

    poll, bank.poll = bank.poll, slowly  # type: ignore[method-assign]
    frozen.advance(minutes=15)
    assert run({"banque": bank}).unanswered == 1
    heard.set()
    assert state_of(attempt) == "handed_off"
    bank.poll = poll  # type: ignore[method-assign]
    bank.answers = [[bank.report(handoff)]]
    frozen.advance(minutes=1)
    assert run({"banque": bank}).answered == 1
    assert state_of(attempt) == "paid"


BUGS: dict[str, Callable[..., object]] = {
    "a KeyError": lambda *_: {}["secret"],
    "not a list": lambda *_: None,
    "not reports": lambda *_: ["paid"],
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_in_an_adapters_refund_ends_no_run_and_costs_no_other_bank(
    bug: str,
    bank: TalkativeBank,
    other: TalkativeBank,
    both: dict[str, Gateway],
    frozen: Clock,
    alices_family: Family,
    charlies_family: Family,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ask_back(bank, alices_family, 1)
    theirs, handoff = open_at(other, make_invoice(charlies_family, "C1"))
    other.answers = [[other.report(handoff)]]
    bank.refund = BUGS[bug]  # type: ignore[method-assign, assignment]
    frozen.advance(minutes=15)
    summary = run(both)
    assert state_of(theirs) == "paid"
    assert summary.broken == ["banque"]
    assert Repayment.get().state == "asked"
    assert reconcile.last_finished_at() == frozen.at
    assert "refund of" in caplog.text
    assert "secret" not in caplog.text


def test_a_refund_whose_answer_cannot_be_recorded_is_asked_for_again(
    bank: TalkativeBank, alices_family: Family, caplog: pytest.LogCaptureFixture
) -> None:
    (asked,) = ask_back(bank, alices_family, 1)
    _, handoff = open_at(bank, make_invoice(alices_family, "N1"))
    absurd = replace(bank.report(handoff, **gave_back(1000)), transaction_id={"a": 1})
    bank.answers = [[replace(absurd, reference=asked.settlement.attempt.reference)]]
    assert payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS).state == "asked"
    assert f"refund {asked.key}: " in caplog.text


def test_a_bug_in_an_adapters_poll_is_told_though_others_are_answered(
    bank: TalkativeBank, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    broken, _ = open_at(bank, october)
    _, handoff = open_at(bank, september)
    answer = [bank.report(handoff)]
    bank.poll = lambda order: {}["x"] if order.reference == broken.reference else answer  # type: ignore[method-assign, assignment]
    frozen.advance(minutes=15)
    summary = run({"banque": bank})
    assert (summary.answered, summary.broken, summary.silent) == (1, ["banque"], [])


@pytest.mark.parametrize("is_broken", [True, False], ids=["a bug", "asked by another process"])
def test_a_question_that_is_not_begun_keeps_no_other_waiting(
    bank: TalkativeBank,
    frozen: Clock,
    october: Invoice,
    september: Invoice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_broken: bool,
) -> None:
    left, _ = open_at(bank, october)
    open_at(bank, september)
    begin = polling.begin_question

    def begin_but_one(attempt: Attempt, gateway: Polls, public_url: str) -> Call | None:
        if attempt.id != left.id:
            return begin(attempt, gateway, public_url)
        return {}["secret"] if is_broken else None

    monkeypatch.setattr(polling, "begin_question", begin_but_one)
    frozen.advance(minutes=15)
    summary = run({"banque": bank})
    assert (summary.answered, summary.broken) == (1, ["banque"] * is_broken)
    assert (f"banque {left.id}: KeyError" in caplog.text) is is_broken
    assert "secret" not in caplog.text


def test_an_answer_that_cannot_be_recorded_keeps_no_other_waiting(
    bank: TalkativeBank,
    frozen: Clock,
    october: Invoice,
    september: Invoice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    poison, handoff = open_at(bank, october)
    _, sound = open_at(bank, september)
    absurd = replace(bank.report(handoff), transaction_id={"a": 1})
    bank.poll = lambda order: [  # type: ignore[method-assign]
        absurd if order.reference == poison.reference else bank.report(sound)
    ]
    frozen.advance(minutes=15)
    assert run({"banque": bank}).broken == ["banque"]
    assert (state_of(poison), state_of(september)) == ("handed_off", "paid")
    assert Attempt.get_by_id(poison.id).unanswered == 1
    assert f"attempt {poison.reference}: " in caplog.text


# --- Given up on, and told ---


def test_a_refund_without_an_answer_is_sent_ever_more_rarely_told_after_a_day_and_given_up(
    bank: TalkativeBank, frozen: Clock, alices_family: Family
) -> None:
    ask_back(bank, alices_family, 1)
    bank.answers = [Unreachable("panne")]
    asked_at = frozen.at
    for _ in range(20):
        run({"banque": bank})
        frozen.advance(minutes=1)
    assert len(bank.refunds) == 8, "each 2 minutes, then after a quarter of its age"
    frozen.at = asked_at + timedelta(hours=23)
    run({"banque": bank})
    assert payments.open_anomalies() == []
    told = []
    for _ in range(30):
        frozen.advance(hours=6)
        before = len(bank.refunds)
        run({"banque": bank})
        told += [frozen.at - asked_at] * (len(bank.refunds) - before)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.amount_cents) == ("unanswered_refund", 1000)
    assert timedelta(days=6, hours=12) < told[-1] < timedelta(days=7)


def test_the_entry_about_an_unanswered_refund_goes_once_the_bank_answers(
    bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    _, handoff = open_at(bank, october)
    payments.record("banque", bank.report(handoff, final=True), ISSUERS)
    settlement = payments.find_settlement("R1")
    payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    bank.answers = [Unreachable("panne")]
    frozen.advance(days=1)
    run({"banque": bank})
    assert [point.kind for point in payments.open_anomalies()] == ["unanswered_refund"]
    payments.record("banque", bank.report(handoff, **gave_back(1000)), ISSUERS)
    assert payments.open_anomalies() == []


def test_staff_drop_a_refund_that_the_bank_never_made_and_give_it_back_otherwise(
    bank: TalkativeBank, frozen: Clock, alices_family: Family
) -> None:
    (asked,) = ask_back(bank, alices_family, 1)
    settlement = Settlement.get()
    bank.answers = [Unreachable("panne")]
    payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)
    with pytest.raises(Refused, match=sentences.BEING_ASKED):
        payments.drop_refund(settlement, "Dominique", "vu à la banque")
    frozen.advance(days=1)
    run({"banque": bank})
    frozen.advance(minutes=2)
    with pytest.raises(Refused, match="auteur"):
        payments.drop_refund(settlement, "", "vu à la banque")
    dropped = payments.drop_refund(settlement, "Dominique", "vu à la banque")
    assert (dropped.state, payments.open_anomalies()) == ("declined", [])
    with pytest.raises(Refused, match="Aucun remboursement"):
        payments.drop_refund(settlement, "Dominique", "encore")
    payments.record_repayment(settlement, "refund", 1000, "Dominique", "virement")  # type: ignore[arg-type]
    frozen.advance(days=1)
    run({"banque": bank})
    assert len(bank.refunds) == 2, "sent no more"


def test_a_refund_dropped_that_the_bank_tells_of_after_all_counts(
    bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    _, handoff = open_at(bank, october)
    payments.record("banque", bank.report(handoff, final=True), ISSUERS)
    settlement = payments.find_settlement("R1")
    payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    frozen.advance(hours=1)
    payments.drop_refund(settlement, "Dominique", "vu à la banque")
    payments.record("banque", bank.report(handoff, **gave_back(1000)), ISSUERS)
    assert Settlement.get().returned_cents == 1000


def test_a_decided_payment_that_the_bank_leaves_without_an_answer_is_given_up_and_told(
    bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = open_at(bank, october)
    payments.record("banque", bank.report(handoff), ISSUERS)
    bank.answers = [Unreachable("panne")]
    frozen.advance(days=1)
    run({"banque": bank})
    assert payments.open_anomalies() == []
    frozen.advance(days=9)
    run({"banque": bank})
    (point,) = payments.open_anomalies()
    assert (point.kind, Attempt.get_by_id(attempt.id).ask_at) == ("silent", None)


# --- While a family pays ---


@pytest.mark.parametrize(
    "bug",
    [*BUGS.values(), lambda _order: (_ for _ in ()).throw(Declined("non"))],
    ids=[*BUGS, "a refusal that the contract does not foresee"],
)
def test_a_bug_in_an_adapters_start_is_a_bank_that_does_not_answer_and_holds_no_invoice(
    bug: Callable[..., object],
    app: Flask,
    alice: FlaskClient,
    bank: TalkativeBank,
    october: Invoice,
) -> None:
    app.extensions["gateways"]["banque"] = bank
    start, bank.start = bank.start, bug  # type: ignore[method-assign, assignment]
    token = csrf_token(alice.get("/compte").text)
    form = {"invoice": october.number, "expected_cents": "4520", "csrf_token": token}
    assert alice.post("/paiement/banque", data=form).status_code == 503
    assert Attempt.get().state == "cancelled"
    bank.start = start  # type: ignore[method-assign]
    assert alice.post("/paiement/banque", data=form).status_code == 200


def test_a_bank_that_hangs_when_a_payment_is_opened_is_given_up_and_the_next_payers_told_at_once(
    bank: TalkativeBank,
    other: TalkativeBank,
    hang: Hang,
    monkeypatch: pytest.MonkeyPatch,
    alices_family: Family,
) -> None:
    monkeypatch.setattr(checkout, "CALL_SECONDS", 0.05)
    monkeypatch.setattr(checkout, "DOOR_SECONDS", 0)
    bank.name = "bloquée"
    bank.start = hang  # type: ignore[method-assign, assignment]
    for number in range(checkout.STARTS_AT_ONCE):
        with pytest.raises(Unreachable, match="trop lentement"):
            open_at(bank, make_invoice(alices_family, f"N{number}"))
    with pytest.raises(Unreachable, match=sentences.CROWD):
        open_at(bank, make_invoice(alices_family, "N9"))
    assert {attempt.state for attempt in Attempt.select()} == {"cancelled"}
    monkeypatch.undo()
    assert open_at(other, make_invoice(alices_family, "N10"))


def test_a_number_that_the_bank_gave_before_holds_no_invoice(
    bank: TalkativeBank,
    october: Invoice,
    september: Invoice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, handoff = open_at(bank, october)
    bank.start = lambda _order: handoff  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="ouvert"):
        open_at(bank, september)
    second = Attempt.get(Attempt.id != first.id)
    assert (state_of(first), state_of(second)) == ("handed_off", "cancelled")
    assert f"attempt {second.reference}: IntegrityError at " in caplog.text


def test_a_database_that_fails_as_a_payment_is_opened_is_not_laid_on_the_bank(
    bank: TalkativeBank, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be written meanwhile: the payment is closed later, as one that never left."""

    def full(*_: object) -> None:
        raise OperationalError("disk is full")

    monkeypatch.setattr(checkout, "first_question", full)
    with pytest.raises(OperationalError):
        open_at(bank, october)
    assert Attempt.get().state == "created"


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_in_an_adapters_poll_breaks_no_page(
    bug: str, app: Flask, alice: FlaskClient, bank: TalkativeBank, october: Invoice, frozen: Clock
) -> None:
    app.extensions["gateways"]["banque"] = bank
    attempt, _ = open_at(bank, october)
    bank.poll = BUGS[bug]  # type: ignore[method-assign, assignment]
    assert alice.get(f"/paiement/retour/{attempt.reference}").status_code == 200
    frozen.advance(minutes=1)
    page = alice.get(f"/paiement/recapitulatif?invoice={october.number}")
    assert page.location == f"/paiement/retour/{attempt.reference}", "at the bank"


def test_a_bank_that_hangs_takes_the_places_of_no_other_banks_visitors(
    bank: TalkativeBank,
    other: TalkativeBank,
    both: dict[str, Gateway],
    hang: Hang,
    monkeypatch: pytest.MonkeyPatch,
    alices_family: Family,
    october: Invoice,
) -> None:
    monkeypatch.setattr(polling, "CALL_SECONDS", 0.05)
    bank.name = "bloquée ici"
    both[bank.name] = bank
    bank.poll = hang  # type: ignore[method-assign, assignment]
    for number in range(polling.AT_ONCE + 1):
        attempt, _ = open_at(bank, make_invoice(alices_family, f"N{number}"))
        payments.ask_soon(Attempt.get_by_id(attempt.id), both, PUBLIC_URL, ISSUERS)
    assert Attempt.get_by_id(attempt.id).asked_at is None, "no place: not asked"
    attempt, handoff = open_at(other, october)
    other.answers = [[other.report(handoff)]]
    payments.ask_soon(Attempt.get_by_id(attempt.id), both, PUBLIC_URL, ISSUERS)
    assert state_of(attempt) == "paid"


def test_a_summary_of_many_invoices_waits_for_the_bank_for_so_long_in_all(
    bank: TalkativeBank, monkeypatch: pytest.MonkeyPatch, alices_family: Family
) -> None:
    numbers = [f"N{number}" for number in range(5)]
    for number in numbers:
        open_at(bank, make_invoice(alices_family, number))
    monkeypatch.setattr(checkout, "CALL_SECONDS", 0)
    payments.ask_about_holders(alices_family, numbers, {"banque": bank}, PUBLIC_URL, ISSUERS)
    assert bank.asked == []


def test_a_bug_while_a_refund_is_asked_leaves_it_to_be_asked_again(
    bank: TalkativeBank, alices_family: Family
) -> None:
    (asked,) = ask_back(bank, alices_family, 1)
    bank.refund = BUGS["a KeyError"]  # type: ignore[method-assign, assignment]
    assert payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS).state == "asked"


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_while_a_message_is_read_makes_the_bank_send_it_again_and_tells_no_secret(
    bug: str,
    app: Flask,
    stranger: FlaskClient,
    bank: TalkativeBank,
    october: Invoice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app.extensions["gateways"]["banque"] = bank
    _, handoff = open_at(bank, october)
    read, bank.read_notification = bank.read_notification, BUGS[bug]  # type: ignore[method-assign, assignment]
    answer = stranger.post("/paiement/notification/banque", data=notice(handoff))
    assert (answer.status_code, state_of(october)) == (500, "open")
    assert BankMessage.get().verdict == "rejected"
    assert "secret" not in caplog.text + answer.text
    bank.read_notification = read  # type: ignore[method-assign]
    stranger.post("/paiement/notification/banque", data=notice(handoff))
    assert state_of(october) == "paid"
