"""A town whose servers leave by an HTTP proxy, with an authority of its own, asks its bank all the
same."""

import base64
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from gateways import network
from gateways.base import Unreachable
from gateways.http import Endpoint, post_json
from gateways.network import Network
from kiosque.checkup import http_client
from tests.closed_ground import Proxy, proxy_to

#: A name that no machine but the proxy knows.
BANK = "banque.sautron.invalid"
SECRET = "mot de passe du mandataire"
CREDENTIALS = "kiosque:mot%20de%20passe%20du%20mandataire"


class Bank(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = b'{"status": "SUCCESS"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "POST":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bank(authority: trustme.CA) -> Iterator[int]:
    """The port of a bank whose certificate is signed by the town's authority."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(BANK).configure_cert(tls)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bank) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def proxy(bank: int) -> Iterator[Proxy]:
    with proxy_to({BANK: bank}) as proxy:
        yield proxy


@pytest.fixture
def authorities(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "town.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def ask() -> object:
    return post_json(Endpoint(f"https://{BANK}"), "/x", {}, seconds=5)


def test_a_bank_is_asked_by_the_proxy_and_known_by_the_towns_own_authority(
    proxy: Proxy, authorities: str
) -> None:
    network.use(Network(f"http://{CREDENTIALS}@{proxy.address}", authorities))
    assert ask() == {"status": "SUCCESS"}
    (head,) = proxy.asked
    assert head.startswith(f"CONNECT {BANK}:443 ".encode())
    pair = base64.b64encode(f"kiosque:{SECRET}".encode())
    assert b"Proxy-Authorization: Basic " + pair in head


def test_without_the_proxy_nothing_leaves_by_it(proxy: Proxy, authorities: str) -> None:
    network.use(Network("", authorities))
    with pytest.raises(Unreachable, match="introuvable"):
        ask()
    assert proxy.asked == []


def test_an_authority_that_the_town_did_not_name_is_not_believed(proxy: Proxy) -> None:
    network.use(Network(f"http://{proxy.address}"))
    with pytest.raises(Unreachable, match="certificat"):
        ask()


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a_proxy_that_refuses_is_named_and_its_secret_is_not_told(
    status: str, authorities: str
) -> None:
    with proxy_to({}, status) as closed:
        network.use(Network(f"http://{CREDENTIALS}@{closed.address}", authorities))
        with pytest.raises(Unreachable, match=r"mandataire \(\[network\] proxy\)") as caught:
            ask()
    assert "mot" not in str(caught.value)
    assert SECRET not in repr(network.current())
    assert CREDENTIALS not in repr(network.current())


def test_a_proxy_that_is_down_is_a_bank_that_does_not_answer(proxy: Proxy) -> None:
    network.use(Network(f"http://{proxy.address}"))
    proxy.stop()
    with pytest.raises(Unreachable, match="mandataire"):
        ask()


def test_check_asks_a_bank_by_the_same_way(proxy: Proxy, authorities: str) -> None:
    by_proxy = Network(f"http://{CREDENTIALS}@{proxy.address}", authorities)
    assert http_client.ask("HEAD", f"https://{BANK}/", network=by_proxy, seconds=5).status == 200
    assert proxy.asked[0].startswith(f"CONNECT {BANK}:443 ".encode())
    assert b"Proxy-Authorization: Basic " in proxy.asked[0]
    with pytest.raises(ssl.SSLCertVerificationError):
        http_client.ask(
            "HEAD", f"https://{BANK}/", network=Network(f"http://{proxy.address}"), seconds=5
        )


def test_a_bank_in_clear_is_asked_by_the_proxy_too() -> None:
    """The mock bank, of a test town behind a proxy."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with proxy_to({BANK: server.server_port}) as proxy:
            by_proxy = Network(f"http://{proxy.address}")
            network.use(by_proxy)
            endpoint = Endpoint(f"http://{BANK}", in_clear=True)
            assert post_json(endpoint, "/x", {}, seconds=5) == {"status": "SUCCESS"}
            reply = http_client.ask("HEAD", f"http://{BANK}/", network=by_proxy, seconds=5)
        server.shutdown()
    assert (reply.status, len(proxy.asked)) == (200, 2)
