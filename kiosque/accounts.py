"""Families' passwords and who is who. No web request here, no hashing inside a transaction."""

import hmac
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosque.database import write
from kiosque.models import Account, Family

#: argon2id, 19 MiB, two passes: about 20 ms on a small server.
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

MINIMUM_LENGTH = 12
# No 0/o, 1/l/i: these are read on paper and typed on a phone.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def normalise_code(text: str) -> str:
    """A *code famille* as stored: people type it with spaces and in either case."""
    return "".join(text.split()).upper()


def authenticate(code: str, password: str) -> Account | None:
    """The account, if the password is its own. Takes as long when the code is unknown."""
    account = (
        Account.select(Account, Family)
        .join(Family)
        .where(Family.code == normalise_code(code))
        .first()
    )
    matches = _matches(account.password_hash if account else _decoy(), password)
    return account if account and matches else None


def find(family: Family) -> Account:
    """The family's account. Raises Account.DoesNotExist before its first password."""
    return Account.select(Account, Family).join(Family).where(Account.family == family).get()


def issue_password(family: Family, *, must_change: bool) -> str:
    """Give a family a new random password, returned in clear this once, and end its sessions."""
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))
    _store(family, password, must_change=must_change)
    return password


def change_password(account: Account, password: str) -> Account:
    """Replace the password by the family's own choice and end its sessions. Returns the
    account as it has become, to sign in with again."""
    _store(account.family, password, must_change=False)
    return Account.get_by_id(account.id)


def password_faults(password: str, account: Account) -> list[str]:
    """Why a new password is refused, in French; nothing when it is good."""
    faults = []
    if len(password) < MINIMUM_LENGTH:
        faults.append(f"Le mot de passe doit compter au moins {MINIMUM_LENGTH} caractères.")
    if account.family.code.lower() in password.lower():
        faults.append("Le mot de passe ne doit pas contenir votre code famille.")
    if not faults and _matches(account.password_hash, password):
        faults.append("Choisissez un mot de passe différent de l’actuel.")
    return faults


def families_without_password() -> list[Family]:
    """Families that have never been given a way in."""
    known = Account.select(Account.family)
    return list(Family.select().where(Family.id.not_in(known)).order_by(Family.code))


def is_current(account: Account, session_key: str) -> bool:
    """Whether a session opened with this key is still allowed."""
    return hmac.compare_digest(account.session_key.encode(), session_key.encode())


def verify_password(account: Account, password: str) -> bool:
    return _matches(account.password_hash, password)


def _store(family: Family, password: str, *, must_change: bool) -> None:
    password_hash, session_key = hasher.hash(password), secrets.token_urlsafe(16)
    with write():
        values = {
            "password_hash": password_hash,
            "must_change_password": must_change,
            "session_key": session_key,
        }
        if not Account.update(values).where(Account.family == family).execute():
            Account.create(family=family, **values)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def _decoy() -> str:
    """A hash of nobody's password, made with the parameters in force."""
    return hasher.hash(secrets.token_hex())
