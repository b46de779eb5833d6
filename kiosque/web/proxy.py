"""The visitor's address behind a reverse proxy, and the number of the request.

X-Forwarded-For, X-Forwarded-Proto and X-Request-ID can be written by anyone: they are read only
when the connection comes from a proxy that the settings name. X-Forwarded-Host is never read: the
site has one name, its own.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flask import Flask

from kiosque.web import log

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Stands for a proxy that connects through a socket file, and so has no address.
UNIX = "unix"
#: How many addresses of X-Forwarded-For are read, from its right. No chain of proxies is this long.
_MAX_HOPS = 20
#: IPv6 in brackets, with or without a port; IPv4 with a port. The address itself is not checked.
_WITH_PORT = re.compile(
    r"(?:(?P<v4>[0-9.]{7,15})(?=:)|\[(?P<v6>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


class BehindProxy:
    """Give the application the address and scheme for which its own proxies vouch."""

    def __init__(self, app: "WSGIApplication", proxies: Sequence[str]) -> None:
        self._app = app
        self._networks = [ipaddress.ip_network(name) for name in proxies if name != UNIX]
        self._unix = UNIX in proxies

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        if self._vouches(peer):
            environ["REMOTE_ADDR"] = self._visitor(peer, environ.get("HTTP_X_FORWARDED_FOR", ""))
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            log.believe_number(environ)
        return self._app(environ, start_response)

    def _vouches(self, peer: str) -> bool:
        if not peer:
            return self._unix
        address = parse(peer)
        return address is not None and self._is_proxy(address)

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def _visitor(self, peer: str, chain: str) -> str:
        """Return the right-most hop that is not a proxy of ours. That hop wrote what is on its
        left, which proves nothing. Stop at a hop that is no address."""
        known = peer
        for hop in chain.split(",")[: -_MAX_HOPS - 1 : -1]:
            address = parse(_without_port(hop.strip()))
            if address is None:
                break
            known = str(address)
            if not self._is_proxy(address):
                break
        return known


def _without_port(hop: str) -> str:
    """Return the address of a hop written `192.0.2.1:443`, `[2001:db8::1]:443` or
    `[2001:db8::1]`, and a hop of any other form as it is."""
    found = _WITH_PORT.fullmatch(hop)
    if not found or not 0 < int(found["port"] or 1) < 65536:
        return hop
    return found["v4"] or found["v6"]


def parse(text: str) -> Address | None:
    """Return an address written in a header, an IPv4 one in its usual form, or None."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return None
        return address.ipv4_mapped or address
    return address


def init_app(app: Flask, proxies: Sequence[str]) -> None:
    """Believe these proxies, given by address, by network, or as `unix`; none when empty."""
    if proxies:
        app.wsgi_app = BehindProxy(app.wsgi_app, proxies)  # type: ignore[method-assign]
