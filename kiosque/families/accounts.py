"""Families' accounts: verify, give, replace and disable their passwords.

Passwords are hashed here before the transaction that stores them.
"""

from collections.abc import Callable
from datetime import timedelta

from kiosque.db import write
from kiosque.db.models import Account, Family
from kiosque.families import hashing, sessions, tokens
from kiosque.families.codes import (
    grouped,
    normalise_family_code,
    normalise_random_code,
    random_code,
)
from kiosque.families.passwords import NewPassword
from kiosque.language import clock

#: How long a password given by the town hall serves, for the family to choose its own.
PROVISIONAL = timedelta(days=30)


def authenticate(code: str, password: str) -> Account | None:
    """Return the account that this code and password open, or None.

    Takes as long when the code is unknown.
    """
    named, as_given = Family.code == normalise_family_code(code), _as_given(password)
    columns = Account.password_hash, Account.must_change_password
    known = Account.select(*columns).join(Family).where(named).tuples().first()
    held, is_provisional = known or (hashing.decoy(), False)
    if not hashing.matches(held, as_given if is_provisional else password) or known is None:
        return None
    # Read only now: reading the account of a known code before would take longer than for an
    # unknown one. An account whose password was changed meanwhile is not the one just verified.
    found: Account | None = (
        Account.select(Account, Family)
        .join(Family)
        .where(named, Account.password_hash == held)
        .first()
    )
    return found


def account_of(family: Family) -> Account:
    """Return the family's account. Raises Account.DoesNotExist before its first password."""
    return Account.select(Account, Family).join(Family).where(Account.family == family).get()


def issue_password(
    family: Family, *, must_change: bool, before: Callable[[], object] = lambda: None
) -> str:
    """Give a family a new random password and end its sessions. Returns it in clear, this once.
    `before` is that of `set_password`."""
    password = random_code()
    _store(family, password, must_change=must_change, before=before)
    return password


def set_password(new: NewPassword, *, before: Callable[[], object] = lambda: None) -> Account:
    """Replace a family's password by one it chose, and end its sessions. Returns the account as
    it has become, to sign in with again.

    `before` is called first, in the same transaction: if it raises, nothing changes.
    """
    _store(new.family, new.text, must_change=False, before=before)
    return account_of(new.family)


def has_expired(account: Account) -> bool:
    """Tell whether the account's password is a provisional one that is too old to serve."""
    expires_at = account.password_set_at + PROVISIONAL
    return account.must_change_password and clock.now() >= expires_at


def rehash_if_weak(account: Account, password: str) -> None:
    """Hash again a password just verified, if its hash is weaker than today's. Sessions go on."""
    weak = account.password_hash
    if not hashing.is_weak(weak):
        return
    strong = hashing.hash_password(_typed(account, password))
    with write():
        changed = Account.update(password_hash=strong).where(
            Account.id == account.id, Account.password_hash == weak
        )
        if changed.execute():
            account.password_hash = strong


def families_without_password() -> list[Family]:
    """Return the families that have never been given a way in, in the order of their codes; not
    those forgotten or archived."""
    known = Account.select(Account.family)
    without = Family.id.not_in(known)
    there = Family.forgotten_at.is_null() & Family.archived_at.is_null()
    return list(Family.select().where(without, there).order_by(Family.code))


def verify_password(account: Account, password: str) -> bool:
    """Tell whether this is the account's password."""
    return hashing.matches(account.password_hash, _typed(account, password))


def _typed(account: Account, password: str) -> str:
    return _as_given(password) if account.must_change_password else password


def _as_given(password: str) -> str:
    """Normalise a provisional password: people copy it from paper, with or without its dashes, in
    either case. A password that a family chose must match exactly."""
    return grouped(normalise_random_code(password))


def disable(family: Family, password_hash: str) -> None:
    """Close the family's account, if it has one, and end its sessions, as part of the
    transaction under way.

    `password_hash` is an unknowable one, made before: nothing is hashed inside a transaction.
    """
    account = Account.get_or_none(Account.family == family)
    if account:
        values = {"password_hash": password_hash, "password_set_at": clock.now()}
        Account.update(values).where(Account.id == account.id).execute()
        sessions.end_all(account)


def _store(
    family: Family,
    password: str,
    *,
    must_change: bool,
    before: Callable[[], object] = lambda: None,
) -> None:
    password_hash = hashing.hash_password(password)
    with write():
        before()
        tokens.cancel(family)
        values = {
            "password_hash": password_hash,
            "must_change_password": must_change,
            "password_set_at": clock.now(),
        }
        account = Account.get_or_none(Account.family == family)
        if account is None:
            Account.create(family=family, **values)
        else:
            Account.update(values).where(Account.id == account.id).execute()
            sessions.end_all(account)
