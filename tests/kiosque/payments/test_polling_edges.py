"""The bank is asked at the exact instant, neither before nor after."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from peewee import OperationalError

from gateways.base import (
    Gateway,
    Handoff,
    Order,
    Report,
    Unreachable,
    WrongEmail,
)
from kiosque import db, payments
from kiosque.db import write
from kiosque.db.models import (
    Attempt,
    BankMessage,
    Fact,
    Family,
    Invoice,
)
from kiosque.language import catalogue
from kiosque.payments import (
    Purchase,
    polling,
    reconcile,
)
from tests.bank import REFUSED
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, state_of
from tests.talkative import TalkativeBank
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("sound_books")
PENDING = {"trans_status": "UNDER_VERIFICATION"}
CANCELLED = {"trans_status": "CANCELLED"}


def test_whoever_makes_us_ask_the_bank_is_asked_about_the_very_same_order(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    frozen.advance(minutes=1)
    payments.ask_about_holders(october.family, [october.number], gateways, PUBLIC_URL, ISSUERS)
    frozen.advance(minutes=15)
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    assert len(bank.asked) == 3
    for order in bank.asked:
        assert (order.reference, order.cents) == (attempt.reference, 4520)
        assert order.gateway_reference == handoff.gateway_reference
        assert order.return_url == f"{PUBLIC_URL}/paiement/retour/{attempt.reference}"
        assert order.notification_url == f"{PUBLIC_URL}/paiement/notification/banque"


def test_no_bank_is_asked_while_the_database_is_being_written(
    bank: TalkativeBank, go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    with pytest.raises(RuntimeError), write():
        polling.begin_question(attempt, bank, PUBLIC_URL)
    assert bank.asked == []


def test_only_the_payments_of_the_invoices_ticked_are_asked_about(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Pay, october: Invoice, september: Invoice
) -> None:
    first, _ = go(october)
    go(september)
    payments.ask_about_holders(october.family, [october.number], gateways, PUBLIC_URL, ISSUERS)
    assert [order.reference for order in bank.asked] == [first.reference]


def test_a_payment_that_holds_its_invoices_no_more_is_not_asked_about_before_another(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff, **REFUSED)
    payments.ask_about_holders(october.family, [october.number], gateways, PUBLIC_URL, ISSUERS)
    assert bank.asked == []


def test_nobody_is_asked_about_a_payment_whose_bank_cannot_be_asked_or_has_not_heard_of_it(
    bank: TalkativeBank,
    gateway: Gateway,
    gateways: dict[str, Gateway],
    go: Pay,
    october: Invoice,
) -> None:
    attempt, _ = go(october)
    for none in ({}, {"banque": gateway}):
        payments.ask_soon(attempt, none, PUBLIC_URL, ISSUERS)
    attempt.gateway_reference = ""
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    attempt = Attempt.get_by_id(attempt.id)
    assert (attempt.asked_at, attempt.unanswered, bank.asked) == (None, 0, [])


def test_a_parent_waits_a_little_for_the_bank_to_answer(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Pay, october: Invoice
) -> None:
    attempt, handoff = go(october)
    ready = threading.Event()

    def poll(_order: Order) -> list[Report]:
        ready.wait(10)
        return [bank.report(handoff)]

    bank.poll = poll  # type: ignore[method-assign]
    threading.Timer(0.05, ready.set).start()
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    assert state_of(attempt) == "paid"


def test_a_database_that_fails_as_an_answer_is_recorded_is_not_laid_on_the_bank(
    gateways: dict[str, Gateway], go: Pay, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OperationalError("disk is full")

    attempt, _ = go(october)
    monkeypatch.setattr(polling, "record_answer", full)
    with pytest.raises(OperationalError):
        payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    assert Attempt.get_by_id(attempt.id).unanswered == 0


def test_a_bank_silent_to_a_parent_is_asked_again_a_minute_later(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    bank.answers = [Unreachable("panne")]
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    attempt = Attempt.get_by_id(attempt.id)
    assert (attempt.unanswered, attempt.ask_at) == (1, NOW + timedelta(minutes=1))


def test_a_bank_that_answers_a_parent_about_another_order_has_not_answered(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Pay, october: Invoice, september: Invoice
) -> None:
    (attempt, _), (other, handoff) = go(october), go(september)
    bank.answers = [[bank.report(handoff)]]
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    assert Attempt.get_by_id(attempt.id).unanswered == 1
    assert (state_of(attempt), state_of(other)) == ("handed_off", "handed_off")


def test_of_two_who_want_to_ask_at_once_one_does_and_fifteen_seconds_later_another_may(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)

    def ask() -> None:
        with db.connection():
            payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)

    at_once(ask, ask)
    assert len(bank.asked) == 1
    frozen.advance(seconds=14.999)
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    assert len(bank.asked) == 1
    frozen.advance(seconds=0.001)
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    assert len(bank.asked) == 2


def test_an_answer_at_the_instant_when_the_page_closes_is_enough(
    gateways: dict[str, Gateway], go: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    frozen.at = attempt.live_until
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    again, _ = go(october)
    assert (state_of(attempt), state_of(again)) == ("expired", "handed_off")


def test_what_was_heard_while_lapsed_payments_are_closed_is_not_undone(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    paid, handoff = go(october)
    asked, _ = go(september)
    hear(handoff, final=True)
    for attempt in (paid, asked):
        assert polling._expire_if_silent(attempt.id) is False
    assert (state_of(paid), state_of(asked)) == ("paid", "handed_off")


def test_a_payment_that_lapsed_says_so_of_no_bank_transaction(
    go: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    polling.stop_asking(attempt)
    frozen.advance(minutes=30, seconds=1)
    assert polling.expire_what_cannot_be_asked() == 1
    fact = Fact.get(Fact.state == "expired")
    assert (fact.transaction_id, fact.source) == ("", "timeout")
    assert (fact.status, fact.parent_id, fact.amount_cents) == ("", "", 0)


def test_a_payment_that_lapsed_frees_its_invoice_and_is_of_no_bank_transaction_either(
    go: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    polling.stop_asking(attempt)
    frozen.advance(minutes=30, seconds=1)
    go(october)
    fact = Fact.get(Fact.state == "expired")
    assert (fact.attempt, fact.transaction_id, fact.source) == (attempt, "", "timeout")


def test_a_payment_begins_by_what_the_site_alone_says_of_it(go: Pay, october: Invoice) -> None:
    go(october)
    facts = Fact.select(Fact.state, Fact.transaction_id, Fact.status, Fact.source)
    assert list(facts.order_by(Fact.id).tuples()) == [
        ("created", "", "", "portal"),
        ("handed_off", "", "", "portal"),
    ]
    assert Attempt.get().day == "20261124", "of UTC, as the number it goes with"


@pytest.mark.parametrize(
    ("error", "words"),
    [(Unreachable("coupée"), "bank_unreachable"), (WrongEmail("non"), "email_refused")],
)
def test_a_payment_that_the_bank_does_not_open_says_why(
    bank: TalkativeBank, go: Pay, october: Invoice, error: Exception, words: str
) -> None:
    def refuse(_order: Order) -> Handoff:
        raise error

    bank.start = refuse  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        go(october)
    fact = Fact.get(Fact.state == "cancelled")
    assert (fact.transaction_id, fact.source) == ("", words)


def test_a_bank_is_told_of_an_order_what_it_needs(
    bank: TalkativeBank, october: Invoice, september: Invoice
) -> None:
    """The payer's address only where it wants one; his language; no reference before its own."""
    orders: list[Order] = []
    begin = bank.start
    bank.start = lambda order: orders.append(order) or begin(order)  # type: ignore[method-assign,func-returns-value]
    for invoice, language in ((october, "fr"), (september, "en")):
        purchase = Purchase(invoice.family, [invoice.number], invoice.total_cents, "a@example.org")
        with catalogue.using(language):
            payments.start(purchase, bank, PUBLIC_URL)
        bank.limits = replace(bank.limits, requires_email=True)
    assert [(order.email, order.language) for order in orders] == [
        (None, "fr"),
        ("a@example.org", "en"),
    ]
    assert [order.gateway_reference for order in orders] == ["", ""]


@pytest.mark.parametrize(("length", "shown"), [(255, True), (256, False)])
def test_what_the_bank_shows_holds_255_letters(
    bank: TalkativeBank, alices_family: Family, length: int, shown: bool
) -> None:
    numbers = ["A" * 122, "B" * (length - 133)]
    for number in numbers:
        make_invoice(alices_family, number)
    orders: list[Order] = []
    begin = bank.start
    bank.start = lambda order: orders.append(order) or begin(order)  # type: ignore[method-assign,func-returns-value]
    payments.start(Purchase(alices_family, numbers, 9040), bank, PUBLIC_URL)
    expected = f"Factures {', '.join(numbers)}" if shown else "2 factures"
    assert orders[0].description == expected


@pytest.mark.parametrize(
    ("least", "most", "taken"), [(4520, 4520, True), (4521, 9999, False), (100, 4519, False)]
)
def test_a_bank_takes_from_its_least_to_its_most_to_the_cent(
    gateway: Gateway, october: Invoice, least: int, most: int, taken: bool
) -> None:
    limits = replace(gateway.limits, minimum_cents=least, maximum_cents=most)
    reasons = payments.select_for_one_payment(october.family, [october.number], limits).reasons
    assert (reasons == []) is taken


def test_fifty_invoices_are_paid_at_once_and_no_more(
    gateway: Gateway, alices_family: Family
) -> None:
    numbers = [make_invoice(alices_family, f"N{n}", 100).number for n in range(51)]
    for count, taken in ((50, True), (51, False)):
        reasons = payments.select_for_one_payment(
            alices_family, numbers[:count], gateway.limits
        ).reasons
        assert (reasons == []) is taken


def test_a_number_that_nobody_wrote_is_told_in_thirty_letters(
    gateway: Gateway, alices_family: Family
) -> None:
    (reason,) = payments.select_for_one_payment(alices_family, ["9" * 31], gateway.limits).reasons
    assert "9" * 30 in reason
    assert "9" * 31 not in reason


def test_when_the_last_run_ended_is_known(
    gateways: dict[str, Gateway], frozen: Clock, october: Invoice
) -> None:
    assert reconcile.last_finished_at() is None
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    frozen.advance(minutes=3)
    assert reconcile.last_finished_at() == NOW


def test_a_trigger_makes_its_payment_due_and_one_of_an_unknown_order_is_told(
    bank: TalkativeBank, go: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    frozen.advance(seconds=5)
    report = replace(bank.report(handoff), ask=True)
    assert payments.record("banque", report, ISSUERS) == "to_confirm"
    assert Attempt.get_by_id(attempt.id).ask_at == frozen.at
    unknown = replace(report, reference="KF-inconnue")
    assert payments.record("banque", unknown, ISSUERS) == "unknown_order"
    (point,) = payments.open_anomalies()
    assert point.kind == "unknown_order"
    assert point.detail.startswith(f"commande KF-inconnue, transaction {report.transaction_id}")


def test_what_the_bank_says_is_kept_with_its_words_its_parent_and_the_key_that_signed(
    bank: TalkativeBank, go: Pay, october: Invoice
) -> None:
    _, handoff = go(october)
    said = replace(bank.report(handoff), parent_id="d" * 32, signing_key="previous")
    payments.record("banque", said, ISSUERS)
    fact = Fact.get(Fact.source == "bank")
    assert (fact.status, fact.parent_id, fact.amount_cents) == (said.status, "d" * 32, 4520)
    assert said.status
    assert BankMessage.get().signing_key == "previous"


def test_each_silence_doubles_the_pause_up_to_an_hour_and_a_day_of_it_is_told_once(
    go: Pay, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    silent, _ = go(october)
    decided, _ = go(september)
    Attempt.update(state="refused").where(Attempt.id == decided.id).execute()
    pauses = []
    for count in range(1, 9):
        polling.postpone_question(silent)
        silent = Attempt.get_by_id(silent.id)
        assert (silent.asked_at, silent.unanswered) == (frozen.at, count)
        pauses.append((silent.ask_at - frozen.at) // timedelta(minutes=1))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    frozen.advance(hours=23, minutes=59, seconds=59)
    polling.postpone_question(silent)
    assert payments.open_anomalies() == []
    frozen.advance(seconds=1)
    for attempt in (silent, silent, decided):
        polling.postpone_question(attempt)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.attempt, point.amount_cents) == ("silent", silent, 4520)
    assert "un jour" in point.detail
    Attempt.update(state="handed_off", ask_at=None).where(Attempt.id == decided.id).execute()
    polling.stop_asking(silent)


def test_a_decided_payment_is_asked_about_no_more_after_ten_days_of_silence_and_that_is_told(
    go: Pay, hear: Hear, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **REFUSED)
    frozen.advance(days=10, seconds=-1)
    polling.postpone_question(attempt)
    assert Attempt.get_by_id(attempt.id).ask_at == frozen.at + timedelta(minutes=1)
    assert payments.open_anomalies() == []
    frozen.advance(seconds=1)
    polling.postpone_question(attempt)
    assert Attempt.get_by_id(attempt.id).ask_at is None
    (point,) = payments.open_anomalies()
    assert (point.kind, point.attempt) == ("silent", attempt)
    assert "dix jours" in point.detail


def test_a_payment_examined_for_sixty_days_is_told_and_asked_about_no_more(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    bank.answers = [[bank.report(handoff, **PENDING)]]
    frozen.advance(days=60)
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    assert payments.open_anomalies() == []
    frozen.advance(days=1)
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.attempt) == ("unsettled", attempt)
    assert Attempt.get_by_id(attempt.id).ask_at is None
