"""Ask our own site, from outside, as a bank does: which site answers, and what it sees of us.
Nothing is changed.

A token is signed with a key made from `secret_key`, so only a holder of the settings can make one.
It opens one door of the site, for a few minutes. A site of the same settings answers with a proof
of its own, and does nothing else: no row, no mail, no question to a bank. A forged token is just a
field or a header like the others: the request is handled as usual and leaves the usual audit row.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping

from kiosque.language import clock

#: The header of a GET, and the field of a form, that carry a token.
HEADER, FIELD = "Kiosque-Essai", "kiosque_essai"
#: The first line of the answer to a form, a 400: a bank that got it would send its message again.
REFUSED = "KO essai"
#: The door of the health check; `notices_of` gives those of notifications.
HEALTH = "sante"
#: Most seconds between the asker's clock and the site's; beyond that, one of them is wrong.
LIFE_SECONDS = 300
_TOKEN = re.compile(r"([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})", re.ASCII)
_LONGEST = 200


def notices_of(name: str) -> str:
    """Return the door of the notifications of one gateway."""
    return f"notification {name}"


def token(secret_key: str, door: str) -> str:
    """Make a token for one door of the site, good for LIFE_SECONDS."""
    stamp, nonce = str(int(clock.now().timestamp())), secrets.token_hex(16)
    return f"{stamp}.{nonce}.{_seal(secret_key, 'ask', door, stamp, nonce)}"


def is_ours(secret_key: str, door: str, text: str) -> bool:
    """Tell whether a holder of these settings made this token, for this door, just now."""
    found = _TOKEN.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return False
    stamp, nonce, seal = found.groups()
    wanted = _seal(secret_key, "ask", door, stamp, nonce)
    age = clock.now().timestamp() - int(stamp)
    return hmac.compare_digest(wanted, seal) and abs(age) <= LIFE_SECONDS


def in_form(secret_key: str, door: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return our token in a form, else ""."""
    found = [value for name, value in fields if name == FIELD]
    return found[0] if len(found) == 1 and is_ours(secret_key, door, found[0]) else ""


def answer(secret_key: str, asked: str, seen: Mapping[str, str]) -> str:
    """Write the answer to a token of ours: the site's proof, then what it sees, sealed too."""
    told = ";".join(f"{name}={value}" for name, value in seen.items())
    return f"{_seal(secret_key, 'answer', asked, told)};{told}"


def read_answer(secret_key: str, asked: str, text: str) -> dict[str, str] | None:
    """Return what the site saw, or None when it is not the site of these settings."""
    seal, _, told = text.strip().partition(";")
    wanted = _seal(secret_key, "answer", asked, told)
    if not hmac.compare_digest(wanted.encode(), seal.encode()):
        return None
    pairs = (part.partition("=") for part in told.split(";"))
    return {name: value for name, _, value in pairs}


def _seal(secret_key: str, *parts: str) -> str:
    """Seal parts joined by line breaks. None holds one: they come from a header or from us."""
    key = hashlib.sha256(b"kiosque probe\n" + secret_key.encode()).digest()
    return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
