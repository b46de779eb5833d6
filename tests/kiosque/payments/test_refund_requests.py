"""A request for money back is sent until its outcome is known, neither too often nor for ever."""

from datetime import timedelta

import pytest
from peewee import OperationalError

from gateways.base import Gateway, Handoff, Unreachable
from kiosque import payments
from kiosque.db.models import Invoice, Receipt, Repayment, Settlement
from kiosque.payments import reconcile, refund_requests
from tests.conftest import ISSUERS, PUBLIC_URL, Clock
from tests.kiosque.payments.conftest import Hear, Pay, gave_back
from tests.talkative import TalkativeBank

SILENT = Unreachable("panne")


@pytest.fixture
def paid(go: Pay, hear: Hear, october: Invoice) -> Handoff:
    _, handoff = go(october)
    hear(handoff)
    return handoff


@pytest.fixture
def asked(bank: TalkativeBank, paid: Handoff) -> Repayment:
    """Dominique asks for 10,00 of October, and the bank does not answer."""
    bank.answers = [SILENT]
    return payments.ask_refund(Settlement.get(), 1000, "Dominique", "absence", bank)


def send(asked: Repayment, bank: TalkativeBank) -> Repayment:
    return payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)


def due(name: str = "banque") -> list[Repayment]:
    return refund_requests.refunds_due(name, 9)


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(0), timedelta(minutes=2)),
        (timedelta(minutes=20), timedelta(minutes=5)),
        (timedelta(hours=8), timedelta(hours=1)),
    ],
)
def test_a_request_is_sent_again_after_a_quarter_of_its_age(
    bank: TalkativeBank, asked: Repayment, frozen: Clock, age: timedelta, pause: timedelta
) -> None:
    frozen.at += age
    send(asked, bank)
    frozen.at += pause - timedelta(seconds=1)
    assert due() == []
    send(asked, bank)
    assert len(bank.refunds) == 1
    frozen.advance(seconds=1)
    assert due() == [asked]


def test_a_request_is_sent_to_its_bank_alone_and_no_more_after_seven_days(
    asked: Repayment, frozen: Clock
) -> None:
    assert (due(), due("autre")) == ([asked], [])
    frozen.advance(days=7, seconds=-1)
    assert due() == [asked]
    frozen.advance(seconds=1)
    assert due() == []


def test_a_request_that_has_ended_is_sent_no_more(asked: Repayment, frozen: Clock) -> None:
    frozen.advance(minutes=2)
    payments.drop_refund(asked.settlement, "Dominique", "rien vu")
    assert due() == []


def test_a_request_is_told_after_a_day_of_silence_to_the_second(
    bank: TalkativeBank, asked: Repayment, frozen: Clock
) -> None:
    frozen.advance(days=1, seconds=-1)
    send(asked, bank)
    assert payments.open_anomalies() == []
    frozen.advance(seconds=1)
    Repayment.update(sent_at=asked.asked_at).execute()
    send(asked, bank)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.amount_cents) == ("unanswered_refund", 1000)
    assert point.settlement == asked.settlement


def test_a_request_that_is_answered_after_a_day_is_not_told(
    bank: TalkativeBank, paid: Handoff, asked: Repayment, frozen: Clock
) -> None:
    frozen.advance(days=2)
    bank.answers = [[bank.report(paid, **gave_back(1000))]]
    assert send(asked, bank).state == "done"
    assert payments.open_anomalies() == []


def test_one_that_was_just_sent_is_no_fault_of_the_adapter(
    bank: TalkativeBank, asked: Repayment, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert send(asked, bank).state == "asked"
    assert (len(bank.refunds), caplog.text) == (1, "")


def test_of_two_requests_the_one_sent_or_given_up_is_the_one_named(
    bank: TalkativeBank, asked: Repayment, go: Pay, hear: Hear, september: Invoice, frozen: Clock
) -> None:
    hear(go(september)[1], trans_uuid="b" * 32)
    other = payments.find_settlement("R2")
    last = payments.ask_refund(other, 1000, "Dominique", "absence", bank)
    send(last, bank)
    assert Repayment.get_by_id(asked.id).sent_at is None
    frozen.advance(minutes=2)
    assert payments.drop_refund(other, "Dominique", "rien vu") == last
    assert Repayment.get_by_id(asked.id).state == "asked"


def test_a_debit_learnt_as_money_is_given_back_has_its_receipt(
    bank: TalkativeBank, paid: Handoff, asked: Repayment
) -> None:
    again = bank.report(paid, trans_uuid="b" * 32)
    bank.answers = [[again, bank.report(paid, **gave_back(1000))]]
    assert send(asked, bank).state == "done"
    assert Receipt.select().count() == 2


def test_a_bank_that_answers_or_not_about_money_to_give_back_is_said_so(
    bank: TalkativeBank,
    gateways: dict[str, Gateway],
    paid: Handoff,
    asked: Repayment,
    frozen: Clock,
) -> None:
    summary = reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    assert (summary.silent, summary.broken, summary.refunds) == (["banque"], [], 0)
    bank.answers = [[bank.report(paid, **gave_back(1000))]]
    frozen.advance(minutes=2)
    summary = reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    assert (summary.silent, summary.broken, summary.refunds) == ([], [], 1)


def test_a_database_that_fails_as_money_is_given_back_is_not_laid_on_the_bank(
    bank: TalkativeBank, asked: Repayment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OperationalError("disk is full")

    bank.answers = [[]]
    monkeypatch.setattr(refund_requests, "record_answer", full)
    with pytest.raises(OperationalError):
        send(asked, bank)
