"""Gunicorn with one sync worker, what its worker costs, and the least client there is."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from kiosque import db
from kiosque.db.models import Family
from tests.conftest import choose_password, free_port

PROJECT = Path(__file__).parents[2]
PASSWORD = "une phrase assez longue"
SITE, HELLO = "app:create_app()", "tests.bench.hello:app"


class Service:
    """One gunicorn, its one worker, and a browser's cookie for it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process, self.port, self.cookie = process, port, ""

    @property
    def worker(self) -> int:
        """Its worker's process number."""
        parent = self._process.pid
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])

    def cpu_ms(self) -> float:
        """The processor time its worker has taken, kernel included."""
        tasks = Path(f"/proc/{self.worker}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6

    def memory_mib(self) -> float:
        status = Path(f"/proc/{self.worker}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def ask(self, path: str, form: dict[str, str] | None = None, **headers: str) -> bytes:
        """The whole answer, headers included. A sync worker closes each connection."""
        body = urlencode(form).encode() if form else b""
        lines = [f"{'POST' if form else 'GET'} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if self.cookie:
            lines.append(f"Cookie: {self.cookie}")
        if form:
            lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def sign_in(self, code: str) -> None:
        self.fill("/connexion", {"code": code, "password": PASSWORD})

    def fill(self, path: str, form: dict[str, str]) -> None:
        """Fill the form of a page, which leads to another."""
        page = self.open(path)
        token = page.rpartition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
        answer = self.open(path, {**form, "csrf_token": token})
        if " 302 " not in answer.partition("\r\n")[0]:
            raise AssertionError(answer)

    def open(self, path: str, form: dict[str, str] | None = None) -> str:
        """The answer, of which a browser keeps the session's cookie."""
        text = self.ask(path, form).decode()
        for line in text.partition("\r\n\r\n")[0].split("\r\n"):
            if line.lower().startswith(("set-cookie: kiosque=", "set-cookie: mairie=")):
                self.cookie = line.partition(": ")[2].partition(";")[0]
        return text


@contextmanager
def serve(application: str, folder: Path | None = None, port: int = 0) -> Iterator[Service]:
    """A service that answers, until the end of a `with`."""
    port = port or free_port()
    service = launch(application, folder, port)
    try:
        wait(service)
        yield service
    finally:
        stop(service)


def launch(application: str, folder: Path | None, port: int) -> Service:
    environment = {name: it for name, it in os.environ.items() if not name.startswith("KIOSQUE_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what a start costs is not compiling
    environment["MALLOC_MMAP_THRESHOLD_"] = "1048576"  # a password's hash is not weighed
    if folder:
        environment["KIOSQUE_DATA"] = str(folder)
    command = [
        *(sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"),
        *("--workers", "1", "--worker-class", "sync", "--no-control-socket"),
        *("--log-level", "warning", "--chdir", str(PROJECT)),
    ]
    return Service(subprocess.Popen(command, env=environment, start_new_session=True), port)


def wait(service: Service, path: str = "/") -> bytes:
    """The first answer."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            return service.ask(path)
        except OSError:
            time.sleep(0.002)
    raise AssertionError("the service does not start")


def stop(service: Service) -> None:
    service._process.send_signal(signal.SIGTERM)
    service._process.wait(30)


def let_in(path: Path, code: str) -> None:
    """Give a family of this database its password."""
    db.configure(path)
    with db.connection():
        choose_password(Family.get(Family.code == code), PASSWORD)


def cost(service: Service, path: str, count: int, **headers: str) -> float:
    """The processor time of one such page, in milliseconds, over so many."""
    before = service.cpu_ms()
    for _ in range(count):
        service.ask(path, **headers)
    return (service.cpu_ms() - before) / count
