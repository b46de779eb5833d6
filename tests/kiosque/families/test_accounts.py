"""Accounts: whose a password is, and what ends with it."""

import pytest
from argon2 import PasswordHasher

from kiosque.db import database
from kiosque.db.models import Account, Family, Guardian
from kiosque.families import accounts, contacts, hashing, passwords
from tests.conftest import PASSWORD, choose_password


@pytest.fixture
def account(alices_family: Family) -> Account:
    return choose_password(alices_family)


def test_the_right_password_opens_however_the_code_is_typed(account: Account) -> None:
    for code in ("F1001", "f1001", " F 1001 "):
        assert accounts.authenticate(code, PASSWORD) == account


@pytest.mark.parametrize(
    ("code", "password"),
    [
        ("F1001", "une phrase assez longu"),
        ("F1001", PASSWORD + " "),
        ("F1001", ""),
        ("F9999", PASSWORD),
        ("", ""),
        ("F1001\0", PASSWORD),
        ("😀" * 5000, "x" * 1_000_000),
        ("F1001", "\udc80"),
    ],
)
def test_anything_else_does_not(account: Account, code: str, password: str) -> None:
    assert accounts.authenticate(code, password) is None


def test_an_unknown_code_costs_the_same_hash(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            calls.append(password)
            return super().verify(hash, password)

    monkeypatch.setattr(hashing, "hasher", Counting(1, 8, 1))
    accounts.authenticate("F9999", "x")
    accounts.authenticate("F1001", "x")
    assert calls == ["x", "x"]


def test_an_unknown_code_asks_the_same_of_the_database(
    account: Account, queries: list[str]
) -> None:
    asked = []
    for code in ("F9999", "F1001"):
        queries.clear()
        assert accounts.authenticate(code, "x") is None
        asked.append([str(query).partition("',")[0] for query in queries])
    assert asked[0] == asked[1]
    assert len(asked[0]) == 1
    assert "address" not in asked[0][0]


def test_a_password_changed_while_it_is_verified_does_not_open(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    matches = hashing.matches

    def changed_meanwhile(password_hash: str, password: str) -> bool:
        right = matches(password_hash, password)
        choose_password(account.family, "une tout autre phrase")
        return right

    monkeypatch.setattr(hashing, "matches", changed_meanwhile)
    assert accounts.authenticate("F1001", PASSWORD) is None


def test_a_very_long_password_is_not_truncated(account: Account) -> None:
    long = PASSWORD.ljust(hashing.LONGEST_PASSWORD, "é")
    choose_password(account.family, long)
    assert accounts.authenticate("F1001", long)
    assert accounts.authenticate("F1001", long[:-1]) is None
    assert accounts.authenticate("F1001", long + "é") is None


def test_a_password_is_the_same_however_the_keyboard_composes_it(account: Account) -> None:
    choose_password(account.family, "un \u00e9t\u00e9 au bord de la mer")
    assert accounts.authenticate("F1001", "un e\u0301te\u0301 au bord de la mer")


def test_a_hash_of_weaker_days_is_made_again_at_the_next_sign_in(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = account.password_hash
    accounts.rehash_if_weak(account, PASSWORD)
    assert accounts.account_of(account.family).password_hash == weak
    monkeypatch.setattr(hashing, "hasher", PasswordHasher(2, 16, 1))
    accounts.rehash_if_weak(account, PASSWORD)
    stronger = accounts.account_of(account.family).password_hash
    assert "m=16,t=2,p=1" in stronger
    assert accounts.authenticate("F1001", PASSWORD)


def test_a_given_password_typed_otherwise_is_hashed_again_as_it_was_given(
    alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = accounts.issue_password(alices_family, must_change=True)
    monkeypatch.setattr(hashing, "hasher", PasswordHasher(2, 16, 1))
    accounts.rehash_if_weak(accounts.account_of(alices_family), given.upper())
    assert "m=16,t=2,p=1" in accounts.account_of(alices_family).password_hash
    assert accounts.authenticate("F1001", given)


def test_a_hash_is_not_made_again_over_a_password_changed_meanwhile(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_password(account.family, "une tout autre phrase")
    monkeypatch.setattr(hashing, "hasher", PasswordHasher(2, 16, 1))
    accounts.rehash_if_weak(account, PASSWORD)
    assert accounts.authenticate("F1001", "une tout autre phrase")


def test_an_issued_password_is_random_and_may_have_to_be_changed(alices_family: Family) -> None:
    first = accounts.issue_password(alices_family, must_change=True)
    second = accounts.issue_password(alices_family, must_change=True)
    assert first != second
    assert len(first) >= passwords.MINIMUM_LENGTH
    assert accounts.account_of(alices_family).must_change_password
    assert accounts.authenticate("F1001", first) is None


def test_passwords_are_kept_as_argon2id_with_the_chosen_cost(
    alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    accounts.issue_password(alices_family, must_change=True)
    stored = accounts.account_of(alices_family).password_hash
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_nothing_is_hashed_inside_a_transaction(
    alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Watching(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            assert not database.in_transaction()
            return super().hash(password, salt=salt)

    monkeypatch.setattr(hashing, "hasher", Watching(1, 8, 1))
    accounts.issue_password(alices_family, must_change=True)


def test_families_that_never_had_a_password_are_known(
    account: Account, charlies_family: Family
) -> None:
    assert accounts.families_without_password() == [charlies_family]


def test_a_family_is_written_to_where_it_asked_else_where_the_town_knows(
    alices_family: Family, charlies_family: Family
) -> None:
    assert contacts.addresses(alices_family) == []
    for family, email in (
        (alices_family, "alice@example.org"),
        (alices_family, ""),
        (alices_family, "bob@example.org"),
        (alices_family, "alice@example.org"),
        (charlies_family, "charlie@example.org"),
    ):
        Guardian.create(family=family, first_name="", last_name="", email=email)
    assert contacts.addresses(alices_family) == ["alice@example.org", "bob@example.org"]
    Guardian.create(family=alices_family, first_name="", last_name="", email="ALICE@Example.org")
    assert contacts.addresses(alices_family) == ["alice@example.org", "bob@example.org"]
    alices_family.email = "martin@example.org"
    assert contacts.addresses(alices_family) == ["martin@example.org"]
