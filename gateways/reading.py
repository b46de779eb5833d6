"""Read a form, a JSON object or an amount as a bank writes it: exactly, or not at all.

What is anything else raises ValueError; an amount, BadAmount. Standard library only.
"""

import json
import re
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from gateways.errors import BadAmount

#: Most fields of a message, those inside others included. A bank sends some 80; far more is an
#: attack on the parser.
MAX_FIELDS = 300
#: The most that an amount may be: ten billion euros.
MAX_CENTS = 10**12


def form_pairs(text: bytes) -> list[tuple[str, str]]:
    """Read a form-encoded text in UTF-8, without NUL: its fields in their order, blank ones too."""
    pairs = parse_qsl(
        text.decode("ascii"),
        keep_blank_values=True,
        strict_parsing=True,
        errors="strict",
        max_num_fields=MAX_FIELDS,
    )
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise ValueError("NUL")
    return pairs


def is_json(content_type: str) -> bool:
    """Return True for JSON, or for a kind of it such as `application/hal+json` (RFC 6839)."""
    return content_type == "application/json" or (
        content_type.startswith("application/") and content_type.endswith("+json")
    )


def json_object(text: bytes, most: int | None = None) -> dict[str, Any]:
    """Read a JSON object in UTF-8, of `most` members in all: no name twice, no NaN, no NUL nor half
    a character, which no database takes."""
    members = 0

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal members
        members += len(pairs)
        found = dict(pairs)
        if len(found) != len(pairs) or (most is not None and members > most):
            raise ValueError("a name twice, or too many of them")
        return found

    try:
        value = json.loads(text.decode(), parse_constant=_refuse, object_pairs_hook=unique)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict) or rb"\u0000" in text:
        raise ValueError("not an object, or NUL")
    if rb"\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def cents(value: object) -> int:
    """Return an amount that is written in cents: an integer, or a text of ASCII digits alone.

    Neither `45.2`, `1e2`, `"45.20"`, `true` nor what is negative or beyond MAX_CENTS is one. Raises
    BadAmount, which the site takes as BadCallback in a notification, as Unreachable in an answer.
    """
    if isinstance(value, str) and re.fullmatch("[0-9]{1,12}", value, re.ASCII):
        return int(value)
    if type(value) is not int or not 0 <= value < MAX_CENTS:
        raise BadAmount("montant illisible")
    return value


def _refuse(_word: str) -> NoReturn:
    raise ValueError("not a number")
