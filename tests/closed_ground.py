"""The HTTP proxy of a town whose machines reach nothing by themselves, for tests."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Proxy:
    """Leads to the machines of `known`, by the names that only it knows. `asked` holds the head of
    each request. It refuses with `status` where one is set."""

    def __init__(self, known: Mapping[str, int], status: str = "") -> None:
        self._known, self._status = known, status
        self.asked: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    def stop(self) -> None:
        if self._thread.is_alive():
            self._listening.shutdown(socket.SHUT_RDWR)
            self._thread.join(5)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller:
            self._lead(caller)

    def _lead(self, caller: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += caller.recv(65536)
        self.asked.append(head)
        if self._status:
            caller.sendall(f"HTTP/1.1 {self._status}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        method, target = head.split(b" ", 2)[:2]
        host = target.decode().removeprefix("http://").partition("/")[0]
        port = self._known[host.partition(":")[0]]
        with socket.create_connection(("127.0.0.1", port)) as there:
            if method == b"CONNECT":
                caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                there.sendall(head)
            back = threading.Thread(target=_pour, args=(there, caller), daemon=True)
            back.start()
            _pour(caller, there)
            back.join(5)


def _pour(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of the two has gone


@contextmanager
def proxy_to(known: Mapping[str, int], status: str = "") -> Iterator[Proxy]:
    proxy = Proxy(known, status)
    try:
        yield proxy
    finally:
        proxy.stop()
