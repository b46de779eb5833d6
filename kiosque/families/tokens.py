"""What opens a door once: the activation code of a letter, the link of a mail.

Only its hash is kept. It serves once, for a time, for one purpose and one family; a new one
cancels the earlier. The secret of a link is drawn when its mail leaves, never before: none
waits in the base, and a mail server that was down shortens nobody's hour.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from peewee import ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Family, Token
from kiosque.language import clock


class Purpose(StrEnum):
    """What a token opens."""

    ACTIVATION = "activation"
    RESET = "reset"
    EMAIL = "email"


LIFETIMES = {
    Purpose.ACTIVATION: timedelta(days=30),
    Purpose.RESET: timedelta(hours=1),
    Purpose.EMAIL: timedelta(hours=1),
}
#: A link not gone after this was for somebody who no longer waits for it.
LINK_LEAVES_WITHIN = timedelta(days=1)


class Spent(Exception):
    """It has served, or its time is over, or another has replaced it; nothing was done."""


def issue_code(family: Family, code: str) -> Token:
    """Make this activation code the family's one, as part of the transaction under way."""
    return _create(Purpose.ACTIVATION, family, normalise_code(code), "")


def prepare_link(purpose: Purpose, family: Family, email: str) -> Token:
    """Announce a link that a mail to `email` will carry, as part of the transaction under way.

    Nobody knows the secret it has until `draw_link`. For Purpose.EMAIL, `email` is the address
    to confirm.
    """
    return _create(purpose, family, secrets.token_urlsafe(32), email)


def draw_link(token_id: int) -> str | None:
    """The secret of the link, 256 bits, drawn now for the mail that leaves: one drawn before
    opens nothing any more. None when the link is cancelled, has served, or comes too late."""
    secret, now = secrets.token_urlsafe(32), clock.now()
    with write():
        token = Token.get_or_none(Token.id == token_id)
        if token is None or token.used_at or token.issued_at <= now - LINK_LEAVES_WITHIN:
            return None
        ends = now + LIFETIMES[Purpose(token.purpose)]
        Token.update(digest=_digest(secret), expires_at=ends).where(Token.id == token.id).execute()
    return secret


def find_code(family_code: str, code: str) -> Token | None:
    """The activation token that this code opens for the family of that *code famille*."""
    return _find(
        normalise_code(code), Token.purpose == Purpose.ACTIVATION, Family.code == family_code
    )


def find_link(secret: str, *purposes: Purpose) -> Token | None:
    """The token, with its family, of a link that can still serve."""
    return _find(secret, Token.purpose.in_(purposes))


def pending_email(family: Family) -> str:
    """The address whose confirmation is awaited; empty when none is."""
    token = Token.get_or_none(
        Token.family == family,
        Token.purpose == Purpose.EMAIL,
        Token.used_at.is_null(),
        Token.expires_at > clock.now(),
    )
    return token.email if token else ""


def redeem(token: Token) -> None:
    """Use it up, as part of the change that it allows. Raises Spent when it cannot serve."""
    require_write()
    now = clock.now()
    used: int = (
        Token.update(used_at=now)
        .where(
            Token.id == token.id,
            Token.digest == token.digest,
            Token.used_at.is_null(),
            Token.expires_at > now,
        )
        .execute()
    )
    if used != 1:
        raise Spent


def cancel(family: Family, *purposes: Purpose) -> None:
    """Cancel what the family has not used, of these purposes or of all, as part of the change
    that makes it unwelcome."""
    require_write()
    ModelDelete(Token).where(
        Token.family == family,
        Token.purpose.in_(purposes or list(Purpose)),
        Token.used_at.is_null(),
    ).execute()


def purge() -> None:
    """Erase what can no longer serve."""
    now = clock.now()
    over = (Token.expires_at <= now) & (Token.issued_at <= now - LINK_LEAVES_WITHIN)
    with write():
        ModelDelete(Token).where(Token.used_at.is_null(False) | over).execute()


def normalise_code(code: str) -> str:
    """An activation code as hashed: people copy it with or without its dashes, in either case."""
    return "".join(character for character in code.lower() if character.isalnum())


def _create(purpose: Purpose, family: Family, secret: str, email: str) -> Token:
    cancel(family, purpose)
    now: datetime = clock.now()
    return Token.create(
        digest=_digest(secret),
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
            Token.digest == _digest(secret),
            Token.used_at.is_null(),
            Token.expires_at > clock.now(),
            *conditions,
        )
        .first()
    )
    return found


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
