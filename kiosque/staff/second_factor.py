"""The second factor: the six figures that a telephone shows (TOTP, RFC 6238), or a recovery code.

The secret is derived from the site's key and from a random text stored with the agent: a copy of
the database alone is not enough to make a code. If the key changes, telephones must be associated
again.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator

from peewee import ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import RecoveryCode, Staff
from kiosque.families import tokens
from kiosque.families.codes import normalise_random_code, random_code
from kiosque.language import clock
from kiosque.staff import events
from kiosque.staff.events import Action, Actor

#: Steps of thirty seconds before and after the present one whose code is taken too: clocks differ.
WINDOW = 1
RECOVERY_CODES = 10


def new_nonce() -> str:
    """Return a random text for a new secret; codes of the former one are no longer valid."""
    return secrets.token_urlsafe(16)


def secret(staff: Staff, key: str) -> str:
    """Return the agent's secret, as a telephone takes it: 32 letters and figures (160 bits).

    `key` is the site's own.
    """
    text = f"second factor:{staff.id}:{staff.totp_nonce}".encode()
    digest = hmac.new(key.encode(), text, hashlib.sha256).digest()
    return base64.b32encode(digest[:20]).decode()


def address(staff: Staff, key: str, issuer: str) -> str:
    """Return the address to put in the QR code for a telephone; `issuer` is the name shown
    there."""
    import pyotp  # noqa: PLC0415  # few pages need it

    return pyotp.TOTP(secret(staff, key)).provisioning_uri(name=staff.email, issuer_name=issuer)


def take_code(staff: Staff, typed: str, key: str) -> bool:
    """Use up the code that a telephone shows now, as part of the transaction under way. Return
    whether it was right and not used before."""
    require_write()
    for counter, code in _codes(staff, key):
        if hmac.compare_digest(code.encode(), _figures(typed).encode(errors="surrogatepass")):
            used = Staff.update(last_counter=counter).where(
                Staff.id == staff.id, Staff.last_counter < counter
            )
            return bool(used.execute())
    return False


def take_recovery_code(staff: Staff, typed: str) -> bool:
    """Use up a recovery code, as part of the transaction under way. Return whether it was right."""
    require_write()
    used = ModelDelete(RecoveryCode).where(
        RecoveryCode.staff == staff, RecoveryCode.digest == _digest(typed)
    )
    return bool(used.execute())


def recovery_codes_left(staff: Staff) -> int:
    return RecoveryCode.select().where(RecoveryCode.staff == staff).count()


def renew_recovery_codes(staff: Staff, by: Actor) -> list[str]:
    """Give the agent ten new recovery codes in the place of the former. Returns them in clear, this
    once."""
    with write():
        events.add(Action.RECOVERY_RENEWED, by, staff.email)
        return draw_recovery_codes(staff)


def draw_recovery_codes(staff: Staff) -> list[str]:
    """Do the same as part of the transaction under way."""
    require_write()
    ModelDelete(RecoveryCode).where(RecoveryCode.staff == staff).execute()
    codes = [random_code() for _ in range(RECOVERY_CODES)]
    for code in codes:
        RecoveryCode.create(staff=staff, digest=_digest(code))
    return codes


def _codes(staff: Staff, key: str) -> Iterator[tuple[int, str]]:
    import pyotp  # noqa: PLC0415

    totp = pyotp.TOTP(secret(staff, key))
    now = totp.timecode(clock.now())
    for counter in range(now - WINDOW, now + WINDOW + 1):
        yield counter, totp.generate_otp(counter)


def _figures(typed: str) -> str:
    """Return the figures of a code: telephones show them in two groups."""
    return "".join(typed.split())


def _digest(code: str) -> str:
    return tokens.digest_of(normalise_random_code(code))
