"""The site as installed, gunicorn and nginx, with a database that holds nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosque import db
from tests.load import front
from tests.load.process import PROJECT, Tree, begun, python, wait_for
from tests.load.trials import Door
from tests.sites import settle

SERVE = python("-m", "gunicorn", "--config", str(PROJECT / "deploy" / "gunicorn.conf.py"))

#: A machine that tests keep busy is slow.
PATIENT = 60


class Served:
    """`door` is the way in by https, `clear` by http."""

    def __init__(self, folder: Path, nginx: front.Front, site: Tree) -> None:
        self.folder, self.nginx, self.site = folder, nginx, site
        self.door = Door(nginx.https_port, nginx.certificate, PATIENT)
        self.clear = Door(nginx.http_port, seconds=PATIENT)

    def get(self, path: str, *headers: str) -> str:
        return self.door.ask(http_request("GET", path, *headers)).decode()

    def logged(self) -> str:
        return self.nginx.log.read_text() + self.nginx.error_log.read_text()


def http_request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    nginx, log = front.prepare(folder), folder / "gunicorn.log"
    settle(folder, nginx.url, proxy="unix", letters=False)
    db.configure(folder / "kiosque.sqlite3")
    with db.connection():
        db.migrate()
    command = [*SERVE, "--bind", f"unix:{nginx.socket}", "app:create_app()"]
    with begun(command, log, {"KIOSQUE_DATA": str(folder)}) as site:
        wait_for(nginx.socket, site, log)
        with front.serving(nginx) as started:
            yield Served(folder, started, site)
