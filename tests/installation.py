"""A whole installation for tests: the real site by gunicorn, a mock bank, and before them a
reverse proxy that does its work, or what a badly set one does."""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from werkzeug.serving import make_server

from gateways.sandbox.server import create_bank
from tests.bank import KEY

PROJECT = Path(__file__).parents[1]
SECRET_KEY = "Vq7mZc2Xn9TbRk4WsYd6HgJp3LfNx8Ae"
BANK_PASSWORD = "testpassword_canari0123456789abcdef"

SETTINGS = f"""\
environment = "test"
secret_key = "{SECRET_KEY}"
public_url = "http://127.0.0.1:9"
proxies = ["127.0.0.1"]
[town]
name = "Ville de Sautron"
contact_email = "enfance@sautron.example.org"
technical_email = "info@sautron.example.org"
address = "6 rue de la Mairie"
phone = "02 51 77 86 97"
publication_director = "le maire"
host = "la ville"
[regie]
name = "Régie Enfance"
regisseur = "Dominique Aubry"
[legal]
declared_on = "2026-11-24"
dpo = "dpo@sautron.example.org"
[payment]
gateway = "banque"
[mail]
sender = "kiosque@sautron.example.org"
[gateways.banque]
adapter = "sandbox"
url = "http://127.0.0.1:9"
key = "{KEY}"
password = "{BANK_PASSWORD}"
[gateways.tresor]
adapter = "sandbox-payfip"
url = "http://127.0.0.1:9"
"""


@dataclass
class Installation:
    """`environ` is what a command of this installation finds in its environment."""

    data: Path
    site: int
    bank_url: str
    environ: Mapping[str, str]


def environment(data: Path, **more: str) -> dict[str, str]:
    """For a command, with nothing left of the settings of whoever runs the tests."""
    kept = {name: it for name, it in os.environ.items() if not name.startswith("KIOSQUE_")}
    return {**kept, "KIOSQUE_DATA": str(data), **more}


@contextmanager
def bank_of(data: Path, site: str = "http://127.0.0.1:9") -> Iterator[str]:
    """The mock bank, on a port of this machine; it notifies the site, by default nobody."""
    settings = {
        "SANDBOX_KEY": KEY,
        "SANDBOX_PASSWORD": BANK_PASSWORD,
        "SANDBOX_NOTIFY_URL": f"{site}/paiement/notification/banque",
        "SANDBOX_DATABASE": str(data / "bank.sqlite3"),
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        served = make_server("127.0.0.1", 0, create_bank(), threaded=True)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{served.port}"
    served.shutdown()
    thread.join()
    served.server_close()


@contextmanager
def site_of(environ: Mapping[str, str]) -> Iterator[int]:
    """The site by gunicorn. Its socket listens before it is there: who asks early waits."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
        number = listening.fileno()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "app:create_app()", "--bind", f"fd://{number}"),
                *("--threads", "4", "--no-control-socket", "--log-level", "warning"),
            ],
            cwd=PROJECT,
            env=dict(environ),
            pass_fds=[number],
        )
        try:
            yield port
        finally:
            process.terminate()
            process.wait(20)


Fault = Callable[["Passing"], None]


def canned(status: int, body: str = "", kind: str = "text/html", **headers: str) -> Fault:
    """An answer of the proxy's own."""

    def answer(passing: "Passing") -> None:
        passing.tell(status, {"Content-Type": kind, **headers}, body.encode())

    return answer


def silence(passing: "Passing") -> None:
    """Nothing is ever answered."""
    passing.front.over.wait(30)


@dataclass
class Front:
    """The proxy. `faults` by path is what it does in place of passing on; `hides` are headers
    that it takes out; `tells` is whether it says for whom it asks."""

    site: int
    tls: ssl.SSLContext | None = None
    tells: bool = True
    visitor: str = ""
    faults: dict[str, Fault] = field(default_factory=dict)
    hides: frozenset[str] = frozenset()
    asked: list[tuple[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"


class Passing(BaseHTTPRequestHandler):
    """One request on its way."""

    timeout = 20

    @property
    def front(self) -> Front:
        return cast("_Server", self.server).front

    def do_GET(self) -> None:
        self.front.asked.append((self.command, self.path))
        fault = self.front.faults.get(self.path, Passing.pass_on)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.body = body
        fault(self)

    do_HEAD = do_POST = do_GET  # noqa: N815

    def pass_on(self) -> None:
        told = {name: value for name, value in self.headers.items() if name != "Connection"}
        if self.front.tells:
            told["X-Forwarded-For"] = self.front.visitor or self.client_address[0]
            told["X-Forwarded-Proto"] = "https" if self.front.tls else "http"
        way = http.client.HTTPConnection("127.0.0.1", self.front.site, timeout=20)
        try:
            way.request(self.command, self.path, self.body, told)
            answer = way.getresponse()
            body = answer.read()
        finally:
            way.close()
        kept = {n: v for n, v in answer.getheaders() if n not in self.front.hides}
        self.tell(answer.status, kept, body)

    def tell(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    front: Front

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who does not trust us leaves in the middle."""


@contextmanager
def front_of(front: Front) -> Iterator[Front]:
    server = _Server(("127.0.0.1", 0), Passing)
    server.front, front.port = front, server.server_port
    if front.tls:
        server.socket = front.tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield front
    finally:
        front.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
