"""`make servers`: the site under each server, with its own pages, behind nginx and not.

`python -m tests.load.servers [SECONDS] [NAME...]`: so long for each page, the servers of these
names (a part is enough) or all.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.load import front, town, trials, wrk
from tests.load.client import Browser
from tests.load.family import Family, Tally
from tests.load.kinds import KINDS, Kind
from tests.load.process import Tree, begun, free_port, wait_for
from tests.load.trials import Door
from tests.sites import settle

FAMILIES, INVOICES = 500, 12
#: Address, and whether it wants a session.
PAGES = (("/connexion", False), ("/factures", True), ("/sante", False), ("style", False))


@dataclass(frozen=True)
class Site:
    """A site under one server, with the cookie of a family that is signed in."""

    url: str
    tree: Tree
    door: Door
    cookie: str
    style: str
    nginx: Tree | None = None

    def cpu_seconds(self) -> float:
        """The server's, and nginx's where it stands in front."""
        return self.tree.cpu_seconds() + (self.nginx.cpu_seconds() if self.nginx else 0)


@contextmanager
def _direct(kind: Kind, folder: Path) -> Iterator[Site]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with _server(kind, folder, f"127.0.0.1:{port}", ("127.0.0.1", port)) as tree:
        yield Site(url, tree, Door(port), *_sign_in(url, None))


@contextmanager
def _behind(kind: Kind, folder: Path, nginx: front.Front) -> Iterator[Site]:
    with (
        _server(kind, folder, nginx.socket, nginx.socket) as tree,
        front.serving(nginx) as started,
    ):
        door = Door(started.https_port, started.certificate)
        signed_in = _sign_in(started.url, started.certificate)
        yield Site(started.url, tree, door, *signed_in, started.tree)


@contextmanager
def _server(kind: Kind, folder: Path, where: str, address: str | tuple[str, int]) -> Iterator[Tree]:
    Path(where).unlink(missing_ok=True)
    log = folder / "server.log"
    log.unlink(missing_ok=True)
    command = kind.command(kind.programs, where)
    # What deploy/gunicorn.conf.py does for gunicorn.
    environment = {
        "KIOSQUE_DATA": str(folder),
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
        "MALLOC_TRIM_THRESHOLD_": str(64 * 1024 * 1024),
    }
    with begun(command, log, environment) as tree:
        wait_for(address, tree, log)
        yield tree


def _sign_in(url: str, certificate: Path | None) -> tuple[str, str]:
    """The cookie of a family, and the address of the stylesheet."""
    browser, tally = Browser(certificate=certificate), Tally()

    async def sign_in() -> str:
        family = Family(town.code(7), url, browser, tally, hurry=True)
        page = await browser.get(f"{url}/connexion")
        await family.sign_in()
        await browser.close()
        return "/fichiers/" + page.text.partition('href="/fichiers/')[2].partition('"')[0]

    style = asyncio.run(sign_in())
    return browser.cookie(url), style


def _speed(site: Site, folder: Path, seconds: int) -> list[str]:
    """Page by page: how many a second, p95, and the processor time of one, which what else the
    machine does changes least; a page that fails is said."""
    told = []
    for path, signed_in in PAGES:
        url = site.url + (site.style if path == "style" else path)
        cookie = site.cookie if signed_in else ""
        wrk.load(url, folder, seconds=1, cookie=cookie)
        before = site.cpu_seconds()
        seen = wrk.load(url, folder, seconds=seconds, cookie=cookie)
        cpu = 1000 * (site.cpu_seconds() - before) / (seen.per_second * seconds)
        faults = f" ({seen.refused} refused, {seen.broken} broken)" * bool(
            seen.refused or seen.broken
        )
        told.append(f"{seen.per_second:.0f} /s, {seen.p95_ms:.0f} ms, CPU {cpu:.2f} ms{faults}")
    return told


def _measure(kind: Kind, folder: Path, nginx: front.Front | None, seconds: int) -> None:
    """Print a server's rows, as they come."""
    places: list[tuple[str, Callable[[], object]]] = [("direct", lambda: _direct(kind, folder))]
    if nginx:
        places.append(("behind nginx", lambda: _behind(kind, folder, nginx)))
    for place, start in places:
        with start() as site:  # type: ignore[attr-defined]
            rows = _speed(site, folder, seconds)
            rss, pss = site.tree.memory_mib()
            rows.append(f"{rss:.0f} / {pss:.0f} MiB")
            rows.append(trials.slow_clients(site.door))
            rows.append(trials.idle_clients(site.door))
            rows.append(trials.gone_clients(site.door))
            rows.append(trials.reload(site.door, site.tree, kind.reload))
            print(f"| {kind.name} | {place} | {' | '.join(rows)} |", flush=True)
            odd = trials.odd_requests(site.door)
            killed = trials.killed_worker(site.door, site.tree)
            print(
                f"{kind.name}, {place}: killed: {killed}; odd: {odd}", file=sys.stderr, flush=True
            )


def main(seconds: int, names: list[str]) -> None:
    if not wrk.WRK:
        raise SystemExit("wrk is wanted: apt-get install wrk nginx")
    with tempfile.TemporaryDirectory(prefix="kiosque-servers-") as name:
        folder = Path(name)
        nginx = front.prepare(folder) if front.NGINX else None
        settle(folder, nginx.url if nginx else "http://127.0.0.1", proxy="unix", letters=False)
        town.build(folder, FAMILIES, INVOICES, settled=20)
        heads = [path for path, _ in PAGES]
        heads += ["RSS / shared once", "60 slow", "200 idle", "50 gone", "reload"]
        print(f"load {os.getloadavg()[0]:.1f}\n\n| server | place | {' | '.join(heads)} |")
        print("|---" * (len(heads) + 2) + "|", flush=True)
        for kind in KINDS:
            if names and not any(name in kind.name for name in names):
                continue
            if why := kind.install():
                print(f"| {kind.name} | not installed: {why} |", flush=True)
            else:
                _measure(kind, folder, nginx, seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5, sys.argv[2:])
