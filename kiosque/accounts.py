"""Families' ways in and who is who. No web request here, no hashing inside a transaction."""

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosque import sessions
from kiosque.database import write
from kiosque.models import Account, Family, Guardian

#: argon2id, 19 MiB, two passes: about 20 ms on a small server.
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

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
    password = random_code()
    _store(family, password, must_change=must_change)
    return password


def random_code() -> str:
    """Fifteen letters and figures, 74 bits, grouped to be read on paper and typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))


def set_password(family: Family, password: str) -> Account:
    """Replace the password by the family's own choice and end its sessions. Returns the
    account as it has become, to sign in with again."""
    _store(family, password, must_change=False)
    return find(family)


def strengthen(account: Account, password: str) -> None:
    """Hash a password just verified again, if it was hashed with weaker parameters than
    today's. Sessions go on."""
    weak = account.password_hash
    if not hasher.check_needs_rehash(weak):
        return
    strong = hasher.hash(normalise_password(password))
    with write():
        Account.update(password_hash=strong).where(
            Account.id == account.id, Account.password_hash == weak
        ).execute()


def addresses(family: Family) -> list[str]:
    """Where the family is written to: the e-mail address it confirmed, else those that the town
    holds of its parents; none when the town knows none."""
    if family.email:
        return [family.email]
    guardians = Guardian.select().where(Guardian.family == family, Guardian.email != "")
    return list(dict.fromkeys(guardian.email for guardian in guardians.order_by(Guardian.id)))


def families_without_password() -> list[Family]:
    """Families that have never been given a way in."""
    known = Account.select(Account.family)
    return list(Family.select().where(Family.id.not_in(known)).order_by(Family.code))


def verify_password(account: Account, password: str) -> bool:
    return _matches(account.password_hash, password)


def normalise_password(password: str) -> str:
    """The same characters however a keyboard composes them: `é` may come as one or two."""
    return unicodedata.normalize("NFC", password)


def _store(family: Family, password: str, *, must_change: bool) -> None:
    password_hash = hasher.hash(normalise_password(password))
    with write():
        values = {"password_hash": password_hash, "must_change_password": must_change}
        account = Account.get_or_none(Account.family == family)
        if account is None:
            Account.create(family=family, **values)
        else:
            Account.update(values).where(Account.id == account.id).execute()
            sessions.end_all(account)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, normalise_password(password))
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def _decoy() -> str:
    """A hash of nobody's password, made with the parameters in force."""
    return hasher.hash(secrets.token_hex())
