"""Families' ways in and who is who. No web request here, no hashing inside a transaction."""

import contextlib
import ctypes
import secrets
import unicodedata
from collections.abc import Callable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from peewee import Expression, TextField, fn

from kiosque.db import require_no_write, write
from kiosque.db.models import Account, Family, Guardian
from kiosque.families import sessions, tokens
from kiosque.outbox.addresses import distinct, key

#: argon2id, 19 MiB, two passes: about 20 ms on a small server.
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

#: glibc's M_MMAP_THRESHOLD, in bytes: without it, the 19 MiB of the second hash of a process and
#: of those after it would stay in the process for good.
_MMAP_THRESHOLD = -3, 1024 * 1024
with contextlib.suppress(AttributeError):  # another library of C
    ctypes.CDLL(None).mallopt(*_MMAP_THRESHOLD)

#: A longer password is refused, never cut: to normalise hostile text takes a time quadratic in it.
LONGEST_PASSWORD = 1000

# No 0/o, 1/l/i: these are read on paper and typed on a phone.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def normalise_code(text: str) -> str:
    """A *code famille* as stored: people type it with spaces and in either case."""
    return "".join(text.split()).upper()


def authenticate(code: str, password: str) -> Account | None:
    """The account, if the password is its own. Takes as long when the code is unknown."""
    named = Family.code == normalise_code(code)
    held: str | None = Account.select(Account.password_hash).join(Family).where(named).scalar()
    if not _matches(held or _decoy(), password) or held is None:
        return None
    # Only now, or a known code would take the time to read its account. One whose password was
    # changed meanwhile is not the one just verified.
    found: Account | None = (
        Account.select(Account, Family)
        .join(Family)
        .where(named, Account.password_hash == held)
        .first()
    )
    return found


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


def set_password(
    family: Family, password: str, *, also: Callable[[], object] = lambda: None
) -> Account:
    """Replace the password by the family's own choice and end its sessions. Returns the
    account as it has become, to sign in with again.

    `also` is done before, in the same transaction: what it raises leaves all as it was.
    """
    _store(family, password, must_change=False, also=also)
    return find(family)


def strengthen(account: Account, password: str) -> None:
    """Hash a password just verified again, if it was hashed with weaker parameters than
    today's. Sessions go on."""
    weak = account.password_hash
    if not hasher.check_needs_rehash(weak):
        return
    strong = _hash(password)
    with write():
        changed = Account.update(password_hash=strong).where(
            Account.id == account.id, Account.password_hash == weak
        )
        if changed.execute():
            account.password_hash = strong


def addresses(family: Family) -> list[str]:
    """Where the family is written to: the e-mail address it confirmed, else those that the town
    holds of its parents; none when the town knows none."""
    return distinct([family.email] if family.email else _held(family))


def every_address(family: Family) -> list[str]:
    """Every e-mail address known of the family, to warn it of what changes its way in."""
    return distinct([*filter(None, [family.email]), *_held(family)])


def is_written_to_at(family: Family, email: str) -> bool:
    """Whether this address is still one of those that `addresses` gives."""
    return key(email) in {key(each) for each in addresses(family)}


def families_written_to_at(email: str) -> list[tuple[Family, str]]:
    """The families that `addresses` gives this e-mail address for, however it is written, each
    with the address it has: that is the one to write to."""
    typed = key(email)
    guardians = Guardian.select(Guardian.family).where(_may_be(Guardian.email, typed))
    candidates = Family.select().where(_may_be(Family.email, typed) | Family.id.in_(guardians))
    found = []
    for family in candidates.order_by(Family.code):
        held = (each for each in addresses(family) if key(each) == typed)
        if address := next(held, None):
            found.append((family, address))
    return found


def families_without_password() -> list[Family]:
    """Families that have never been given a way in."""
    known = Account.select(Account.family)
    return list(Family.select().where(Family.id.not_in(known)).order_by(Family.code))


def verify_password(account: Account, password: str) -> bool:
    return _matches(account.password_hash, password)


def normalise_password(password: str) -> str:
    """The same characters however a keyboard composes them: `é` may come as one or two."""
    return unicodedata.normalize("NFC", password)


def _held(family: Family) -> list[str]:
    """What the town's record has of its parents' addresses, as it is there."""
    guardians = Guardian.select().where(Guardian.family == family, Guardian.email != "")
    return [guardian.email for guardian in guardians.order_by(Guardian.id)]


def _may_be(column: TextField, typed: str) -> Expression:
    """Whether the base may hold there an address of this key: exactly when it is in ASCII, as
    the base lowers no other letter. The few others, longer in bytes than in letters, are compared
    one by one."""
    return (fn.LOWER(column) == typed) | (fn.OCTET_LENGTH(column) > fn.LENGTH(column))


def _store(
    family: Family,
    password: str,
    *,
    must_change: bool,
    also: Callable[[], object] = lambda: None,
) -> None:
    password_hash = _hash(password)
    with write():
        also()
        tokens.cancel(family)
        values = {"password_hash": password_hash, "must_change_password": must_change}
        account = Account.get_or_none(Account.family == family)
        if account is None:
            Account.create(family=family, **values)
        else:
            Account.update(values).where(Account.id == account.id).execute()
            sessions.end_all(account)


def unknowable_hash() -> str:
    """A hash that no password opens, at the usual price."""
    return _hash(secrets.token_hex())


def disable(family: Family, password_hash: str) -> None:
    """Close the family's account, if it has one, with this unknowable hash, and end its
    sessions; part of the transaction under way, which must not hash."""
    account = Account.get_or_none(Account.family == family)
    if account:
        Account.update(password_hash=password_hash).where(Account.id == account.id).execute()
        sessions.end_all(account)


def _hash(password: str) -> str:
    require_no_write()
    return hasher.hash(normalise_password(password))


def _matches(password_hash: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    require_no_write()
    try:
        return hasher.verify(password_hash, normalise_password(password))
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def _decoy() -> str:
    """What an unknown code is compared with, so that it takes as long."""
    return unknowable_hash()
