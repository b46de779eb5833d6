"""Ask a bank's JSON service, within bounds that hold whatever the other side does.

Time: every wait, for a name, a connection, a handshake or a byte, ends by one deadline. A
`requests` time-out bounds each wait but not their number: a byte a second lasts for ever.
Size: an answer is cut at `MAX_BYTES`. Trust: HTTPS only unless told otherwise, no redirection
followed, no proxy nor password taken from the environment.

Each call has a connection of its own: one kept from before may have died, and then nobody
knows whether the bank did what was asked. Safe to call from several threads.
"""

import base64
import functools
import http.client
import io
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast
from urllib.parse import SplitResult, urlsplit

from gateways.base import Unreachable

MAX_BYTES = 256 * 1024
#: To find the host and reach it; a bank is one hop away or down.
CONNECT_SECONDS = 3.0
#: Between two things the bank says; it may have to ask another bank first.
SILENCE_SECONDS = 20.0

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
    """A service's address and the credentials it knows us by.

    `origin` is a scheme and host, perhaps a port. `in_clear` allows HTTP: to the mock bank.
    """

    origin: str
    user: str
    password: str = field(repr=False)
    in_clear: bool = False


def post_json(
    endpoint: Endpoint, path: str, body: Mapping[str, object], *, seconds: float
) -> dict[str, Any]:
    """Post a JSON object and return the JSON object of the answer, within `seconds` in all.

    Raises Unreachable for anything else than HTTP 200 and readable data.
    """
    deadline = _Deadline(seconds)
    address = urlsplit(endpoint.origin)
    if address.scheme != "https" and not endpoint.in_clear:
        raise Unreachable("https est obligatoire pour interroger la banque")
    try:
        with closing(_connect(address, deadline)) as wire:
            connection = http.client.HTTPConnection(address.netloc)
            connection.sock = cast("socket.socket", _Wire(wire, deadline))
            headers = {"Host": address.netloc, **_headers(endpoint)}
            connection.request("POST", path, json.dumps(body).encode(), headers)
            text = _read(connection.getresponse())
    # The errors' own words hold addresses and the bank's text: none of them goes further.
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(_say(error)) from None
    return _parse(text)


class _Deadline:
    """The end of a call, on a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, at_most: float) -> float:
        """The seconds left, `at_most` at most. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, at_most)


class _Reader(io.RawIOBase):
    """What comes from a socket, each wait shortened to the time that is left."""

    def __init__(self, wire: socket.socket, deadline: _Deadline) -> None:
        self._wire = wire
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._wire.settimeout(self._deadline.left(SILENCE_SECONDS))
        return self._wire.recv_into(buffer)


class _Wire:
    """A socket as `http.client` uses one, under a deadline."""

    def __init__(self, wire: socket.socket, deadline: _Deadline) -> None:
        self._wire = wire
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._wire.settimeout(self._deadline.left(SILENCE_SECONDS))
        self._wire.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._wire, self._deadline))

    def close(self) -> None:
        """Nothing: `http.client` is done with it before the answer is read."""


def _connect(address: SplitResult, deadline: _Deadline) -> socket.socket:
    """A connection to the host, encrypted where its scheme says so. Raises OSError."""
    encrypted, host = address.scheme == "https", address.hostname or ""
    wire = _dial(host, address.port or (443 if encrypted else 80), deadline)
    if not encrypted:
        return wire
    try:
        wire.settimeout(deadline.left(CONNECT_SECONDS))
        return _tls().wrap_socket(wire, server_hostname=host)
    except BaseException:
        wire.close()
        raise


def _dial(host: str, port: int, deadline: _Deadline) -> socket.socket:
    """Try the host's addresses in turn. Raises OSError."""
    failure: OSError = OSError()
    for family, kind, protocol, _, address in _addresses(host, port, deadline):
        wire = socket.socket(family, kind, protocol)
        try:
            wire.settimeout(deadline.left(CONNECT_SECONDS))
            wire.connect(address)
        except OSError as error:
            wire.close()
            failure = error
        else:
            return wire
    raise failure


def _addresses(host: str, port: int, deadline: _Deadline) -> list[Any]:
    """What a name stands for. The system's resolver knows no time limit but its own: it is
    asked in a thread, and left to itself when it is too slow."""
    found: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError):
            found.put(socket.gaierror())

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = found.get(timeout=deadline.left(CONNECT_SECONDS))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


@functools.cache
def _tls() -> ssl.SSLContext:
    """The system's authorities; names and dates checked."""
    return ssl.create_default_context()


def _headers(endpoint: Endpoint) -> dict[str, str]:
    credentials = base64.b64encode(f"{endpoint.user}:{endpoint.password}".encode()).decode()
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": f"Basic {credentials}",
        "Connection": "close",
        "Content-Type": "application/json",
        "User-Agent": "Kiosque-Famille",
    }


def _read(answer: http.client.HTTPResponse) -> str:
    """The text of a good answer. Raises Unreachable for any other."""
    if answer.status != 200:
        raise Unreachable(_STATUSES.get(answer.status) or _family(answer.status))
    kind = answer.headers.get_content_type()
    if kind != "application/json" or answer.getheader("Content-Encoding", "identity") != "identity":
        raise Unreachable(_GARBLED)
    read = bytearray()
    while piece := answer.read(min(MAX_BYTES + 1 - len(read), 65536)):
        read += piece
        if len(read) > MAX_BYTES:
            raise Unreachable("la banque répond trop longuement")
    if answer.length:  # what was announced and did not come
        raise Unreachable("la réponse de la banque est incomplète")
    return read.decode()


def _family(status: int) -> str:
    if 300 <= status < 400:
        return "la banque renvoie vers une autre adresse"
    return "la banque est en panne" if status >= 500 else _GARBLED


def _parse(text: str) -> dict[str, Any]:
    """The JSON object of a text, strictly: names once, numbers that are numbers."""
    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
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


def _say(error: Exception) -> str:
    """What a failure is, in French, the more precise first."""
    kinds: dict[type[Exception], str] = {
        ssl.SSLCertVerificationError: "le certificat de la banque n’est pas valable",
        ssl.SSLError: "la connexion chiffrée avec la banque échoue",
        socket.gaierror: "le nom de la banque est introuvable",
        TimeoutError: _TOO_SLOW,
        http.client.IncompleteRead: "la réponse de la banque est incomplète",
        OSError: "la connexion avec la banque échoue",
    }
    return next((words for kind, words in kinds.items() if isinstance(error, kind)), _GARBLED)
