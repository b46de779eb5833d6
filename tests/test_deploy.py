"""The files of deploy/: nginx and systemd read them, and the site is served as they say."""

import platform
import re
import runpy
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from kiosque import db
from kiosque.db import database
from kiosque.families import hashing
from kiosque.settings.defaults import Server
from tests import sentences
from tests.load import front
from tests.load.process import PROJECT, begun, wait_for
from tests.load.trials import Door
from tests.served import PATIENT, SERVE, Served, http_request, serve
from tests.sites import settle

DEPLOY = PROJECT / "deploy"
UNITS = DEPLOY / "systemd"

needs_nginx = pytest.mark.skipif(not front.NGINX, reason="nginx is not installed")
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd is not installed"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served")) as site:
        yield site


@needs_nginx
def test_nginx_accepts_the_files_as_they_ship(tmp_path: Path) -> None:
    status, said = front.check(front.prepare(tmp_path))
    assert status == 0, said
    assert "warn" not in said


@needs_nginx
def test_pages_are_compressed_and_never_kept(served: Served) -> None:
    head, _, _ = served.door.ask(
        http_request("GET", "/connexion", "Accept-Encoding: gzip")
    ).partition(b"\r\n\r\n")
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
    answer = served.clear.ask(http_request("GET", "/factures?page=2")).decode()
    assert answer.startswith("HTTP/1.1 301")
    assert f"Location: {served.nginx.url}/factures?page=2\r\n" in answer


@needs_nginx
@pytest.mark.parametrize("path", ["banque", "banque/", "/banque", "inconnue", ""])
def test_a_notification_is_never_redirected(served: Served, path: str) -> None:
    for door in (served.door, served.clear):
        request = http_request("POST", f"/paiement/notification/{path}", body=b"vads_hash=1")
        status = int(door.ask(request).split()[1])
        assert 400 <= status < 500


@needs_nginx
def test_a_banks_burst_of_notices_passes_and_a_strangers_flood_does_not(served: Served) -> None:
    request = http_request("POST", "/paiement/notification/banque", body=b"vads_hash=1")

    def statuses(door: Door, count: int, at_once: int) -> set[int]:
        with ThreadPoolExecutor(at_once) as pool:
            answers = pool.map(lambda _: door.ask(request), range(count))
            return {int(answer.split()[1]) for answer in answers}

    for door in (served.door, served.clear):
        assert statuses(door, count=100, at_once=100) == {400}
    assert statuses(served.clear, count=1000, at_once=20) == {400, 429}


@needs_nginx
def test_nginx_takes_an_ipv6_subscriber_for_one_visitor(tmp_path: Path) -> None:
    """Wherever it comes from in its 65,536 networks of 64 bits."""
    nginx = front.prepare(tmp_path)
    kiosque = tmp_path / "kiosque.conf"
    kiosque.write_text(kiosque.read_text().replace("$remote_addr", "$arg_address"))
    town = tmp_path / "sautron.conf"
    told = "location = /who { return 200 $kiosque_network; }\n    location / {"
    town.write_text(town.read_text().replace("location / {", told, 1))
    networks = {
        "203.0.113.9": "203.0.113.9",
        "2001:db8:1:2:3:4:5:6": "2001:db8:1:",
        "2001:db8:1:ffff::1": "2001:db8:1:",
        "2001:db8:1::": "2001:db8:1:",
        "2001:db8:12::1": "2001:db8:12:",
        "::1": "::1",
    }
    with front.serving(nginx) as started:
        door = Door(started.http_port, seconds=PATIENT)
        for address, network in networks.items():
            answer = door.ask(http_request("GET", f"/who?address={address}"))
            assert answer.decode().endswith(f"\r\n\r\n{network}"), address


@needs_nginx
def test_the_visitors_address_is_the_one_that_connects(served: Served) -> None:
    """Whatever it says of itself."""
    form = b"code=F9999&password=a"
    request = http_request(
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
    for secret in (
        "lien/QmFuYW5h",
        "/lien/QmFuYW5h",
        "courriels/arret/QmFuYW5h?QmFuYW5h",
        "mairie/invitation/QmFuYW5h",
    ):
        served.get(f"/{secret}")
        served.clear.ask(http_request("GET", f"/{secret}"))
    assert in_log(served, '"GET /lien/... HTTP/1.1" 404')
    assert "QmFuYW5h" not in served.logged()


def in_log(served: Served, words: str) -> bool:
    """Tell whether nginx writes these words in its log: it does a little after its answer."""
    end = time.monotonic() + 10
    while words not in served.nginx.log.read_text() and time.monotonic() < end:
        time.sleep(0.01)
    return words in served.nginx.log.read_text()


@needs_nginx
@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/factures/2026-10-0001?page=QmFuYW5h", "/factures/2026-10-0001"),
        ("/fichiers/style.0123.css", "/fichiers/style.0123.css"),
        ("/.env", "/.env"),
        ("/factures/%C3%A9t%C3%A9", "/factures/%C3%A9t%C3%A9"),
        ("/%6cien/QmFuYW5h", "/..."),
        ("/x/../lien/QmFuYW5h", "/..."),
        ("/courriels/%61rret/QmFuYW5h", "/..."),
        ("/courriels//arret/QmFuYW5h", "/..."),
        ("/lien", "/lien"),
    ],
)
def test_the_log_says_what_was_asked_unless_it_may_hide_a_secret(
    served: Served, path: str, logged: str
) -> None:
    served.get(path)
    assert in_log(served, f'"GET {logged} HTTP/1.1"')
    assert "QmFuYW5h" not in served.nginx.log.read_text()


@needs_nginx
def test_a_notice_that_nginx_refuses_is_logged_as_a_notice(served: Served) -> None:
    path = "/paiement/notification/banque"
    served.door.ask(http_request("POST", path, body=b"a" * 200_000))
    assert in_log(served, f'"POST {path} HTTP/1.1" 413 ')


@needs_nginx
@pytest.mark.parametrize(
    ("asked", "by_the_site"),
    [
        (http_request("GET", "/nulle-part", f"X-Request-ID: {'0' * 8}"), True),
        (http_request("GET", f"/connexion?{'a' * 10_000}"), False),
    ],
)
def test_a_page_of_errors_shows_the_number_that_every_log_has(
    served: Served, asked: bytes, by_the_site: bool
) -> None:
    answer = served.door.ask(asked).decode()
    (number,) = re.findall("référence ([0-9a-f]{8})", answer)
    assert number != "0" * 8
    assert in_log(served, f" {number}\n")
    written = (served.folder / "gunicorn.log").read_text()
    assert (f"request={number} " in written) == by_the_site


@needs_nginx
def test_a_town_that_is_stopped_says_so_and_takes_no_notice(tmp_path: Path) -> None:
    with front.serving(front.prepare(tmp_path)) as nginx:
        doors = (Door(nginx.https_port, nginx.certificate, PATIENT), Door(nginx.http_port))
        notice = http_request("POST", "/paiement/notification/banque", body=b"vads_hash=1")
        down = doors[0].ask(http_request("GET", "/factures")).decode()
        nginx.stopped.touch()
        stopped = doors[0].ask(http_request("GET", "/factures")).decode()
        notices = [door.ask(notice).decode() for door in doors]
    assert sentences.MAINTENANCE in stopped
    assert sentences.MAINTENANCE not in down
    for answer in (stopped, *notices):
        assert answer.startswith("HTTP/1.1 503")
        assert "Retry-After: " in answer
        assert sentences.NO_SECOND_PAYMENT in answer


@needs_nginx
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (http_request("POST", "/connexion", body=b"a" * 70_000), 413),
        (http_request("POST", "/connexion", body=b"a" * 2_000_000), 413),
        (http_request("GET", f"/paiement/retour/KF1?{'a' * 8_000}"), 404),
        (http_request("GET", f"/connexion?{'a' * 10_000}"), 400),
        (http_request("GET", "/connexion", f"X-Long: {'a' * 20_000}"), 400),
        (http_request("GET", "/factures/%00"), 400),
        (http_request("TRACE", "/"), 405),
        (b"not http\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (http_request("POST", "/connexion", "Transfer-Encoding: nothing"), 400),
    ],
    ids=[
        *("70 kB", "2 MB", "address of a bank", "address", "header", "NUL", "TRACE", "not HTTP"),
        *("HTTP 9", "encoding"),
    ],
)
def test_what_nginx_refuses_is_said_in_french(served: Served, asked: bytes, status: int) -> None:
    answer = served.door.ask(asked).decode()
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
def test_in_clear_too_what_nginx_refuses_is_a_page_of_ours(served: Served) -> None:
    """With the headers of the site's own pages, but for what means nothing in clear."""
    own = served.get("/nulle-part").partition("\r\n\r\n")[0]
    expected = {line.partition(":")[0] for line in own.split("\r\n")[1:]}
    for asked in (
        http_request("TRACE", "/"),
        http_request("GET", f"/{'a' * 10_000}"),
        http_request("GET", "/.well-known/acme-challenge/nothing"),
        http_request("POST", "/paiement/notification/banque", body=b"a" * 200_000),
    ):
        head, _, page = served.clear.ask(asked).decode().partition("\r\n\r\n")
        assert "<html lang=fr>" in page
        found = {line.partition(":")[0] for line in head.split("\r\n")[1:]}
        assert expected - found <= {"Strict-Transport-Security", "Set-Cookie", "Vary"}
        assert "Strict-Transport-Security" not in found


@needs_nginx
def test_a_visit_in_clear_at_the_door_of_tls_is_told_so(served: Served) -> None:
    answer = Door(served.nginx.https_port, seconds=PATIENT).ask(http_request("GET", "/")).decode()
    assert answer.startswith("HTTP/1.1 400")
    assert "X-Frame-Options: DENY" in answer


@needs_nginx
@pytest.mark.parametrize("written", ["a", "&", quote("é"), quote("\N{GRINNING FACE}")])
def test_a_long_address_asked_for_leads_to_the_sign_in_page(served: Served, written: str) -> None:
    """It is in the Location of the answer, up to a length of ours, and there it is longer still."""
    for length in (1_900, 7_900):
        answer = served.get(f"/factures?{written * (length // len(written))}")
        assert answer.startswith("HTTP/1.1 302")


@needs_nginx
def test_the_pages_of_errors_are_no_addresses_to_ask_for(served: Served) -> None:
    assert served.door.get("/_nginx/refused") == 404


@needs_nginx
@pytest.mark.parametrize(
    ("path", "source"),
    [("/connexion", "127.0.0.3"), ("/connexion/", "127.0.0.4"), ("//connexion", "127.0.0.5")],
)
def test_a_crowd_of_passwords_from_one_address_waits_its_turn_and_no_page_waits(
    served: Served, path: str, source: str
) -> None:
    """Forty at one instant take a second, however the address is written; each is answered by the
    site."""
    asked, door = http_request("POST", path, body=b"code=F1"), replace(served.door, source=source)
    begun_at = time.monotonic()
    with ThreadPoolExecutor(40) as crowd:
        answers = [crowd.submit(door.ask, asked) for _ in range(40)]
        assert door.get("/connexion") == 200
        page = time.monotonic() - begun_at
        statuses = {answer.result().split()[1] for answer in answers}
    assert statuses <= {b"400", b"404"}
    assert page < 1 <= time.monotonic() - begun_at


@needs_nginx
def test_a_site_that_is_down_is_a_503_that_says_when_to_come_back(tmp_path: Path) -> None:
    with front.serving(front.prepare(tmp_path)) as nginx:
        door = Door(nginx.https_port, nginx.certificate, PATIENT)
        answer = door.ask(http_request("GET", "/factures")).decode()
        door.get("/lien/QmFuYW5h")
        door.get("/paiement/retour/KF1?signature=QmFuYW5h")
    assert answer.startswith("HTTP/1.1 503")
    assert "Retry-After: " in answer
    assert sentences.NO_SECOND_PAYMENT in answer
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


@pytest.mark.slow
def test_workers_and_threads_are_settings_that_a_reload_takes(tmp_path: Path) -> None:
    settle(tmp_path, "http://127.0.0.1:8000", proxy="unix", letters=False)
    file, socket_path, log = tmp_path / "kiosque.toml", tmp_path / "web", tmp_path / "log"
    written = file.read_text(encoding="utf-8")
    serve = [*SERVE, "--bind", f"unix:{socket_path}", "app:create_app()"]

    def ask_for(workers: int, threads: int) -> None:
        file.write_text(f"{written}\n[server]\nworkers = {workers}\nthreads = {threads}\n")

    ask_for(1, 9)
    with begun(serve, log, {"KIOSQUE_DATA": str(tmp_path)}) as site:
        wait_for(str(socket_path), site, log)
        first = now = site.workers
        assert len(first) == 1
        ask_for(3, 9)
        site.signal(signal.SIGHUP)
        end = time.monotonic() + PATIENT
        while (set(first) & set(now) or len(now) != 3) and time.monotonic() < end:
            now = site.workers
        assert len(now) == 3
    for threads, status, told in ((9, 0, r"threads\s+= 9"), (7, 3, "server.threads")):
        ask_for(3, threads)
        shown = subprocess.run(
            [*SERVE, "--print-config", "app:create_app()"],
            cwd=PROJECT,
            env={"KIOSQUE_DATA": str(tmp_path)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert shown.returncode == status
        assert re.search(told, shown.stdout + shown.stderr)


def test_two_hundred_passwords_at_one_instant_find_a_place_and_pages_a_thread() -> None:
    """On a machine that hashes ten a second, in two workers, while nginx lets them in."""
    shipped = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    gates = (hashing.strangers, hashing.own_browsers, hashing.changes)
    places = [_places(gate) for gate in gates]
    assert shipped["workers"] == 2
    assert all(2 * each + 10 * 5 >= 200 for each in places[:2])
    assert shipped["threads"] >= sum(places) + 8
    assert shipped["threads"] == Server().threads


def _places(gate: hashing.Gate) -> int:
    with ExitStack() as held:
        for count in range(1000):
            try:
                held.enter_context(gate.place())
            except hashing.Busy:
                return count
    raise AssertionError("a gate without an end")


_PAGES_OF_A_HASH = """
import resource, runpy, threading
runpy.run_path("deploy/gunicorn.conf.py")["post_fork"](None, None)
from kiosque.families import hashing
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    hashing.hash_password("une phrase assez longue")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
for _ in range(4):
    thread = threading.Thread(target=faults)
    thread.start()
    thread.join()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that is told")
def test_the_memory_of_a_password_hash_is_at_hand_for_the_next_in_any_thread() -> None:
    """Or the system clears 4,864 pages of it for each: ten milliseconds."""
    done = subprocess.run(
        [sys.executable, "-c", _PAGES_OF_A_HASH],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    first, *others = map(int, done.stdout.split())
    assert first > 4000
    assert max(others) < 1000


@pytest.mark.parametrize(("url", "ready"), [("nowhere", False), ("http://127.0.0.1:8000", True)])
def test_systemctl_restart_fails_when_the_settings_are_refused(
    tmp_path: Path, url: str, ready: bool
) -> None:
    """It waits for READY=1 (Type=notify), or for the main process to end before: sd_notify(3)."""
    settle(tmp_path, url, proxy="unix", letters=False)
    serve = [*SERVE, "--bind", f"unix:{tmp_path}/kiosque.sock", "app:create_app()"]
    environment = {"KIOSQUE_DATA": str(tmp_path), "NOTIFY_SOCKET": str(tmp_path / "notify")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(environment["NOTIFY_SOCKET"])
        with begun(serve, tmp_path / "gunicorn.log", environment) as site:
            if ready:
                systemd.settimeout(PATIENT)
                assert systemd.recv(4096).startswith(b"READY=1")
                return
            assert site.process.wait(PATIENT) == 3
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(4096)
    assert re.search("(?m)^Type=notify$", (UNITS / "kiosque-web@.service").read_text())


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
            connection.sendall(http_request("GET", "/sante"))
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
@pytest.mark.parametrize(
    "name", ["web", "reconcile", "mail", "verify", "forget", "check", "failed"]
)
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


def test_every_unit_that_fails_is_told_and_each_has_a_name_in_the_journal() -> None:
    told = "OnFailure=kiosque-failed@%i.service"
    units = {path.name: path.read_text() for path in UNITS.glob("*@*")}
    assert [name for name, text in units.items() if told not in text] == ["kiosque-failed@.service"]
    common = (UNITS / "kiosque-.service.d" / "town.conf").read_text()
    assert "\nSyslogIdentifier=%p-%i\n" in common
    assert "app.py alert\n" in units["kiosque-failed@.service"]


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize(
    "script", ["deploy/install", "deploy/add-town", "deploy/kiosque", "tests/machine/boot",
               "tests/machine/try"]
)  # fmt: skip
def test_shellcheck_finds_nothing_to_say_of_a_script(script: str) -> None:
    done = subprocess.run(
        ["shellcheck", script], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_each_unit_of_a_town_is_of_the_one_user() -> None:
    """The drop-in that says it is read by every unit named kiosque-...: none has another name."""
    assert all(path.name.startswith("kiosque-") for path in UNITS.iterdir())
