"""Signing in under attack: strangers are delayed, the family never, and the site stays up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from kiosque.db import database
from kiosque.db.models import Account, Family, SecurityEvent, Session, Throttle
from kiosque.families import accounts, hashing, sessions, signin, throttle
from kiosque.families.hashing import Busy, Gate
from kiosque.families.signin import Visitor
from kiosque.families.throttle import TooManyTries
from tests.conftest import PASSWORD, Clock, choose_password
from tests.threads import at_once

STRANGER = Visitor("203.0.113.9")
ALICES_PHONE = Visitor("198.51.100.7", browser="F1001.phone")


@pytest.fixture
def account(alices_family: Family) -> Account:
    return choose_password(alices_family)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address fails four times before others wait there, in place of two hundred."""
    monkeypatch.setattr(throttle, "ADDRESS", replace(throttle.ADDRESS, free=4))


def signed_in(code: str, password: str, visitor: Visitor) -> Account | None:
    entry = signin.attempt(code, password, visitor)
    return entry and entry.account


def guess(times: int, code: str = "F1001", visitor: Visitor = STRANGER) -> None:
    for number in range(times):
        assert signin.attempt(code, f"essai {number}", visitor) is None


def test_the_right_password_opens(account: Account) -> None:
    assert signed_in("f 1001", PASSWORD, STRANGER) == account


def test_five_wrong_ones_delay_the_next_even_a_right_one(account: Account, frozen: Clock) -> None:
    guess(5)
    with pytest.raises(TooManyTries) as refused:
        signin.attempt("F1001", PASSWORD, STRANGER)
    assert refused.value.wait == timedelta(minutes=1)
    frozen.advance(minutes=1)
    assert signed_in("F1001", PASSWORD, STRANGER) == account


def test_from_elsewhere_the_account_is_delayed_too(account: Account) -> None:
    guess(5)
    with pytest.raises(TooManyTries):
        signin.attempt("F1001", PASSWORD, Visitor("192.0.2.44"))


def test_the_familys_own_browser_gets_in_while_a_stranger_is_delayed(account: Account) -> None:
    guess(5)
    assert signed_in("F1001", PASSWORD, ALICES_PHONE) == account


def test_even_from_the_very_address_of_the_stranger(account: Account, few: None) -> None:
    fail_from(STRANGER, 4)
    home = Visitor(STRANGER.address, browser="F1001.phone")
    assert signed_in("F1001", PASSWORD, home) == account


def test_its_own_browser_is_delayed_after_failures_of_its_own(account: Account) -> None:
    guess(10, visitor=ALICES_PHONE)
    with pytest.raises(TooManyTries):
        signin.attempt("F1001", PASSWORD, ALICES_PHONE)


def test_guessing_one_account_delays_no_other(account: Account, charlies_family: Family) -> None:
    charlies = choose_password(charlies_family)
    guess(5)
    assert signed_in("F2002", PASSWORD, Visitor("192.0.2.44")) == charlies


def test_one_address_trying_many_codes_is_delayed(account: Account) -> None:
    fail_from(STRANGER, 200)
    with pytest.raises(TooManyTries):
        signin.attempt("F1001", PASSWORD, STRANGER)


def test_neighbours_who_fail_behind_the_same_address_do_not_stop_a_right_password(
    account: Account, few: None
) -> None:
    fail_from(STRANGER, 3)
    assert signed_in("F1001", PASSWORD, STRANGER) == account


def test_an_ipv6_subscriber_who_moves_from_network_to_network_is_delayed(
    account: Account, few: None
) -> None:
    """By 256 networks of 64 bits (/56), as most have, or by 65,536 (/48)."""
    for number in range(8):
        fail_from(Visitor(f"2001:db8:1:{number:x}::1"), 1, first=number)
    with pytest.raises(TooManyTries):
        signin.attempt("F1001", PASSWORD, Visitor("2001:db8:1:ff::1"))
    assert signed_in("F1001", PASSWORD, Visitor("2001:db8:1:100::1")) == account
    for number in range(12):
        fail_from(Visitor(f"2001:db8:1:{number + 1:x}00::1"), 1, first=number)
    with pytest.raises(TooManyTries):
        signin.attempt("F1001", PASSWORD, Visitor("2001:db8:1:ffff::1"))
    assert signed_in("F1001", PASSWORD, Visitor("2001:db8:2::1")) == account


def fail_from(visitor: Visitor, times: int, first: int = 0) -> None:
    """Try each time another code."""
    for number in range(first, first + times):
        guess(1, f"F9{number:03}", visitor)


def test_a_good_sign_in_does_not_clear_the_address(account: Account, few: None) -> None:
    """Or whoever has an account could guess those of others between two visits to its own."""
    fail_from(STRANGER, 3)
    assert signin.attempt("F1001", PASSWORD, STRANGER)
    guess(1, code="F9777")
    with pytest.raises(TooManyTries):
        signin.attempt("F1001", PASSWORD, STRANGER)


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("203.0.113.9", ["203.0.113.9"]),
        ("2001:db8:1:2:3:4:5:6", ["2001:db8:1:2::/64", "2001:db8:1::/56", "2001:db8:1::/48"]),
        ("2001:db8:1:2:ffff::1", ["2001:db8:1:2::/64", "2001:db8:1::/56", "2001:db8:1::/48"]),
        ("::ffff:203.0.113.9", ["203.0.113.9"]),
        ("", [""]),
        ("unix:", ["unix:"]),
    ],
)
def test_an_ipv6_subscriber_is_one_visitor(address: str, networks: list[str]) -> None:
    found = Visitor(address).buckets(throttle.ADDRESS)
    assert [bucket.name for bucket in found] == networks


def test_guesses_in_a_day_stay_below_twenty_five(account: Account, frozen: Clock) -> None:
    tries, end = 0, frozen.at + timedelta(days=1)
    while frozen.at < end:
        try:
            guess(1, visitor=Visitor(f"192.0.2.{tries}"))
            tries += 1
        except TooManyTries as refusal:
            frozen.at += refusal.wait
    assert tries < 25


def test_an_unknown_code_is_counted_delayed_and_hashed_like_a_known_one(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            hashed.append(password)
            return super().verify(hash, password)

    monkeypatch.setattr(hashing, "hasher", Counting(1, 8, 1))
    answers = []
    for code, visitor in (("F1001", STRANGER), ("F9999", Visitor("192.0.2.44"))):
        guess(5, code, visitor)
        with pytest.raises(TooManyTries) as refused:
            signin.attempt(code, "essai", visitor)
        answers.append((len(hashed), refused.value.wait))
        hashed.clear()
    assert answers[0] == answers[1]


def test_the_log_tells_who_came_in_and_who_was_refused(account: Account) -> None:
    guess(1)
    guess(1, code="F9999")
    signin.attempt("F1001", PASSWORD, STRANGER)
    lines = [
        (line.kind, line.family_id, line.address)
        for line in SecurityEvent.select().order_by(SecurityEvent.id)
    ]
    family = account.family_id
    assert lines == [
        ("refused", family, STRANGER.address),
        ("refused", None, STRANGER.address),
        ("signed_in", family, STRANGER.address),
    ]


def writes_of(action: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the transactions that the action writes."""
    begun = []
    writing = database.writing

    def counted(until: float) -> AbstractContextManager[None]:
        begun.append(until)
        return writing(until)

    with monkeypatch.context() as patch:
        patch.setattr(database.obj, "writing", counted)
        action()
    return len(begun)


@pytest.mark.parametrize("visitor", [STRANGER, ALICES_PHONE])
def test_signing_in_writes_twice_before_the_hash_and_after(
    account: Account, monkeypatch: pytest.MonkeyPatch, visitor: Visitor
) -> None:
    assert writes_of(lambda: signin.attempt("F1001", PASSWORD, visitor), monkeypatch) == 2
    assert writes_of(lambda: signin.attempt("F1001", "essai", visitor), monkeypatch) == 2


def test_the_try_is_in_the_database_before_the_password_is_hashed(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    class Looking(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            counted.append(sum(row.failures for row in Throttle.select()))
            return super().verify(hash, password)

    monkeypatch.setattr(hashing, "hasher", Looking(1, 8, 1))
    signin.attempt("F1001", PASSWORD, STRANGER)
    assert counted == [2]  # by account, and by network address
    assert [row.failures for row in Throttle.select()] == [0]


def test_a_password_changed_meanwhile_opens_nothing_and_its_try_stays_counted(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the hash and what follows it: all of that is undone."""

    def changed_meanwhile(account: Account, _password: str) -> None:
        choose_password(account.family, "une tout autre phrase")

    monkeypatch.setattr(accounts, "rehash_if_weak", changed_meanwhile)
    with pytest.raises(sessions.Stale):
        signin.attempt("F1001", PASSWORD, STRANGER)
    assert not Session.select().exists()
    assert not SecurityEvent.select().exists()
    assert [row.failures for row in Throttle.select()] == [1, 1]


def test_the_present_password_is_not_guessed_either(account: Account, frozen: Clock) -> None:
    for _ in range(5):
        assert not signin.confirm_password(account, "essai")
    with pytest.raises(TooManyTries):
        signin.confirm_password(account, PASSWORD)
    frozen.advance(minutes=1)
    assert signin.confirm_password(account, PASSWORD)


def crowd(enter: Callable[[], object], size: int) -> tuple[int, int]:
    """Count those of a crowd that were inside at the same time, and those turned away."""
    inside, most, turned_away = 0, 0, 0
    counting, all_here, leave = threading.Lock(), threading.Barrier(size), threading.Event()

    def visit() -> None:
        nonlocal inside, most, turned_away
        all_here.wait()
        try:
            with enter():
                with counting:
                    inside += 1
                    most = max(most, inside)
                leave.wait(5)
                with counting:
                    inside -= 1
        except Busy:
            with counting:
                turned_away += 1
                if turned_away == expected:
                    leave.set()

    expected = size - 3
    at_once(*[visit] * size)
    return most, turned_away


def test_a_flood_hashes_one_at_a_time_and_turns_the_rest_away() -> None:
    assert crowd(Gate(at_once=1, waiting=2).enter, 12) == (1, 9)


def test_a_wider_gate_lets_more_in() -> None:
    """So the count above is the gate's doing."""
    assert crowd(Gate(at_once=3, waiting=0).enter, 12) == (3, 9)


def test_strangers_do_not_crowd_out_a_familys_own_browser(account: Account) -> None:
    with hashing.strangers.enter():
        assert signed_in("F1001", PASSWORD, ALICES_PHONE) == account


def test_a_stranger_who_must_wait_takes_no_place_at_the_door(account: Account) -> None:
    """With the gate full, who must wait is told so, not that the site is busy."""
    guess(5)
    with full(hashing.strangers), pytest.raises(TooManyTries):
        signin.attempt("F1001", "essai", STRANGER)
    for _ in range(5):
        signin.confirm_password(account, "essai")
    with full(hashing.changes), pytest.raises(TooManyTries):
        signin.confirm_password(account, "essai")


def test_a_family_that_changes_its_password_costs_no_place_to_those_who_sign_in(
    account: Account,
) -> None:
    with full(hashing.changes):
        assert signed_in("F1001", PASSWORD, STRANGER) == account
        assert signed_in("F1001", PASSWORD, ALICES_PHONE) == account


@contextmanager
def full(gate: Gate) -> Iterator[None]:
    """Fill a gate, those who stand behind it included."""
    with ExitStack() as places, pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "_inside", threading.BoundedSemaphore(200))
        with pytest.raises(Busy):
            for _ in range(200):
                places.enter_context(gate.enter())
        yield


def test_nothing_is_tried_or_counted_when_turned_away(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "strangers", Gate(at_once=1, waiting=0))
    with hashing.strangers.enter():
        for _ in range(50):
            with pytest.raises(Busy):
                signin.attempt("F1001", "essai", STRANGER)
    assert signed_in("F1001", PASSWORD, STRANGER) == account
