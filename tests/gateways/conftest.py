"""Share between tests of several adapters: a bank's server that says what the test wrote."""

import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.gateways.scripted import Script, Server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(script: bytes | Script, tls: ssl.SSLContext | None = None) -> Server:
        said = script if callable(script) else lambda caller: caller.sendall(script)
        servers.append(Server(said, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
