"""Ask a bank's JSON or SOAP service, within limits that hold whatever the bank does.

Time: the time-outs of `requests` bound each wait but not their sum: an answer of one byte a second
would last for ever. So each call is made in a thread that is abandoned at the deadline, by default
`ANSWER_SECONDS`. Size: an answer over `MAX_BYTES` is refused. Trust: HTTPS only unless the endpoint
says otherwise, no redirection followed, no proxy nor password taken from the environment.

Each call opens a connection: one kept from before may have died, and nobody would know whether the
bank did what was asked. Safe to call from several threads.
"""

import json
import queue
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, IncompleteRead
from typing import TYPE_CHECKING, Any, NoReturn

import certifi

from gateways.base import Unreachable

# `requests` is imported by the first call: a worker that asks no bank saves 6 MiB, and a quarter
# of its start.
if TYPE_CHECKING:
    import requests

#: Time that a bank has to answer, all included: a payer who is back may be waiting on our page.
ANSWER_SECONDS = 6.0
#: Time to find the host and connect; a bank is one hop away or down.
CONNECT_SECONDS = 3.0
#: Longest silence within an answer; a bank may have to ask another one first.
SILENCE_SECONDS = 20.0
MAX_BYTES = 256 * 1024

#: File of the authorities that certify a bank: those that `requests` comes with.
AUTHORITIES = certifi.where()
_HEADERS = {
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "Kiosque-Famille",
}
#: Adapters that no call is using, by the file of the authorities they trust.
_idle: "dict[str, deque[requests.adapters.HTTPAdapter]]" = {}
_TOO_SLOW = "la banque répond trop lentement"
_GARBLED = "la banque a répondu autre chose que des données lisibles"
_STATUSES = {
    401: "la banque refuse les identifiants de la boutique",
    403: "la banque refuse les identifiants de la boutique",
    404: "la banque ne connaît pas ce service",
    429: "la banque demande d’attendre",
}


@dataclass(frozen=True)
class Endpoint:
    """The address of a service, and our credentials there if it asks for some.

    `origin` is a scheme and host, perhaps a port. `in_clear` allows HTTP, for the mock bank.
    """

    origin: str
    user: str = ""
    password: str = field(default="", repr=False)
    in_clear: bool = False


@dataclass(frozen=True)
class _Dialect:
    """A kind of service: the content type and the statuses of its answers, the headers to send."""

    kind: str
    statuses: frozenset[int]
    headers: Mapping[str, str]


_JSON = _Dialect(
    "application/json",
    frozenset({200}),
    {"Accept": "application/json", "Content-Type": "application/json"},
)
#: A SOAP fault comes with HTTP 500 (W3C, SOAP 1.1, section 6.2).
_SOAP = _Dialect(
    "text/xml",
    frozenset({200, 500}),
    {"Accept": "text/xml", "Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'},
)


def post_json(
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, object],
    *,
    seconds: float = ANSWER_SECONDS,
) -> dict[str, Any]:
    """Post a JSON object and return the JSON object of the answer, within `seconds` in all.

    Raises Unreachable for anything other than HTTP 200 with readable data.
    """
    return _parse(_post(endpoint, path, json.dumps(body).encode(), _JSON, seconds))


def post_soap(
    endpoint: Endpoint, path: str, envelope: bytes, *, seconds: float = ANSWER_SECONDS
) -> bytes:
    """Post a SOAP 1.1 envelope and return that of the answer, or of a fault, not parsed.

    It takes `seconds` at most. Raises Unreachable for any other answer.
    """
    return _post(endpoint, path, envelope, _SOAP, seconds)


def _post(endpoint: Endpoint, path: str, body: bytes, dialect: _Dialect, seconds: float) -> bytes:
    import requests  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    if not endpoint.origin.startswith("https://") and not endpoint.in_clear:
        raise Unreachable("https est obligatoire pour interroger la banque")
    end = time.monotonic() + seconds
    waits = (min(CONNECT_SECONDS, seconds), min(SILENCE_SECONDS, seconds))

    def work() -> bytes:
        with _trusting(AUTHORITIES) as trusting, requests.Session() as session:
            session.trust_env = False
            session.mount("https://", trusting)
            with session.post(
                f"{endpoint.origin}{path}",
                data=body,
                headers={**_HEADERS, **dialect.headers},
                auth=(endpoint.user, endpoint.password) if endpoint.user else None,
                timeout=waits,
                allow_redirects=False,
                stream=True,
            ) as answer:
                return _read(answer, dialect, end)

    try:
        return _within(seconds, work)
    # The text of these errors holds addresses and the bank's own words: it goes no further.
    except (OSError, ValueError, HTTPException, HTTPError) as error:
        raise Unreachable(_say(error)) from None


@contextmanager
def _trusting(authorities: str) -> "Iterator[requests.adapters.HTTPAdapter]":
    """Lend an adapter that verifies certificates, to one call at a time.

    Adapters are kept, since reading the authorities takes 16 ms of processor, more than the rest
    of a call.
    """
    from gateways.trust import Trusting  # noqa: PLC0415

    kept = _idle.setdefault(authorities, deque())
    try:
        adapter = kept.pop()
    except IndexError:
        adapter = Trusting(authorities)
    try:
        yield adapter
    finally:
        kept.append(adapter)


def _within(seconds: float, work: Callable[[], bytes]) -> bytes:
    """Do the work in a thread, and abandon it after `seconds`. Raises TimeoutError, or its error.

    Nothing else bounds all of it: the system's look-up of a name, headers that come drop by drop.
    """
    outcome: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except Exception as error:  # noqa: BLE001  # raised again by whoever waits
            outcome.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        found = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _read(answer: "requests.Response", dialect: _Dialect, end: float) -> bytes:
    """Return the body of a good answer. Raises Unreachable for any other."""
    status, expected = answer.status_code, dialect.kind
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status not in dialect.statuses or (status != 200 and kind != expected):
        raise Unreachable(_STATUSES.get(status) or _family(status))
    if kind != expected or answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Unreachable(_GARBLED)
    read = bytearray()
    for piece in answer.iter_content(1024):
        read += piece
        if time.monotonic() > end:
            raise TimeoutError
        if len(read) > MAX_BYTES:
            raise Unreachable("la banque répond trop longuement")
    return bytes(read)


def _family(status: int) -> str:
    if 300 <= status < 400:
        return "la banque renvoie vers une autre adresse"
    return "la banque est en panne" if status >= 500 else _GARBLED


def _parse(text: bytes) -> dict[str, Any]:
    """Parse a JSON object strictly: no name twice, no NaN. Raises Unreachable."""
    try:
        value = json.loads(text.decode(), parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise Unreachable(_GARBLED) from None
    if not isinstance(value, dict):
        raise Unreachable(_GARBLED)
    return value


def _refuse(_word: str) -> NoReturn:
    raise ValueError("not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _say(error: BaseException) -> str:
    """Put a failure in French, by the most precise of the errors that caused it."""
    import requests  # noqa: PLC0415
    from urllib3.exceptions import (  # noqa: PLC0415
        LocationParseError,
        NameResolutionError,
        ProtocolError,
    )

    kinds: dict[type[BaseException], str] = {
        ssl.SSLCertVerificationError: "le certificat de la banque n’est pas valable",
        ssl.SSLError: "la connexion chiffrée avec la banque échoue",
        NameResolutionError: "le nom de la banque est introuvable",
        LocationParseError: "le nom de la banque est introuvable",
        requests.exceptions.InvalidURL: "le nom de la banque est introuvable",
        TimeoutError: _TOO_SLOW,
        requests.exceptions.Timeout: _TOO_SLOW,
        IncompleteRead: "la réponse de la banque est incomplète",
        ConnectionError: "la connexion avec la banque échoue",
        ProtocolError: _GARBLED,
        OSError: "la connexion avec la banque échoue",
    }
    causes = list(_causes(error))
    found = (words for kind, words in kinds.items() if any(isinstance(it, kind) for it in causes))
    return next(found, _GARBLED)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, those it was raised from, and those wrapped in it."""
    while error is not None:
        yield error
        for wrapped in error.args:
            inner = getattr(wrapped, "reason", wrapped)
            if isinstance(inner, BaseException):
                yield from _causes(inner)
        error = error.__cause__ or error.__context__
