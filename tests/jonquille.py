"""The Bank of the Daffodils, for tests: a service that listens, and posts its sealed messages."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import requests

_PAGE = b"""<!doctype html><html lang=fr><meta name=viewport content="width=device-width">
<title>Jonquilles</title><h1>Banque des Jonquilles</h1><form method=post>
<button name=status value=paid>Payer</button> <button name=status value=left>Abandonner</button>
</form>"""
TOKEN, SECRET = "test_9fK2mQx7Lp4R", "u7Kp2MBd5yHs9JXq8wLz3RvT6nA1cE4g"


def sealed(body: bytes, stamp: int | None = None) -> dict[str, str]:
    """The header by which the bank proves a message, now unless said otherwise."""
    when = str(int(time.time()) if stamp is None else stamp)
    seal = hmac.new(SECRET.encode(), f"{when}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Jonquille-Signature": f"t={when},v1={seal}"}


class Daffodils:
    """The bank: its payments by their ids, as it would show them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.payments: dict[str, dict[str, Any]] = {}
        self.asked: dict[str, dict[str, str]] = {}
        self.repeated: dict[str, Any] = {}

    def post(self, path: str, body: dict[str, Any], key: str) -> tuple[int, Any]:
        if key in self.repeated:
            return 201, self.repeated[key]
        if path == "/v1/payments":
            made = {"id": f"jq_{len(self.payments) + 1}", "status": "open", "refunds": []}
            made |= {name: body[name] for name in ("order", "amount", "currency")}
            self.asked[made["id"]] = body
            self.payments[made["id"]] = made
        else:
            payment = self.payments[path.split("/")[3]]
            given = sum(refund["amount"] for refund in payment["refunds"])
            if given + body["amount"] > payment["amount"]:
                return 422, {"error": "too much"}
            made = {"id": f"re_{len(self.repeated)}", "amount": body["amount"]}
            payment["refunds"].append(made)
        self.repeated[key] = made
        return 201, made

    def get(self, path: str) -> tuple[int, Any]:
        if path == "/v1/shop":
            return 200, {"name": "Sautron"}
        if path.startswith("/v1/payments?"):
            return 200, {"payments": list(self.payments.values())}
        found = self.payments.get(path.rpartition("/")[2])
        return (200, found) if found else (404, {"error": "unknown"})

    def end(self, name: str, status: str) -> str:
        """Press a button of its page. Return where the payer is sent back."""
        self.tell(name, status)
        return self.asked[name]["return"]

    def tell(self, name: str, status: str = "") -> requests.Response:
        """Change a payment's status, and post the message where the site asked for it."""
        payment = self.payments[name]
        payment["status"] = status or payment["status"]
        body = json.dumps(payment).encode()
        headers = {"Content-Type": "application/json", **sealed(body)}
        return requests.post(self.asked[name]["webhook"], data=body, headers=headers, timeout=5)


@contextmanager
def bank_of_the_daffodils() -> Iterator[Daffodils]:
    server = _Server(("127.0.0.1", 0), _Door)
    server.bank = Daffodils(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.bank
    server.shutdown()
    thread.join()
    server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    bank: Daffodils


class _Door(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/pay/"):
            self._send(200, "text/html", _PAGE)
        else:
            self._answer(*self._bank().get(self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/pay/"):
            bank, status = cast("_Server", self.server).bank, body.decode().partition("=")[2]
            self._send(303, "text/html", b"", Location=bank.end(self.path[5:], status))
            return
        told = json.loads(body)
        self._answer(*self._bank().post(self.path, told, self.headers["Idempotency-Key"]))

    def _bank(self) -> Daffodils:
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        return cast("_Server", self.server).bank

    def _answer(self, status: int, value: object) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response_only(status)
        told = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
