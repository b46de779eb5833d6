"""Read forms, JSON and their values strictly: exactly as a bank writes them, or not at all.

A text that is neither a form nor JSON raises ValueError. A value of the wrong kind raises Garbled,
which the site takes as BadCallback in a notification, as Unreachable in an answer.
"""

import json
import re
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from gateways.errors import Garbled

#: The most that an amount may be: ten billion euros.
MAX_CENTS = 10**12


def form_pairs(text: bytes, max_fields: int) -> list[tuple[str, str]]:
    """Read a form-encoded text in UTF-8, without NUL: its fields in order, blank ones too."""
    pairs = parse_qsl(
        text.decode("ascii"),
        keep_blank_values=True,
        strict_parsing=True,
        errors="strict",
        max_num_fields=max_fields,
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
    """Read a JSON object in UTF-8, with `most` members at most, nested ones included. Refuse
    repeated names, NaN, and NUL or lone surrogates, which no database takes."""
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
    """Return an amount written in cents: an integer, or a text of ASCII digits only.

    Raises Garbled for `45.2`, `1e2`, `"45.20"`, `true`, and what is below zero or not below
    MAX_CENTS.
    """
    if isinstance(value, str) and re.fullmatch("[0-9]{1,12}", value, re.ASCII):
        return int(value)
    if type(value) is not int or not 0 <= value < MAX_CENTS:
        raise Garbled("montant illisible")
    return value


def word(value: object, shape: str = "[A-Za-z0-9_.-]{1,64}") -> str:
    """Return a text of this shape, a regular expression: by default, a name or a status."""
    if not isinstance(value, str) or not re.fullmatch(shape, value, re.ASCII):
        raise Garbled("texte illisible")
    return value


def tables(value: object) -> list[dict[str, Any]]:
    """Return a list of JSON objects."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Garbled("liste illisible")
    return value


def _refuse(_word: str) -> NoReturn:
    raise ValueError("not a number")
