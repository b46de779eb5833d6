"""Secrets that serve once: the activation code of a letter, the link of a mail.

Only the hash of a secret is stored. A token serves once, for a limited time, for one purpose and
one family; a new one cancels the earlier. The secret of a link is drawn when its mail leaves: so
none waits in the database, and the link's hour is not shortened by a mail server that was down.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from peewee import Expression, ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Family, StaffInvitation, Token
from kiosque.families.codes import normalise_random_code
from kiosque.language import clock


class Purpose(StrEnum):
    """The one thing that a token allows."""

    ACTIVATION = "activation"
    RESET = "reset"
    EMAIL = "email"
    NOT_ME = "not_me"


LIFETIMES = {
    Purpose.ACTIVATION: timedelta(days=30),
    Purpose.RESET: timedelta(hours=1),
    Purpose.EMAIL: timedelta(hours=1),
    # No session lasts longer, so there is nothing left to end after this.
    Purpose.NOT_ME: timedelta(days=1),
}
#: Tokens cancelled by a new password, and by a new token of the same kind. Not those by which a
#: family disowns a sign-in: each mail has its own, and a thief must not be able to cancel them.
_REPLACED = (Purpose.ACTIVATION, Purpose.RESET, Purpose.EMAIL)
#: A link whose mail could not leave within this is not sent: nobody waits for it any more.
LINK_LEAVES_WITHIN = timedelta(days=1)


class Spent(Exception):
    """The token has served, or is out of date, or another has replaced it; nothing was done."""


def issue_code(family: Family, code: str) -> Token:
    """Make this activation code the family's only one, as part of the transaction under way."""
    return _create(Purpose.ACTIVATION, family, normalise_random_code(code), "")


def prepare_link(purpose: Purpose, family: Family, email: str) -> Token:
    """Make the token of a link that a mail to `email` will carry, as part of the transaction
    under way.

    Its secret is known to nobody until `draw_link`. For Purpose.EMAIL, `email` is the address to
    confirm.
    """
    return _create(purpose, family, secrets.token_urlsafe(32), email)


def draw_link(token_id: int) -> str | None:
    """Draw the secret of a link, 256 bits, for the mail that leaves now; a secret drawn before no
    longer opens anything. Returns None when the link is cancelled, has served, or is too old."""
    secret, now = secrets.token_urlsafe(32), clock.now()
    with write():
        token = Token.get_or_none(Token.id == token_id)
        if token is None or token.used_at or token.issued_at <= now - LINK_LEAVES_WITHIN:
            return None
        ends = now + LIFETIMES[Purpose(token.purpose)]
        Token.update(digest=digest_of(secret), expires_at=ends).where(
            Token.id == token.id
        ).execute()
    return secret


def find_code(family_code: str, code: str) -> Token | None:
    """Return the activation token that this code opens for the family of that *code famille*."""
    return _find(
        normalise_random_code(code), Token.purpose == Purpose.ACTIVATION, Family.code == family_code
    )


def find_link(secret: str, *purposes: Purpose) -> Token | None:
    """Return the token, with its family, of a link that can still serve."""
    return _find(secret, Token.purpose.in_(purposes))


def pending_email(family: Family) -> str:
    """Return the address that the family has yet to confirm; empty when there is none."""
    token = Token.get_or_none(
        Token.family == family,
        Token.purpose == Purpose.EMAIL,
        Token.used_at.is_null(),
        Token.expires_at > clock.now(),
    )
    return token.email if token else ""


def redeem(token: Token | StaffInvitation) -> None:
    """Use a token up, or an agent's link, as part of the transaction that does what it allows.
    Raises Spent when it can no longer serve."""
    require_write()
    kind, now = type(token), clock.now()
    used: int = (
        kind.update(used_at=now)
        .where(
            kind.id == token.id,
            kind.digest == token.digest,
            kind.used_at.is_null(),
            kind.expires_at > now,
        )
        .execute()
    )
    if used != 1:
        raise Spent


def cancel(family: Family, *purposes: Purpose) -> None:
    """Cancel the family's unused tokens of these purposes, or all that a new password replaces, as
    part of the transaction under way."""
    require_write()
    ModelDelete(Token).where(
        Token.family == family,
        Token.purpose.in_(purposes or _REPLACED),
        Token.used_at.is_null(),
    ).execute()


def past(kind: type[Token | StaffInvitation] = Token) -> Expression:
    """Select the tokens, or the agents' links, that can no longer serve."""
    now = clock.now()
    over = (kind.expires_at <= now) & (kind.issued_at <= now - LINK_LEAVES_WITHIN)
    return kind.used_at.is_null(False) | over


def purge() -> None:
    """Erase the tokens that can no longer serve."""
    with write():
        ModelDelete(Token).where(past()).execute()


def _create(purpose: Purpose, family: Family, secret: str, email: str) -> Token:
    if purpose in _REPLACED:
        cancel(family, purpose)
    now: datetime = clock.now()
    return Token.create(
        digest=digest_of(secret),
        purpose=purpose,
        family=family,
        email=email,
        issued_at=now,
        expires_at=now + LIFETIMES[purpose],
    )


def _find(secret: str, *conditions: object) -> Token | None:
    found: Token | None = (
        Token.select(Token, Family)
        .join(Family)
        .where(
            Token.digest == digest_of(secret),
            Token.used_at.is_null(),
            Token.expires_at > clock.now(),
            *conditions,
        )
        .first()
    )
    return found


def digest_of(secret: str) -> str:
    """Return the hash under which a long random secret is stored. It is quick and has no salt,
    since nobody can guess 74 bits or more; for passwords, use `hashing`."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
