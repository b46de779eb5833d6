"""A bank's server that says what a test wrote, byte for byte."""

import socket
import ssl
import threading
from collections.abc import Callable

GOOD = b'{"status": "SUCCESS"}'
#: What a call may last here, and how far beyond a test still believes it was bounded.
SECONDS, SLACK = 0.4, 2.0

Script = Callable[[socket.socket], None]


class Server:
    """One that says to each caller, in a thread, what a test wrote; and keeps what it was sent."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.asked: list[bytes] = []
        self.over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def origin(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(caller,))
            self._threads.append(thread)
            thread.start()

    def _answer(self, caller: socket.socket) -> None:
        caller.settimeout(5)
        try:
            if self._tls:
                caller = self._tls.wrap_socket(caller, server_side=True)
            self.asked.append(read_request(caller))
            self._script(caller)
        except OSError:
            pass  # the caller has had enough
        finally:
            caller.close()

    def stop(self) -> None:
        self.over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()


def read_request(caller: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        if not (piece := caller.recv(65536)):
            return read
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += caller.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(
    body: bytes = GOOD,
    status: str = "200 OK",
    kind: str = "application/json; charset=utf-8",
    extra: str = "",
    length: int | None = None,
) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n{extra}\r\n"
    return head.encode() + body


def drip(data: bytes, over: threading.Event, pause: float = 0.02) -> Script:
    """A byte now and then, for as long as the other side stays."""

    def script(caller: socket.socket) -> None:
        for byte in data:
            caller.sendall(bytes([byte]))
            if over.wait(pause):
                return

    return script
