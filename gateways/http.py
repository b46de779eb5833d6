"""Ask a bank's JSON or SOAP service, within limits that hold whatever the bank does.

Time: the time-outs of `requests` limit each wait but not their sum: an answer of one byte a second
would last for ever. So each call is made in a thread that is abandoned at the deadline, by default
`deadline.ANSWER_SECONDS`. Size: an answer over `MAX_BYTES` is refused. Trust: HTTPS only unless the
endpoint says otherwise; redirects are not followed; proxies and passwords in the environment are
ignored. The proxy and the town's own authorities are those of `gateways.network`.

Each call opens a new connection: a kept one may have died, and nobody would then know whether the
bank did what was asked. Safe to call from several threads.
"""

import json
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import certifi

from gateways import failures, network
from gateways.deadline import ANSWER_SECONDS, CONNECT_SECONDS, SILENCE_SECONDS, within
from gateways.errors import ConfigError, Unreachable
from gateways.reading import is_json, json_object

# `requests` is imported by the first call: a worker that asks no bank saves 6 MiB, and a quarter
# of its start.
if TYPE_CHECKING:
    import requests

MAX_BYTES = 256 * 1024

#: File of the authorities that certify a bank: those that `requests` comes with.
AUTHORITIES = certifi.where()
_HEADERS = {
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "Kiosque-Famille",
}
_KIND = "application/json"
_JSON = {"Accept": _KIND}
_SOAP = {"Accept": "text/xml", "Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
NO_CONTENT, FAULT = 204, 500
OK = frozenset({200})
#: Adapters that no call is using, by the files of the authorities they trust.
_idle: "dict[tuple[str, ...], deque[requests.adapters.HTTPAdapter]]" = {}


@dataclass(frozen=True)
class Endpoint:
    """The address of a service, and our credentials there if it asks for some.

    `origin` is a scheme and host, perhaps a port. The credentials are a user and perhaps a password
    (HTTP Basic), or a token (Bearer). `in_clear` allows HTTP, for the mock bank. Raises ConfigError
    for a password without a user, a colon in a user, or for both kinds of credentials.
    """

    origin: str
    user: str = ""
    password: str = field(default="", repr=False)
    in_clear: bool = False
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.password and not self.user:
            raise ConfigError(["identifiants de la banque : un mot de passe sans utilisateur"])
        if ":" in self.user:  # RFC 7617, section 2: all that follows it would be the password
            raise ConfigError(["identifiants de la banque : un utilisateur avec deux-points"])
        if self.token and self.user:
            raise ConfigError(["identifiants de la banque : un jeton et un utilisateur"])


class Answer(dict[str, Any]):
    """The JSON object of an answer. `status` is the HTTP status that it came with."""

    def __init__(self, value: Mapping[str, Any] | None = None, status: int = 200) -> None:
        super().__init__(value or {})
        self.status = status


class SoapFault(Unreachable):
    """An envelope that came with HTTP 500: whatever it says, it is no success (W3C, SOAP 1.1,
    section 6.2). `envelope` is not parsed."""

    def __init__(self, envelope: bytes):
        super().__init__("la banque est en panne")
        self.envelope = envelope


@dataclass(frozen=True)
class _Question:
    """A request to send, and the statuses and content type that an answer may have."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]
    accepts: Collection[int]
    kind: str = _KIND


def get_json(
    endpoint: Endpoint,
    path: str,
    query: Mapping[str, str] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    accepts: Collection[int] = OK,
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """Ask for the JSON object at `path`, within `seconds` in total. Only the statuses in `accepts`
    count as an answer.

    Raises Unreachable for no answer in time, any other status, or data that cannot be read.
    """
    address = f"{path}?{urlencode(query)}" if query else path
    question = _Question("GET", address, None, {**_JSON, **(headers or {})}, accepts)
    return _json(endpoint, question, seconds)


def post_json(
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, object],
    *,
    headers: Mapping[str, str] | None = None,
    accepts: Collection[int] = OK,
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """Post a JSON object and return that of the answer, as `get_json` does."""
    sent = {**_JSON, "Content-Type": "application/json", **(headers or {})}
    question = _Question("POST", path, json.dumps(body).encode(), sent, accepts)
    return _json(endpoint, question, seconds)


def post_form(
    endpoint: Endpoint,
    path: str,
    fields: Mapping[str, str],
    *,
    headers: Mapping[str, str] | None = None,
    accepts: Collection[int] = OK,
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """Post a form and return the JSON object of the answer, as `get_json` does."""
    sent = {**_JSON, "Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    question = _Question("POST", path, urlencode(fields).encode(), sent, accepts)
    return _json(endpoint, question, seconds)


def post_soap(
    endpoint: Endpoint, path: str, envelope: bytes, *, seconds: float = ANSWER_SECONDS
) -> bytes:
    """Post a SOAP 1.1 envelope and return that of the answer, not parsed.

    It takes `seconds` at most. Raises SoapFault for an envelope that comes with HTTP 500,
    Unreachable for any other answer.
    """
    question = _Question("POST", path, envelope, _SOAP, (200, FAULT), "text/xml")
    status, answer = _ask(endpoint, question, seconds)
    if status == FAULT:
        raise SoapFault(answer)
    return answer


def _json(endpoint: Endpoint, question: _Question, seconds: float) -> Answer:
    status, text = _ask(endpoint, question, seconds)
    return Answer(_parse(text) if text or status != NO_CONTENT else {}, status)


def _ask(endpoint: Endpoint, question: _Question, seconds: float) -> tuple[int, bytes]:
    """Return the status and the body of a good answer. Raises Unreachable."""
    from requests.auth import HTTPBasicAuth  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    if not endpoint.origin.startswith("https://") and not endpoint.in_clear:
        raise Unreachable("https est obligatoire pour interroger la banque")
    end = time.monotonic() + seconds
    waits = (min(CONNECT_SECONDS, seconds), min(SILENCE_SECONDS, seconds))
    user, password = endpoint.user.encode(), endpoint.password.encode()
    bearer = {"Authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}

    def work() -> tuple[int, bytes]:
        with (
            _session() as session,
            session.request(
                question.method,
                f"{endpoint.origin}{question.path}",
                data=question.body,
                headers={**_HEADERS, **question.headers, **bearer},
                auth=HTTPBasicAuth(user, password) if user else None,
                timeout=waits,
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            return answer.status_code, _read(answer, question, end)

    try:
        return within(seconds, work)
    # The text of these errors holds addresses and the bank's own words: it goes no further.
    except (OSError, ValueError, HTTPException, HTTPError) as error:
        raise Unreachable(failures.of_error(error)) from None


@contextmanager
def _session() -> "Iterator[requests.Session]":
    """Return a session, the only way to a bank: it sets the trusted authorities and the proxy."""
    import requests  # noqa: PLC0415

    leaving = network.current()
    trusted = (AUTHORITIES, *filter(None, [leaving.authorities]))
    with _trusting(*trusted) as trusting, requests.Session() as session:
        session.trust_env = False
        if leaving.proxy:
            session.proxies = {"http": leaving.proxy, "https": leaving.proxy}
        session.mount("https://", trusting)
        yield session


@contextmanager
def _trusting(*authorities: str) -> "Iterator[requests.adapters.HTTPAdapter]":
    """Lend a transport adapter that verifies certificates, to one call at a time.

    Adapters are kept, since reading the authorities takes 16 ms of processor, more than the rest
    of a call.
    """
    from gateways.trust import Trusting  # noqa: PLC0415

    kept = _idle.setdefault(authorities, deque())
    try:
        adapter = kept.pop()
    except IndexError:
        adapter = Trusting(*authorities)
    try:
        yield adapter
    finally:
        kept.append(adapter)


def _read(answer: "requests.Response", question: _Question, end: float) -> bytes:
    """Return the body of a good answer. Raises Unreachable for any other."""
    status = answer.status_code
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    expected = kind == question.kind or (question.kind == _KIND and is_json(kind))
    if status == NO_CONTENT and status in question.accepts:
        return b""
    if status not in question.accepts or (status != 200 and not expected):
        raise Unreachable(failures.of_status(status))
    if not expected or answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Unreachable(failures.GARBLED)
    read = bytearray()
    for piece in answer.iter_content(1024):
        read += piece
        if time.monotonic() > end:
            raise TimeoutError
        if len(read) > MAX_BYTES:
            raise Unreachable("la banque répond trop longuement")
    return bytes(read)


def _parse(text: bytes) -> dict[str, Any]:
    """Parse a JSON object strictly. Raises Unreachable."""
    try:
        return json_object(text)
    except ValueError:
        raise Unreachable(failures.GARBLED) from None
