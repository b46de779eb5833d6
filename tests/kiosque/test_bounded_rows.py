"""The rows that somebody without an account can make the database keep: each kind has a bound.

docs/security.md lists them.
"""

import json
from contextlib import suppress
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from peewee import IntegrityError, ModelDelete

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import (
    Account,
    Anomaly,
    BankMessage,
    BaseModel,
    Family,
    Invoice,
    MessageCount,
    OutboxMail,
    ResetRequest,
    SecurityEvent,
    Session,
    Throttle,
)
from kiosque.families import own_changes, sessions, signin, throttle
from kiosque.families.signin import Visitor
from kiosque.families.throttle import TooManyTries
from kiosque.payments import bank_messages
from kiosque.payments.bank_messages import KEPT, ROWS_AN_HOUR
from tests.bank import notice
from tests.conftest import Clock, choose_password
from tests.kiosque.web.views.test_payment import NOTIFY, Pay, hear

STRANGER = Visitor("203.0.113.9")


def flood(client: FlaskClient, times: int) -> None:
    for _ in range(times):
        assert client.post(NOTIFY, data={"vads_hash": "x"}).status_code == 400


def test_refused_notices_have_so_many_rows_an_hour_and_are_counted_beyond(
    stranger: FlaskClient, empty_database: None, frozen: Clock
) -> None:
    flood(stranger, ROWS_AN_HOUR + 20)
    assert BankMessage.select().count() == ROWS_AN_HOUR
    count = MessageCount.get()
    assert (count.gateway, count.verdict, count.messages) == (
        "banque",
        "rejected",
        ROWS_AN_HOUR + 20,
    )
    hour = frozen.at.replace(minute=0)
    frozen.at = hour + timedelta(minutes=59, seconds=59, microseconds=999_999)
    flood(stranger, 1)
    assert BankMessage.select().count() == ROWS_AN_HOUR
    frozen.advance(microseconds=1)
    flood(stranger, 1)
    assert BankMessage.select().count() == ROWS_AN_HOUR + 1
    assert list(
        MessageCount.select(MessageCount.hour_at, MessageCount.messages)
        .order_by(MessageCount.id)
        .tuples()
    ) == [(hour, ROWS_AN_HOUR + 21), (hour + timedelta(hours=1), 1)]


def test_a_flood_hides_no_payment(
    stranger: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bank_messages, "ROWS_AN_HOUR", 3)
    _, handoff = pay(alices_family, october)
    flood(stranger, 5)
    for _ in range(5):
        assert hear(stranger, handoff).status_code == 200
    assert Invoice.get().state == "paid"
    verdicts = [row.verdict for row in BankMessage.select().order_by(BankMessage.id)]
    assert verdicts == ["rejected"] * 3 + ["recorded"] + ["known"] * 3
    counted = MessageCount.select(MessageCount.verdict).order_by(MessageCount.id)
    assert [row.verdict for row in counted] == ["rejected", "known"]


def test_a_refused_notice_is_erased_with_age_and_an_accepted_one_never(
    stranger: FlaskClient, pay: Pay, alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    _, handoff = pay(alices_family, october)
    flood(stranger, 2)
    hear(stranger, handoff)
    received, hour = frozen.at, frozen.at.replace(minute=0)
    for at, messages, counts in (
        (hour - timedelta(microseconds=1), 3, 1),
        (hour, 3, 0),
        (received - timedelta(microseconds=1), 3, 0),
        (received, 1, 0),
    ):
        frozen.at = at + KEPT
        payments.forget_refused_messages()
        assert [BankMessage.select().count(), MessageCount.select().count()] == [messages, counts]
    assert [row.verdict for row in BankMessage.select()] == ["recorded"]
    with pytest.raises(IntegrityError, match="append-only"), write():
        ModelDelete(BankMessage).execute()


def test_a_genuine_notice_of_an_unknown_order_is_told_once_however_often_it_comes(
    stranger: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bank_messages, "ROWS_AN_HOUR", 3)
    _, handoff = pay(alices_family, october)
    lost = notice(handoff, order_id="KF00000000000000000")
    for _ in range(5):
        stranger.post(NOTIFY, data=lost)
    fields = list(json.loads(BankMessage.select().limit(1).get().fields))
    assert fields == sorted(fields)
    rows = (Anomaly, OutboxMail, BankMessage)
    assert [table.select().count() for table in rows] == [1, 1, 3]


@pytest.mark.slow
def test_a_day_of_tries_from_one_address_leaves_few_rows(
    alices_family: Family, frozen: Clock
) -> None:
    """A burst of tries, then one whenever the longest pause is over, each about somebody else: to
    sign in, to activate an account, to have a new password."""
    choose_password(alices_family)
    paces = [timedelta(seconds=1)] * 120 + [throttle.ADDRESS.longest] * 4 * 24
    for number, pace in enumerate(paces):
        with suppress(TooManyTries):
            signin.attempt(f"F{number}", "essai", STRANGER)
        with suppress(TooManyTries):
            own_changes.find_activation(f"F{number}", "essai", STRANGER)
        with suppress(TooManyTries):
            own_changes.ask_reset(f"{number}@example.org", STRANGER)
        frozen.at += pace
    kept: dict[type[BaseModel], int] = {
        SecurityEvent: 310,
        Throttle: 420,
        ResetRequest: 110,
        Session: 0,
        OutboxMail: 0,
    }
    found = {table: table.select().count() for table in kept}
    assert all(found[table] <= bound for table, bound in kept.items()), found
    own_changes.answer_resets()
    assert (ResetRequest.select().count(), OutboxMail.select().count()) == (0, 0)
    frozen.advance(days=1)
    throttle.purge()
    assert not Throttle.select().exists()


def test_signing_in_without_end_ends_the_oldest_sessions(
    alices_family: Family, frozen: Clock
) -> None:
    account: Account = choose_password(alices_family)
    numbers = []
    for _ in range(sessions.AT_ONCE + 5):
        numbers.append(sessions.start(account))
        frozen.at += timedelta(seconds=1)
    assert Session.select().count() == sessions.AT_ONCE
    assert [bool(sessions.signed_in(number)) for number in numbers] == (
        [False] * 5 + [True] * sessions.AT_ONCE
    )
