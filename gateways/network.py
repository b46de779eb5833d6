"""How calls to banks leave this machine: directly, or by the HTTP proxy of a closed network.

One process is of one town: what is in force is set once, when its gateways are made, and followed
by `gateways.http`. An adapter that calls its bank by other means follows `current()` itself.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit


@dataclass(frozen=True)
class Network:
    """`proxy` is the address of an HTTP proxy, `http://user:password@host:port`, empty for none.
    `authorities` is a file of certificates (PEM) trusted besides those known everywhere, for the
    banks only: that of a town whose proxy opens TLS connections and closes them again."""

    proxy: str = field(default="", repr=False)
    authorities: str = ""

    @property
    def proxy_parts(self) -> SplitResult:
        return urlsplit(self.proxy)

    @property
    def proxy_headers(self) -> dict[str, str]:
        """Return what the proxy wants to know of who asks (RFC 9110, section 11.7.2)."""
        parts = self.proxy_parts
        if parts.username is None:
            return {}
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


DIRECT = Network()


class _InForce:
    network = DIRECT


def use(network: Network) -> None:
    """Have all calls to banks leave this process so from now on."""
    _InForce.network = network


def current() -> Network:
    """Return how calls leave now."""
    return _InForce.network
