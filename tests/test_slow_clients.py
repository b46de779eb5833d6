"""Floods before nginx as it is installed: requests that do not end, passwords without end."""

import asyncio
import shutil
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.load import front
from tests.load.client import Browser
from tests.load.process import begun
from tests.load.trials import Door
from tests.served import Served, http_request, serve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not front.NGINX, reason="nginx is not installed"),
]
needs_slowhttptest = pytest.mark.skipif(
    not shutil.which("slowhttptest"), reason="slowhttptest is not installed"
)

CONNECTIONS = 1700
#: How long they come and stay at most, and at least; how long another visitor may wait meanwhile.
SECONDS, AT_LEAST, PATIENCE = 25, 4, 10.0
#: slowhttptest's words for each kind: the headers, the body, or the reading of the answer never
#: ends. Each connection sends, or reads, some more every second or two.
KINDS = {
    "headers": ("-H", "-i", "2"),
    "bodies": ("-B", "-i", "2", "-s", "60000", "-t", "POST"),
    "reads": ("-X", "-k", "20", "-w", "64", "-y", "64", "-n", "1", "-z", "16"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served")) as site:
        yield site


@contextmanager
def slow(kind: str, url: str, folder: Path) -> Iterator[None]:
    """Its connections come at once, from 127.0.0.1."""
    command = [
        *("slowhttptest", *KINDS[kind], "-u", url, "-c", str(CONNECTIONS)),
        *("-r", str(CONNECTIONS), "-l", str(SECONDS), "-p", "3"),
    ]
    with begun(command, folder / "slowhttptest.log"):
        yield


def held(port: int) -> int:
    """How many connections to this port of 127.0.0.1 are open (tcp(7), state 01), ours too."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "01" for row in rows)


@needs_slowhttptest
@pytest.mark.parametrize("scheme", [pytest.param("http", marks=pytest.mark.proof), "https"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_address_that_never_ends_its_requests_keeps_nobody_out(
    served: Served, tmp_path: Path, kind: str, scheme: str
) -> None:
    nginx = served.nginx
    port = nginx.http_port if scheme == "http" else nginx.https_port
    neighbour = Door(nginx.https_port, nginx.certificate, PATIENCE, source="127.0.0.2")
    # Of headers that do not end nginx knows no sender: it must hold them all. In TLS, and of the
    # others, as many come as this machine can send.
    enough = CONNECTIONS if (kind, scheme) == ("headers", "http") else 0
    most, pages, begun_at = 0, [], time.monotonic()
    with slow(kind, f"{scheme}://127.0.0.1:{port}/connexion", tmp_path):
        while (spent := time.monotonic() - begun_at) < AT_LEAST or (
            most < enough and spent < SECONDS
        ):
            most = max(most, held(port))
            pages.append(neighbour.get("/connexion"))
    assert set(pages) == {200}
    assert most >= enough


@needs_slowhttptest
def test_with_debians_own_limits_it_would_keep_everybody_out(tmp_path: Path) -> None:
    """So that the trial above can be believed."""
    nginx = front.prepare(tmp_path)
    main = (tmp_path / "nginx.conf").read_text().replace("connections 8192", "connections 768")
    (tmp_path / "nginx.conf").write_text(main.replace("processes auto", "processes 2"))
    url, pages = f"http://127.0.0.1:{nginx.http_port}/", [503]
    neighbour = Door(nginx.https_port, nginx.certificate, 3, source="127.0.0.2")
    with front.serving(nginx), slow("headers", url, tmp_path):
        end = time.monotonic() + SECONDS
        while pages[-1] and time.monotonic() < end:
            pages.append(neighbour.get("/connexion"))
    assert pages[-1] == 0


def test_headers_are_waited_for_ten_seconds_on_either_port(served: Served) -> None:
    """However often another letter of them comes."""
    with ThreadPoolExecutor(2) as both:
        waited = list(both.map(_drip, (served.door, served.clear)))
    assert all(9 < seconds < 20 for seconds in waited)


def _drip(door: Door) -> float:
    """For how long it is listened to."""
    begun_at = time.monotonic()
    with door.connect() as connection, suppress(ConnectionError, ssl.SSLError):
        connection.sendall(http_request("GET", "/connexion")[:-4] + b"\r\nX-Slow: ")
        connection.settimeout(1)
        while time.monotonic() < begun_at + 30:
            with suppress(TimeoutError):
                connection.sendall(b"a")
                if not connection.recv(100):
                    break
    return time.monotonic() - begun_at


def test_a_flood_of_new_browsers_makes_a_known_one_wait_and_turns_away_only_new_ones(
    served: Served,
) -> None:
    """Nine addresses send fifty passwords each at one instant: more than their queue holds."""

    async def flood() -> tuple[set[int], int]:
        url, certificate = f"{served.nginx.url}/connexion", served.nginx.certificate
        strangers = [Browser(f"127.2.0.{1 + n % 9}", certificate) for n in range(450)]
        for browser in strangers:
            await browser.get(f"{served.nginx.url}/fichiers/none")
        known = Browser("127.3.0.1", certificate)
        known.remember(url, "__Host-kiosque-navigateur", "forged")
        sent = asyncio.gather(*(browser.post(url, []) for browser in strangers))
        await asyncio.sleep(0)
        answer, answers = await known.post(url, []), await sent
        for browser in (*strangers, known):
            await browser.close()
        return {each.status for each in answers}, answer.status

    with ThreadPoolExecutor(1) as apart:  # another loop may be running in this thread
        turned_away, known = apart.submit(lambda: asyncio.run(flood())).result()
    assert (turned_away, known) == ({400, 429}, 400)
