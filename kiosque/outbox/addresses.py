"""One form for an e-mail address, to keep it, to compare it, and to write to it.

People, the town's files and mail servers write one address in several ways: `École.fr`,
`xn--cole-9oa.fr`, an `é` of one character or two, capitals here or there.
"""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email_validator import ValidatedEmail

#: RFC 5321 allows no longer one.
LONGEST = 254


def normal(text: str) -> str | None:
    """The address in the form we keep, or None when no mail can be sent to it.

    The domain is as mail servers want it, in ASCII (A-labels, RFC 5891) and lower case. What
    comes before it is composed (RFC 6532 3.1), its case as written: only its server knows
    whether case counts. That part may have accents, which not every server takes (RFC 6531).
    """
    found = _read(text)
    return f"{found.local_part}@{found.ascii_domain}" if found else None


def kept(text: str) -> str:
    """The address in the form we keep; as it is, when it is none that we can write to."""
    return normal(text) or text


def key(text: str) -> str:
    """What every way to write one address has in common. Case does not count.

    Only to find whose an address is: what was typed is never written to in place of what is
    held, so that an address taken for another would gain nothing.
    """
    found = _read(text)
    if found is None:
        return text[: LONGEST + 1].strip().lower()
    return f"{found.local_part.lower()}@{found.ascii_domain}"


def distinct(addresses: Iterable[str]) -> list[str]:
    """Each of these addresses once, in the form we keep."""
    found: dict[str, str] = {}
    for address in addresses:
        found.setdefault(key(address), kept(address))
    return list(found.values())


def shown(text: str) -> str:
    """The address as its owner reads it, the domain in its own letters."""
    found = _read(text)
    return f"{found.local_part}@{found.domain}" if found else text


def _read(text: str) -> "ValidatedEmail | None":
    """The parts of an address, or None when it is none.

    `=?` opens an encoded word in a mail's header: what follows could become another address.
    """
    # 20 ms, a tenth of the site's start, for the pages that show or take an address.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    text = text.strip(" ")
    if len(text) > LONGEST or "=?" in text:
        return None  # Before the library normalises it: that is quadratic in hostile text.
    try:
        return validate_email(unicodedata.normalize("NFC", text), check_deliverability=False)
    except (EmailNotValidError, UnicodeError):
        return None
