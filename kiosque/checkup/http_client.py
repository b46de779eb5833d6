"""Make one HTTP request as a visitor from outside would.

No redirection is followed, and certificates are verified against the authorities that browsers and
banks know. A bank is asked by the proxy and with the authorities of the town's network, as the
site asks it; anything else directly.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

import certifi

from gateways.network import DIRECT, Network

#: File of the authorities that certify a site: those that `requests` comes with.
AUTHORITIES = certifi.where()
MAX_BYTES = 64 * 1024
_HEADERS = {
    "User-Agent": "Kiosque-Famille",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
#: OpenSSL's errors (X509_V_ERR_...) that an administrator can correct.
_REASONS = {
    9: "le certificat n’est pas encore valable (l’horloge ?)",
    10: "le certificat a expiré",
    18: "le certificat est signé par lui-même",
    19: "le certificat est signé par une autorité inconnue",
    20: "le certificat vient d’une autorité inconnue, ou le certificat intermédiaire manque",
    21: "le certificat vient d’une autorité inconnue, ou le certificat intermédiaire manque",
    62: "le certificat est d’un autre nom",
    64: "le certificat est d’une autre adresse",
}


@dataclass(frozen=True)
class Reply:
    """The answer to a request, and its circumstances.

    `asked_at` and `told_at` (UTC) are by our clock; `seconds` is the time it took; `local` is our
    own address on that connection; `certificate_ends` (UTC) is None without TLS.
    """

    status: int
    headers: Mapping[str, str]
    body: str
    asked_at: datetime
    told_at: datetime
    seconds: float
    local: str
    certificate_ends: datetime | None

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


def ask(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = 10,
    network: Network = DIRECT,
) -> Reply:
    """Send a request and read the answer, at most MAX_BYTES of it.

    `seconds` bounds each wait, not the whole, which is for the caller to bound. Raises OSError or
    http.client.HTTPException, which `say` puts in French.
    """
    parts = urlsplit(url)
    connection = _connection(parts, seconds, network)
    started, asked_at = time.monotonic(), datetime.now(UTC)
    try:
        target = url if network.proxy and parts.scheme == "http" else parts.path or "/"
        own = network.proxy_headers if target == url else {}
        connection.request(method, target, body, {**_HEADERS, **own, **(headers or {})})
        ours = connection.sock
        ends, local = _certificate_end(ours), ours.getsockname()[0]
        answer = connection.getresponse()
        told_at = datetime.now(UTC)
        read = answer.read(MAX_BYTES).decode("utf-8", "replace")
    finally:
        connection.close()
    spent = time.monotonic() - started
    found = {name.lower(): value for name, value in answer.getheaders()}
    return Reply(answer.status, found, read, asked_at, told_at, spent, local, ends)


def _connection(parts: SplitResult, seconds: float, network: Network) -> http.client.HTTPConnection:
    """Return a connection to the server, or to the proxy, which makes a tunnel to it for TLS."""
    through = network.proxy_parts if network.proxy else parts
    host, port = through.hostname or "", through.port
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=seconds)
    context = ssl.create_default_context(cafile=AUTHORITIES)
    if network.authorities:
        context.load_verify_locations(network.authorities)
    connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    if network.proxy:
        connection.set_tunnel(parts.hostname or "", parts.port or 443, network.proxy_headers)
    return connection


def _certificate_end(ours: socket.socket) -> datetime | None:
    if not isinstance(ours, ssl.SSLSocket):
        return None
    text = str((ours.getpeercert() or {})["notAfter"])
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def say(error: Exception) -> str:
    """Describe a network failure in French, without repeating anything that the other side
    wrote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _REASONS.get(error.verify_code, "le certificat n’est pas valable")
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (ssl.SSLError, "la connexion chiffrée échoue (mauvais port, ou TLS trop ancien)"),
        (socket.gaierror, "le nom est introuvable (DNS)"),
        (ConnectionRefusedError, "rien n’écoute à cette adresse"),
        (TimeoutError, "pas de réponse à temps"),
        (OSError, "la connexion échoue"),
    )
    found = (words for kind, words in kinds if isinstance(error, kind))
    return next(found, "la réponse n’est pas du HTTP")
