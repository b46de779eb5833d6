"""Ask more of a server than speed. Each trial answers in a few words."""

import contextlib
import os
import re
import signal
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.load.process import Tree

SLOW, IDLE = 60, 200
#: Somebody who waits longer has left.
PATIENCE_SECONDS = 3
#: How many ask at once while something happens to the server, and for how long.
ASKING, ASKED_SECONDS = 8, 4.0
#: While something happens to it, one may wait longer.
WAITING_SECONDS = 20


@dataclass(frozen=True)
class Door:
    """Where a server is reached: by TCP, in TLS when there is a certificate; for how long one waits
    for an answer; and from which address of this machine's."""

    port: int
    certificate: Path | None = None
    seconds: float = PATIENCE_SECONDS
    source: str = "127.0.0.1"

    def connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), self.seconds, (self.source, 0))
        if self.certificate is None:
            return plain
        context = ssl.create_default_context(cafile=str(self.certificate))
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def ask(self, request: bytes) -> bytes:
        """The whole answer. Raises OSError."""
        with self.connect() as connection:
            # Refused half-way: what was answered can still be read.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
                connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def get(self, path: str = "/sante") -> int:
        """The status of a page; 0 when no answer comes."""
        try:
            return _status(self.ask(f"GET {path} {_TAIL}".encode()))
        except OSError:
            return 0


_TAIL = "HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_HEAD = b"POST /connexion HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def slow_clients(door: Door) -> str:
    """60 send the beginning of their headers then a letter a second; 60 the same of a body. Who
    else can open a page meanwhile?"""
    told = []
    for name, start in (
        ("headers", _HEAD + b"X-Slow: "),
        ("bodies", _HEAD + b"Content-Type: text/plain\r\nContent-Length: 9999\r\n\r\n"),
    ):
        with _drip(door, start):
            time.sleep(1)
            told.append(f"{name}: {_others(door)}")
    return "; ".join(told)


def idle_clients(door: Door) -> str:
    """200 have opened a page, or as many as it lets in ten seconds, and keep their connection."""
    held, end = [], time.monotonic() + 10
    try:
        while len(held) < IDLE and time.monotonic() < end:
            with contextlib.suppress(OSError):
                connection = door.connect()
                connection.sendall(b"GET /sante HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                connection.recv(4096)
                held.append(connection)
        return ("" if len(held) == IDLE else f"{len(held)} let in; ") + _others(door)
    finally:
        for connection in held:
            connection.close()


def reload(door: Door, tree: Tree, signal_name: str) -> str:
    """Told to begin anew while eight ask."""
    if not signal_name:
        return "none"
    number = getattr(signal, f"SIG{signal_name}")
    before = set(tree.workers)
    told = _while_asked(door, lambda: tree.signal(number))
    renewed = not before & set(tree.workers)
    return f"{told}{'' if renewed else ', workers not renewed'}"


def killed_worker(door: Door, tree: Tree) -> str:
    """`kill -9` of a worker while eight ask."""
    return _while_asked(door, lambda: os.kill(tree.workers[0], signal.SIGKILL))


def gone_clients(door: Door) -> str:
    """50 leave as soon as they have asked."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            connection = door.connect()
            connection.sendall(f"GET /connexion {_TAIL}".encode())
            connection.close()
    return _others(door)


def odd_requests(door: Door) -> str:
    """Return what is answered to each; `ours` when it is a page of the site's or of its nginx's, in
    French."""
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    asked = {
        "body of 70 kB": _post(form + b"Content-Length: 70000\r\n", b"a" * 70000),
        "body of 2 MB": _post(form + b"Content-Length: 2000000\r\n", b"a" * 2_000_000),
        "header of 20 kB": _get("/connexion", "X-Long: " + "a" * 20_000 + "\r\n"),
        "200 headers": _get("/connexion", "".join(f"X-{n}: a\r\n" for n in range(200))),
        "address of 10 kB": _get("/connexion?" + "a" * 10_000),
        "no host": b"GET /connexion HTTP/1.0\r\n\r\n",
        "another host": b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "length and chunks": _post(
            form + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"
        ),
        "bad chunks": _post(form + b"Transfer-Encoding: chunked\r\n", b"zz\r\nhello\r\n0\r\n\r\n"),
        "%00": _get("/factures/%00"),
        "TRACE": f"TRACE / {_TAIL}".encode(),
        "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    }
    return "; ".join(f"{name} {_told(door, request)}" for name, request in asked.items())


def _told(door: Door, request: bytes) -> str:
    try:
        answer = door.ask(request)
    except OSError as error:
        return type(error).__name__
    ours = b"<html lang" in answer or b"&lt;html lang" in answer
    return f"{_status(answer) or 'closed'}{' ours' if ours else ''}"


def _get(path: str, headers: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n".encode()


def _post(headers: bytes, body: bytes) -> bytes:
    return _HEAD + b"Connection: close\r\n" + headers + b"\r\n" + body


def _status(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.[01] ([0-9]{3})", answer)
    return int(found[1]) if found else 0


def _others(door: Door) -> str:
    """Twenty people ask for a page, one after the other."""
    seconds, lost = [], 0
    for _ in range(20):
        before = time.perf_counter()
        if door.get() == 200:
            seconds.append(time.perf_counter() - before)
        else:
            lost += 1
        if lost == 3:  # each has waited; the others would too
            return "down"
    return f"{1000 * max(seconds):.0f} ms" + (f", {lost} lost" if lost else "")


@contextmanager
def _drip(door: Door, start: bytes) -> Iterator[None]:
    held, stop = [], threading.Event()
    for _ in range(SLOW):
        with contextlib.suppress(OSError):
            connection = door.connect()
            connection.sendall(start)
            held.append(connection)

    def drip() -> None:
        while not stop.wait(1):
            for connection in held:
                with contextlib.suppress(OSError):
                    connection.sendall(b"a")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in held:
            connection.close()


def _while_asked(door: Door, happens: Callable[[], object]) -> str:
    """Eight ask without rest for some seconds; what happens, happens after one."""
    end = time.monotonic() + ASKED_SECONDS
    door = replace(door, seconds=WAITING_SECONDS)

    def ask(_: int) -> list[tuple[int, float]]:
        seen = []
        while (before := time.monotonic()) < end:
            status = door.get("/connexion")
            seen.append((status, time.monotonic() - before))
        return seen

    with ThreadPoolExecutor(ASKING) as pool:
        asking = [pool.submit(ask, number) for number in range(ASKING)]
        time.sleep(1)
        happens()
        seen = [each for one in asking for each in one.result()]
    failed = Counter(status or "no answer" for status, _ in seen if status != 200)
    longest = max(seconds for _, seconds in seen)
    told = f"{failed.total()} of {len(seen)} failed, longest wait {longest:.1f} s"
    return told + (f" {dict(failed)}" if failed else "")
