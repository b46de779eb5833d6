"""A bank's HTTP request, stripped of its web framework."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from gateways.errors import BadCallback
from gateways.reading import form_pairs, is_json, json_object

#: Most fields of a message, nested ones included. A bank sends some 80; far more is an attack on
#: the parser.
MAX_FIELDS = 300
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass(frozen=True)
class Callback:
    """A bank's HTTP request as it came: limited in size, but not verified at all.

    To verify a signature over the whole message, use `body`: the exact bytes that came. `query` is
    what follows `?` in the address, still encoded.
    """

    method: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: str = ""

    @classmethod
    def of_form(cls, fields: Iterable[tuple[str, str]]) -> Self:
        """Make the request that posts a form, as a mock bank or a test does."""
        body = urlencode(list(fields), errors="surrogatepass").encode()
        return cls("POST", {"Content-Type": _FORM}, body)

    @classmethod
    def of_json(cls, value: object, headers: Mapping[str, str] | None = None) -> Self:
        """Make the request that posts JSON, as a mock bank or a test does."""
        return cls("POST", {"Content-Type": _JSON, **(headers or {})}, json.dumps(value).encode())

    def header(self, name: str) -> str:
        """Return a header, whatever the case of its name; "" if absent.

        Raises BadCallback if it is not plain ASCII, which `hmac.compare_digest` demands.
        """
        found = [value for key, value in self.headers.items() if key.lower() == name.lower()]
        if len(found) > 1 or not all(value.isascii() for value in found):
            raise BadCallback("en-tête illisible")
        return found[0] if found else ""

    def pairs(self) -> list[tuple[str, str]]:
        """Read the body as a form: its fields in their order, blank and repeated ones too.

        Raises BadCallback for anything but a form in UTF-8 of MAX_FIELDS at most.
        """
        if self.method != "POST" or self._content_type() != _FORM:
            raise BadCallback("type de contenu inattendu")
        return _pairs(self.body)

    def form(self) -> dict[str, str]:
        """Read the body as a form whose fields come once each. Raises BadCallback."""
        return _once(self.pairs())

    def parameters(self) -> dict[str, str]:
        """Read the address of a GET as a form, for a bank that notifies so. Raises BadCallback."""
        if self.method != "GET":
            raise BadCallback("méthode inattendue")
        return _once(_pairs(self.query.encode(errors="replace")))

    def json(self) -> dict[str, Any]:
        """Read the body as a JSON object: no name twice, no NaN, MAX_FIELDS members in all.

        Raises BadCallback. A number may be a float, and True is an int: `reading.cents` reads an
        amount.
        """
        if self.method != "POST" or not is_json(self._content_type()):
            raise BadCallback("type de contenu inattendu")
        try:
            return json_object(self.body, MAX_FIELDS)
        except ValueError as error:
            raise BadCallback("JSON illisible") from error

    def names(self) -> list[str]:
        """Return the names of the fields, for the audit of a refused message; none if it is neither
        a form nor JSON."""
        for read in (lambda: dict(self.pairs()), self.json, self.parameters):
            try:
                return list(read())
            except BadCallback:
                continue
        return []

    def _content_type(self) -> str:
        return self.header("Content-Type").partition(";")[0].strip().lower()


def _pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        return form_pairs(text, MAX_FIELDS)
    except ValueError as error:
        raise BadCallback("formulaire illisible") from error


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise BadCallback("champ répété")
    return values
