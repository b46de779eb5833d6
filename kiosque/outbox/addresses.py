"""One form for an e-mail address, to keep it, to compare it, and to write to it.

People, the town's files and mail servers write one address in several ways: `École.fr`,
`xn--cole-9oa.fr`, an `é` of one character or two, capitals here or there.
"""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email_validator import ValidatedEmail

#: Characters of the longest address that RFC 5321 allows.
LONGEST = 254


def normal(text: str) -> str | None:
    """Return the address in the form we keep, or None when no mail can be sent to it.

    The domain is as mail servers want it, in ASCII (A-labels, RFC 5891) and lower case. What
    comes before it is composed (RFC 6532 3.1), its case as written: only its server knows
    whether case counts. That part may have accents, which not every server takes (RFC 6531).
    """
    found = _read(text)
    return f"{found.local_part}@{found.ascii_domain}" if found else None


def kept(text: str) -> str:
    """Return the address in the form we keep, or unchanged when no mail can be sent to it."""
    return normal(text) or text


def key(text: str) -> str:
    """Return what every way to write one address has in common. Case does not count.

    Use it only to find whose an address is. Write to the address that is held, never to the one
    that was typed: an address taken for another then gains nothing.
    """
    found = _read(text)
    if found is None:
        return text[: LONGEST + 1].strip().lower()
    return f"{found.local_part.lower()}@{found.ascii_domain}"


def distinct(addresses: Iterable[str]) -> list[str]:
    """Return each of these addresses once, in the form we keep."""
    found: dict[str, str] = {}
    for address in addresses:
        found.setdefault(key(address), kept(address))
    return list(found.values())


def shown(text: str) -> str:
    """Return the address as its owner reads it, the domain in its own letters."""
    found = _read(text)
    return f"{found.local_part}@{found.domain}" if found else text


def masked(text: str) -> str:
    """Return the address as only its owner recognises it: `m…@example.org`."""
    local, at, domain = shown(text).rpartition("@")
    return f"{local[:1]}…{at}{domain}" if at else ""


def _read(text: str) -> "ValidatedEmail | None":
    """Return the parts of an address, or None when it is none.

    `=?` opens an encoded word in a mail's header: what follows could become another address.
    """
    # Imported here: 20 ms, a tenth of the site's start, which only pages with an address need.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    text = text.strip(" ")
    if len(text) > LONGEST or "=?" in text:
        return None  # Refuse it before the library normalises it, in quadratic time.
    try:
        return validate_email(unicodedata.normalize("NFC", text), check_deliverability=False)
    except (EmailNotValidError, UnicodeError):
        return None
