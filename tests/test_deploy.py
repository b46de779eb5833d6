"""The files of deploy/: nginx and systemd read them, and the site is served as they say."""

import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from kiosque import db
from kiosque.db import database
from tests.load import front
from tests.load.process import PROJECT, Tree, begun, python, wait_for
from tests.load.trials import Door
from tests.sites import settle

DEPLOY = PROJECT / "deploy"
UNITS = DEPLOY / "systemd"
SERVE = python("-m", "gunicorn", "--config", str(DEPLOY / "gunicorn.conf.py"))

#: A machine that tests keep busy is slow.
PATIENT = 60

needs_nginx = pytest.mark.skipif(not front.NGINX, reason="nginx is not installed")
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd is not installed"
)


class Served:
    """The site under gunicorn and nginx, as installed."""

    def __init__(self, folder: Path, nginx: front.Front, site: Tree) -> None:
        self.folder, self.nginx, self.site = folder, nginx, site
        self.door = Door(nginx.https_port, nginx.certificate, PATIENT)
        self.clear = Door(nginx.http_port, seconds=PATIENT)

    def get(self, path: str, *headers: str) -> str:
        return self.door.ask(_request("GET", path, *headers)).decode()

    def logged(self) -> str:
        return self.nginx.log.read_text() + self.nginx.error_log.read_text()


def _request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    nginx = front.prepare(folder)
    settle(folder, nginx.url, proxy="unix", letters=False)
    db.configure(folder / "kiosque.sqlite3")
    with db.connection():
        db.migrate()
    with ExitStack() as stack:
        log = folder / "gunicorn.log"
        command = [*SERVE, "--bind", f"unix:{nginx.socket}", "app:create_app()"]
        site = stack.enter_context(begun(command, log, {"KIOSQUE_DATA": str(folder)}))
        wait_for(nginx.socket, site, log)
        started = stack.enter_context(front.serving(nginx))
        yield Served(folder, started, site)


@needs_nginx
def test_nginx_accepts_the_files_as_they_ship(tmp_path: Path) -> None:
    status, said = front.check(front.prepare(tmp_path))
    assert status == 0, said
    assert "warn" not in said


@needs_nginx
def test_pages_are_compressed_and_never_kept(served: Served) -> None:
    head, _, _ = served.door.ask(_request("GET", "/connexion", "Accept-Encoding: gzip")).partition(
        b"\r\n\r\n"
    )
    assert b"Content-Encoding: gzip" in head
    assert head.count(b"Cache-Control: no-store") == 1
    assert head.count(b"Content-Security-Policy") == 1
    assert b"Strict-Transport-Security" in head


@needs_nginx
def test_http_2_is_spoken_and_old_tls_is_not(served: Served) -> None:
    context = ssl.create_default_context(cafile=str(served.nginx.certificate))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", served.nginx.https_port)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"
        assert secure.version() == "TLSv1.3"
    text = (DEPLOY / "nginx" / "sautron.conf").read_text()
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in text


@needs_nginx
def test_a_page_asked_in_clear_leads_to_the_secure_one(served: Served) -> None:
    answer = served.clear.ask(_request("GET", "/factures?page=2")).decode()
    assert answer.startswith("HTTP/1.1 301")
    assert f"Location: {served.nginx.url}/factures?page=2\r\n" in answer


@needs_nginx
@pytest.mark.parametrize("path", ["banque", "banque/", "/banque", "inconnue", ""])
def test_a_notification_is_never_redirected(served: Served, path: str) -> None:
    for door in (served.door, served.clear):
        request = _request("POST", f"/paiement/notification/{path}", body=b"vads_hash=1")
        status = int(door.ask(request).split()[1])
        assert 400 <= status < 500


@needs_nginx
def test_a_banks_burst_of_notices_passes_and_a_strangers_flood_does_not(served: Served) -> None:
    request = _request("POST", "/paiement/notification/banque", body=b"vads_hash=1")

    def statuses(door: Door, count: int, at_once: int) -> set[int]:
        with ThreadPoolExecutor(at_once) as pool:
            answers = pool.map(lambda _: door.ask(request), range(count))
            return {int(answer.split()[1]) for answer in answers}

    for door in (served.door, served.clear):
        assert statuses(door, count=100, at_once=100) == {400}
    assert statuses(served.clear, count=1000, at_once=20) == {400, 429}


@needs_nginx
def test_the_visitors_address_is_the_one_that_connects(served: Served) -> None:
    """Whatever it says of itself."""
    form = b"code=F9999&password=a"
    request = _request(
        "POST", "/connexion", "Content-Type: application/x-www-form-urlencoded",
        "X-Forwarded-For: 192.0.2.66", "X-Forwarded-Proto: http", "X-Forwarded-Host: evil.example",
        body=form,
    )  # fmt: skip
    page = served.get("/connexion")
    token = page.rpartition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    cookie = re.findall(r"Set-Cookie: ([^;]+)", page)[0]
    request = request.replace(form, form + f"&csrf_token={token}".encode())
    request = re.sub(
        rb"Content-Length: \d+",
        f"Content-Length: {len(form) + 12 + len(token)}\r\nCookie: {cookie}".encode(),
        request,
    )
    assert b" 422 " in served.door.ask(request).partition(b"\r\n")[0]
    db.configure(served.folder / "kiosque.sqlite3")
    with db.connection():
        rows = database.execute_sql("SELECT DISTINCT address FROM security_event").fetchall()
    assert [tuple(row) for row in rows] == [("127.0.0.1",)]


@needs_nginx
def test_the_secret_of_a_link_is_in_no_log(served: Served) -> None:
    for secret in ("lien/QmFuYW5h", "/lien/QmFuYW5h", "courriels/arret/QmFuYW5h?QmFuYW5h"):
        served.get(f"/{secret}")
        served.clear.ask(_request("GET", f"/{secret}"))
    text = served.logged()
    assert '"GET /lien/... HTTP/1.1" 404' in text
    assert "QmFuYW5h" not in text


@needs_nginx
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (_request("POST", "/connexion", body=b"a" * 70_000), 413),
        (_request("POST", "/connexion", body=b"a" * 2_000_000), 413),
        (_request("GET", f"/paiement/retour/KF1?{'a' * 8_000}"), 404),
        (_request("GET", f"/connexion?{'a' * 10_000}"), 400),
        (_request("GET", "/connexion", f"X-Long: {'a' * 20_000}"), 400),
        (_request("GET", "/factures/%00"), 400),
        (_request("TRACE", "/"), 405),
        (b"not http\r\n\r\n", 400),
    ],
    ids=["70 kB", "2 MB", "address of a bank", "address", "header", "NUL", "TRACE", "not HTTP"],
)
def test_what_nginx_refuses_is_said_in_french(served: Served, request_: bytes, status: int) -> None:
    answer = served.door.ask(request_).decode()
    assert answer.startswith(f"HTTP/1.1 {status}")
    assert "<html lang" in answer
    assert "nginx/" not in answer
    for header in (
        "Content-Security-Policy: default-src 'none';",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "Referrer-Policy: same-origin",
        "Cross-Origin-Opener-Policy: same-origin",
        "Strict-Transport-Security: max-age=63072000",
        "Cache-Control: no-store",
    ):
        assert answer.count(f"\r\n{header}") == 1


@needs_nginx
def test_the_pages_of_errors_are_no_addresses_to_ask_for(served: Served) -> None:
    assert served.door.get("/_nginx/refused") == 404


@needs_nginx
def test_a_crowd_of_passwords_from_one_address_waits_its_turn_and_no_page_waits(
    served: Served,
) -> None:
    """Forty at one instant take a second; each is answered by the site."""
    request = _request("POST", "/connexion", body=b"code=F1")
    begun = time.monotonic()
    with ThreadPoolExecutor(40) as crowd:
        answers = [crowd.submit(served.door.ask, request) for _ in range(40)]
        assert served.door.get("/connexion") == 200
        page = time.monotonic() - begun
        statuses = {answer.result().split()[1] for answer in answers}
    assert statuses == {b"400"}
    assert page < 1 <= time.monotonic() - begun


@needs_nginx
def test_a_site_that_is_down_is_a_503_that_says_when_to_come_back(tmp_path: Path) -> None:
    with front.serving(front.prepare(tmp_path)) as nginx:
        door = Door(nginx.https_port, nginx.certificate, PATIENT)
        answer = door.ask(_request("GET", "/factures")).decode()
        door.get("/lien/QmFuYW5h")
        door.get("/paiement/retour/KF1?signature=QmFuYW5h")
    assert answer.startswith("HTTP/1.1 503")
    assert "Retry-After: " in answer
    assert "ne payez pas une seconde fois" in answer
    # The log of errors tells of the one, and keeps the other's secret.
    assert "GET /factures" in nginx.error_log.read_text()
    assert "QmFuYW5h" not in nginx.error_log.read_text() + nginx.log.read_text()


@needs_nginx
def test_sixty_slow_visitors_keep_nobody_out(served: Served) -> None:
    held = [served.door.connect() for _ in range(60)]
    try:
        for connection in held:
            connection.sendall(b"POST /connexion HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        assert served.door.get("/connexion") == 200
    finally:
        for connection in held:
            connection.close()


@needs_nginx
def test_a_reload_loses_no_request_and_wrong_settings_are_not_taken(served: Served) -> None:
    before = set(served.site.workers)
    served.site.signal(signal.SIGHUP)
    end = time.monotonic() + PATIENT
    while (before & set(served.site.workers) or not served.site.workers) and time.monotonic() < end:
        assert served.door.get() == 200
    assert not before & set(served.site.workers)
    # The first of the two ExecReload of kiosque-web@.service.
    tried = subprocess.run(
        [*SERVE, "--check-config", "app:create_app()"],
        cwd=PROJECT,
        env={"KIOSQUE_DATA": str(served.folder), "KIOSQUE_PUBLIC_URL": "nowhere"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert tried.returncode == 3
    assert "public_url" in tried.stderr


def test_refused_settings_end_the_service_with_one_status_and_no_worker(tmp_path: Path) -> None:
    """systemd starts it again upon any other status than 3."""
    settle(tmp_path, "nowhere", proxy="unix", letters=False)
    serve = [*SERVE, "--bind", f"unix:{tmp_path}/kiosque.sock", "app:create_app()"]
    environment = {"KIOSQUE_DATA": str(tmp_path)}
    started = [
        subprocess.Popen(serve, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for each in started:
        said = each.communicate(timeout=PATIENT)[1]
        assert each.returncode == 3, said
        # Tried once: no worker was there to refuse them again.
        assert said.count("public_url") == 1


@needs_systemd
def test_a_door_of_systemds_stays_open_while_the_site_starts_again(tmp_path: Path) -> None:
    """gunicorn takes the socket that it is given, and leaves it there."""
    settle(tmp_path, "http://127.0.0.1:8000", proxy="unix", letters=False)
    db.configure(tmp_path / "kiosque.sqlite3")
    with db.connection():
        db.migrate()
    door, log = tmp_path / "door.sock", tmp_path / "gunicorn.log"
    activate = [
        *("systemd-socket-activate", "--listen", str(door), f"--setenv=KIOSQUE_DATA={tmp_path}"),
        *(*SERVE, "app:create_app()"),
    ]
    with begun(activate, log) as site:
        wait_for(str(door), site, log)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENT)
            connection.connect(str(door))
            connection.sendall(_request("GET", "/sante"))
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert door.exists()


@needs_systemd
def test_systemd_accepts_the_units_as_they_ship(tmp_path: Path) -> None:
    _bring_units(tmp_path)
    units = [f"{path.name.replace('@', '@sautron')}" for path in UNITS.glob("*@*")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", ["web", "reconcile", "mail", "verify"])
def test_each_service_may_touch_little(tmp_path: Path, name: str) -> None:
    """By systemd's own measure, from 0 (nothing) to 10; a service that says nothing has 9.6."""
    _bring_units(tmp_path)
    done = subprocess.run(
        [
            *("systemd-analyze", "security", "--offline=true", "--threshold=20"),
            f"kiosque-{name}@sautron.service",
        ],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def _bring_units(folder: Path) -> None:
    """The units, with this project in place of /srv/kiosque."""
    shutil.copytree(UNITS, folder, dirs_exist_ok=True)
    for path in (*folder.glob("*"), *folder.glob("*/*")):
        if path.is_file():
            text = path.read_text().replace("/srv/kiosque/.venv/bin/", f"{Path(SERVE[0]).parent}/")
            path.write_text(text.replace("/srv/kiosque", str(PROJECT)))


def test_each_unit_of_a_town_is_of_the_one_user() -> None:
    """The drop-in that says it is read by every unit named kiosque-...: none has another name."""
    assert all(path.name.startswith("kiosque-") for path in UNITS.iterdir())
