"""A password, then a code; tries that grow slower; sessions that end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosque.db import write
from kiosque.db.models import Staff, StaffEvent, StaffSession, Throttle
from kiosque.families import throttle
from kiosque.families.throttle import TooManyTries
from kiosque.staff import accounts, second_factor, sessions, signin
from kiosque.staff.events import TERMINAL
from kiosque.staff.roles import Role
from kiosque.staff.signin import Proof
from tests.agents import PASSWORD, make_agent
from tests.conftest import Clock
from tests.kiosque.staff.test_second_factor import KEY, shown

HERE = "198.51.100.7"


@pytest.fixture
def agent(empty_database: None, frozen: Clock) -> Staff:
    return make_agent(Role.REGISSEUR, "Marie.Dupont@sautron.example.org")


def begin(agent: Staff) -> StaffSession:
    number = signin.attempt(agent.email, PASSWORD, HERE)
    assert number
    found = sessions.running(number)
    assert found
    return found


def enter(agent: Staff, clock: Clock) -> str:
    number, proof = signin.finish(begin(agent), shown(agent, clock), KEY, HERE)
    assert proof == Proof.TELEPHONE
    return number or ""


def test_a_password_then_a_code_open(agent: Staff, frozen: Clock) -> None:
    assert signin.attempt(" marie.dupont@SAUTRON.example.org", PASSWORD, HERE)
    session = sessions.running(enter(agent, frozen))
    assert session
    assert session.staff == agent
    assert sessions.is_fresh(session)


def test_half_way_is_not_in_and_does_not_last(agent: Staff, frozen: Clock) -> None:
    session = begin(agent)
    assert session.proved_at is None
    assert not sessions.is_fresh(session)
    number = signin.attempt(agent.email, PASSWORD, HERE) or ""
    frozen.advance(minutes=10)
    assert sessions.running(number) is None


def test_the_number_of_half_way_opens_nothing_after(agent: Staff, frozen: Clock) -> None:
    number = signin.attempt(agent.email, PASSWORD, HERE) or ""
    session = sessions.running(number)
    assert session
    signin.finish(session, shown(agent, frozen), KEY, HERE)
    assert sessions.running(number) is None


def test_an_unknown_agent_and_one_without_a_password_are_refused_alike(agent: Staff) -> None:
    with write():
        accounts.obtain("neuf@sautron.example.org")
    for email in ("personne@sautron.example.org", "neuf@sautron.example.org", "", "\0", "é@é"):
        assert signin.attempt(email, PASSWORD, HERE) is None
        assert signin.attempt(email, "", HERE) is None


def test_tries_grow_slower_by_account_as_for_families(agent: Staff, frozen: Clock) -> None:
    for _ in range(throttle.ACCOUNT.free):
        assert signin.attempt(agent.email, "faux", HERE) is None
    with pytest.raises(TooManyTries) as refused:
        signin.attempt(agent.email.upper(), PASSWORD, "203.0.113.1")
    assert refused.value.wait == timedelta(minutes=1)
    frozen.advance(minutes=1)
    assert signin.attempt(agent.email, PASSWORD, HERE)
    assert signin.attempt(agent.email, "faux", HERE) is None  # counted anew


def test_tries_grow_slower_by_network_too(agent: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signin, "ADDRESS", replace(signin.ADDRESS, free=4))
    for number in range(4):
        signin.attempt(f"{number}@sautron.example.org", "faux", HERE)
    with pytest.raises(TooManyTries):
        signin.attempt(agent.email, PASSWORD, HERE)
    assert signin.attempt(agent.email, PASSWORD, "203.0.113.1")


def test_codes_grow_slower_and_the_right_one_waits_too(agent: Staff, frozen: Clock) -> None:
    session = begin(agent)
    for _ in range(5):
        assert signin.finish(session, "000000", KEY, HERE) == (None, None)
    with pytest.raises(TooManyTries):
        signin.finish(session, shown(agent, frozen), KEY, HERE)
    frozen.advance(minutes=1)
    assert signin.finish(session, shown(agent, frozen), KEY, HERE)[0]


def test_a_recovery_code_stands_for_a_telephone(agent: Staff) -> None:
    codes = second_factor.renew_recovery_codes(agent, TERMINAL)
    number, proof = signin.finish(begin(agent), codes[3], KEY, HERE)
    assert (bool(number), proof) == (True, Proof.RECOVERY)
    assert signin.finish(begin(agent), codes[3], KEY, HERE) == (None, None)


def test_a_session_used_all_day_ends_after_eight_hours(agent: Staff, frozen: Clock) -> None:
    number, began = enter(agent, frozen), frozen.at
    while sessions.running(number):
        frozen.advance(minutes=20)
    assert frozen.at - began == timedelta(hours=8)


def test_a_session_left_idle_for_half_an_hour_ends(agent: Staff, frozen: Clock) -> None:
    number = enter(agent, frozen)
    frozen.advance(minutes=29)
    assert sessions.running(number)
    frozen.advance(minutes=30)
    assert sessions.running(number) is None


def test_a_fresh_code_counts_for_ten_minutes(agent: Staff, frozen: Clock) -> None:
    number = enter(agent, frozen)
    frozen.advance(minutes=10)
    session = sessions.running(number)
    assert session
    assert not sessions.is_fresh(session)
    assert signin.prove(session, "000000", KEY, HERE) is None
    assert signin.prove(session, shown(agent, frozen), KEY, HERE) == Proof.TELEPHONE
    again = sessions.running(number)
    assert again
    assert sessions.is_fresh(again)


def test_a_closed_account_ends_its_sessions(agent: Staff, frozen: Clock) -> None:
    make_agent(Role.ADMINISTRATION)
    number = enter(agent, frozen)
    accounts.close(agent, TERMINAL)
    assert sessions.running(number) is None
    assert signin.attempt(agent.email, PASSWORD, HERE) is None


def test_ten_browsers_at_most_and_what_ran_out_is_erased(agent: Staff, frozen: Clock) -> None:
    for _ in range(12):
        begin(agent)
    assert StaffSession.select().count() == 10
    frozen.advance(minutes=30)
    sessions.purge()
    assert StaffSession.select().count() == 0


def test_what_was_tried_is_in_the_log_without_what_was_typed(agent: Staff, frozen: Clock) -> None:
    signin.attempt("un mot de passe au mauvais endroit", PASSWORD, HERE)
    signin.attempt(agent.email, "faux", HERE)
    session = begin(agent)
    signin.finish(session, "123", KEY, HERE)
    signin.finish(session, shown(agent, frozen), KEY, HERE)
    lines = [
        (line.staff, line.action, line.reason)
        for line in StaffEvent.select().order_by(StaffEvent.id)
    ][-4:]
    assert lines == [
        (None, "refused", "mot de passe"),
        (agent, "refused", "mot de passe"),
        (agent, "refused", "code"),
        (agent, "signed_in", ""),
    ]
    assert {line.network for line in StaffEvent.select()} == {"", HERE}
    assert not any("endroit" in row.object for row in StaffEvent.select())
    assert Throttle.select().count() >= 1
