"""Sessions kept by the server: how long they last, and what ends them."""

import pytest

from kiosque.db.models import Account, Family, Session
from kiosque.families import accounts, sessions
from tests.conftest import PASSWORD, Clock, choose_password


@pytest.fixture
def account(alices_family: Family) -> Account:
    return choose_password(alices_family)


def test_a_session_is_its_accounts_and_its_number_is_not_in_the_database(account: Account) -> None:
    number = sessions.start(account)
    assert sessions.signed_in(number) == account
    assert sessions.signed_in(number + "x") is None
    assert number not in str(Session.select().dicts().get())


def test_it_ends_after_half_an_hour_idle(account: Account, frozen: Clock) -> None:
    number = sessions.start(account)
    for _ in range(10):
        frozen.advance(minutes=29)
        assert sessions.signed_in(number)
    frozen.advance(minutes=30)
    assert sessions.signed_in(number) is None


def test_it_ends_after_twelve_hours_however_busy(account: Account, frozen: Clock) -> None:
    number = sessions.start(account)
    for _ in range(35):
        frozen.advance(minutes=20)
        assert sessions.signed_in(number)
    frozen.advance(minutes=20)
    assert sessions.signed_in(number) is None


def test_pages_in_a_row_write_once_a_minute(
    account: Account, frozen: Clock, queries: list[str]
) -> None:
    number = sessions.start(account)
    queries.clear()
    for _ in range(60):
        frozen.advance(seconds=2)
        assert sessions.signed_in(number)
    assert sum("UPDATE" in query for query in queries) == 2


def test_ending_one_leaves_the_others(account: Account) -> None:
    phone, desktop = sessions.start(account), sessions.start(account)
    sessions.end(phone)
    assert sessions.signed_in(phone) is None
    assert sessions.signed_in(desktop)


def test_a_new_password_ends_them_all(account: Account) -> None:
    numbers = [sessions.start(account) for _ in range(3)]
    accounts.issue_password(account.family, must_change=True)
    assert not any(sessions.signed_in(number) for number in numbers)


def test_it_does_not_end_another_familys(account: Account, charlies_family: Family) -> None:
    charlies = sessions.start(choose_password(charlies_family))
    choose_password(account.family, "une tout autre phrase")
    assert sessions.signed_in(charlies)


def test_the_purge_erases_what_has_run_out_and_nothing_else(
    account: Account, frozen: Clock
) -> None:
    sessions.start(account)
    frozen.advance(minutes=20)
    alive = sessions.start(account)
    frozen.advance(minutes=10)
    sessions.purge()
    assert Session.select().count() == 1
    assert sessions.signed_in(alive)


def test_none_begins_with_a_password_changed_since_it_was_verified(account: Account) -> None:
    verified = accounts.authenticate("F1001", PASSWORD)
    choose_password(account.family, "une tout autre phrase")
    with pytest.raises(sessions.Stale):
        sessions.start(verified)
    assert not Session.select().exists()
