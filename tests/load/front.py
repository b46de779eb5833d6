"""nginx, with the very files of deploy/nginx, brought to this machine: other names, other ports, a
certificate of the moment."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.load.process import PROJECT, Tree, begun, free_port, wait_for

DEPLOY = PROJECT / "deploy" / "nginx"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

#: Where nginx keeps what does not fit in memory; Debian builds it with places of root's.
_PLACES = "".join(
    f"    {kind}_temp_path {{folder}}/nginx-{kind};\n"
    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


@dataclass(frozen=True)
class Front:
    """nginx in front of a site that listens at `socket`."""

    folder: Path
    socket: str
    http_port: int
    https_port: int
    tree: Tree | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def log(self) -> Path:
        return self.folder / "kiosque-sautron.log"

    @property
    def stopped(self) -> Path:
        """The mark that `kiosque stop` leaves."""
        return self.folder / "sautron.stopped"

    @property
    def error_log(self) -> Path:
        return self.folder / "error.log"


def prepare(folder: Path) -> Front:
    """Write its configuration, for a site that will listen at `socket`."""
    front = Front(folder, str(folder / "kiosque.sock"), free_port(), free_port())
    _certify(front)
    shutil.copy(DEPLOY / "kiosque.conf", folder)
    shutil.copytree(DEPLOY / "snippets", folder / "snippets")
    (folder / "nginx.conf").write_text(_main_here((DEPLOY / "nginx.conf").read_text(), folder))
    (folder / "sautron.conf").write_text(_here((DEPLOY / "sautron.conf").read_text(), front))
    return front


def check(front: Front) -> tuple[int, str]:
    """`nginx -t`: its status, and what it says."""
    done = subprocess.run(
        [*_command(front), "-t"], check=False, capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stderr


@contextmanager
def serving(front: Front) -> Iterator[Front]:
    with begun(_command(front), front.folder / "nginx-words.log") as tree:
        wait_for(("127.0.0.1", front.https_port), tree, front.folder / "nginx-words.log")
        yield Front(front.folder, front.socket, front.http_port, front.https_port, tree)


def _command(front: Front) -> list[str]:
    return [
        *(NGINX or "nginx", "-p", str(front.folder), "-c", str(front.folder / "nginx.conf")),
        *("-e", str(front.error_log)),
    ]


def _main_here(text: str, folder: Path) -> str:
    """The shipped file of the machine, for a folder of this one. Raises AssertionError."""
    return _brought(
        text,
        (r"(?m)^user .*", "daemon off;\n" + ("user root;" if _is_root() else "")),
        (r"(?m)^include .*", ""),
        (r"/run/nginx\.pid", str(folder / "nginx.pid")),
        (r"/var/log/nginx", str(folder)),
        (r"http \{\n", "http {\n" + _PLACES.format(folder=folder)),
        (r"/etc/nginx/conf\.d/\*\.conf", str(folder / "kiosque.conf")),
        (r"/etc/nginx/sites-enabled/\*", str(folder / "sautron.conf")),
    )


def _here(text: str, front: Front) -> str:
    """The shipped file of a town, for this machine. Raises AssertionError."""
    return _brought(
        text,
        (r"listen 80;", f"listen 127.0.0.1:{front.http_port};"),
        (r"listen 443 ssl http2;", f"listen 127.0.0.1:{front.https_port} ssl http2;"),
        (r" *listen \[::\]:.*\n", ""),
        (r"/run/kiosque/sautron\.sock", front.socket),
        (r"/run/kiosque/sautron\.stopped", str(front.stopped)),
        (r"/var/log/nginx", str(front.folder)),
        (r"(?<=ssl_certificate     ).*(?=;)", str(front.certificate)),
        (r"(?<=ssl_certificate_key ).*(?=;)", str(front.folder / "key.pem")),
        (r"https://kiosque\.sautron\.fr", front.url),
        (r"server_name kiosque\.sautron\.fr", "server_name 127.0.0.1"),
    )


def _brought(text: str, *places: tuple[str, str]) -> str:
    """Put what is here in place of what is shipped. Raises AssertionError when a place is not found
    any more."""
    for shipped, here in places:
        text, count = re.subn(shipped, here, text)
        if not count:
            raise AssertionError(f"not in deploy/nginx: {shipped}")
    return text


def _certify(front: Front) -> None:
    """A key as certbot makes them (ECDSA P-256) and a certificate of its own."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(front.folder / "key.pem"), "-out", str(front.certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )


def _is_root() -> bool:
    return Path("/proc/self").stat().st_uid == 0
