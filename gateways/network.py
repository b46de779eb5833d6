"""How calls to banks leave this machine: directly, or by the HTTP proxy of a closed network.

A process serves one town: the network is set once, when its gateways are made, and `gateways.http`
follows it. An adapter that calls its bank by other means must follow `current()` itself.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit


@dataclass(frozen=True)
class Network:
    """How to reach the banks. `proxy` is the address of an HTTP proxy,
    `http://user:password@host:port`, empty for none. `authorities` is a file of certificates (PEM)
    trusted in addition to the public ones, for the banks only: for a town whose proxy decrypts TLS.
    """

    proxy: str = field(default="", repr=False)
    authorities: str = ""

    @property
    def proxy_parts(self) -> SplitResult:
        return urlsplit(self.proxy)

    @property
    def proxy_headers(self) -> dict[str, str]:
        """Return the headers that authenticate us to the proxy (RFC 9110, section 11.7.2)."""
        parts = self.proxy_parts
        if parts.username is None:
            return {}
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


DIRECT = Network()


class _InForce:
    network = DIRECT


def use(network: Network) -> None:
    """Use this network for all calls to banks from this process, from now on."""
    _InForce.network = network


def current() -> Network:
    """Return the network in use."""
    return _InForce.network
