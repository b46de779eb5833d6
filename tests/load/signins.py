"""`make signins`: families who send their right password at one instant, behind the shipped nginx,
while others read their invoices.

`python -m tests.load.signins COUNT`: fails when one is refused or waits for longer than
LONGEST_SECONDS, or when one page in twenty that others read takes longer than PAGE_SECONDS.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosque.families import hashing
from tests.conftest import csrf_token
from tests.load import town
from tests.load.client import Browser
from tests.load.family import Family, Tally
from tests.load.rush import percentile
from tests.load.site import Site, open_site

READERS = 5
PAUSE_SECONDS = 0.1
LONGEST_SECONDS, PAGE_SECONDS = 6.0, 0.05
HASHES = 20


@dataclass(frozen=True)
class Rush:
    """Each sign-in's status and seconds, and the seconds of pages that others read meanwhile."""

    answers: list[tuple[int, float]]
    pages: list[float]

    def told(self) -> str:
        done = [seconds for status, seconds in self.answers if status == 302]
        statuses = dict(Counter(status for status, _ in self.answers))
        return (
            f"signed in: {len(done)} of {len(self.answers)}, the last after "
            f"{max(done, default=0):.1f} s; answers: {statuses}\n"
            f"other families' pages, ms p50 / p95 / worst: {_milliseconds(self.pages)}"
        )

    def fails(self) -> bool:
        refused = any(status != 302 for status, _ in self.answers)
        late = max(seconds for _, seconds in self.answers) > LONGEST_SECONDS
        return refused or late or percentile(self.pages, 0.95) > PAGE_SECONDS


async def _play(site: Site, count: int) -> tuple[Rush, Rush, list[float]]:
    """Return the rush from browsers that are new, then from as many of which half are known, and
    the seconds of pages while nobody signs in."""
    readers = [await _reader(site, count + number) for number in range(READERS)]
    browsers = [_browser(site, number) for number in range(count)]
    calm = await _read(site, readers, asyncio.create_task(asyncio.sleep(3)))
    new = await _rush(site, readers, browsers)
    for browser in browsers:
        await _sign_out(site, browser)
    strangers = [_browser(site, number) for number in range(count // 2)]
    mixed = await _rush(site, readers, [*strangers, *browsers[len(strangers) :]])
    return new, mixed, calm


async def _rush(site: Site, readers: list[Browser], browsers: list[Browser]) -> Rush:
    forms = [await _form(site, browser, number) for number, browser in enumerate(browsers)]
    rush = asyncio.gather(*(_sign_in(site, *each) for each in zip(browsers, forms, strict=True)))
    pages = await _read(site, readers, rush)
    return Rush(await rush, pages)


async def _reader(site: Site, number: int) -> Browser:
    browser = _browser(site, number)
    await Family(town.code(number), site.url, browser, Tally(), hurry=True).sign_in()
    return browser


async def _read(site: Site, readers: list[Browser], until: "asyncio.Future[Any]") -> list[float]:
    seconds = []

    async def go_on(browser: Browser) -> None:
        while not until.done():
            answer = await browser.get(f"{site.url}/factures")
            assert answer.status == 200
            seconds.append(answer.seconds)
            await asyncio.sleep(PAUSE_SECONDS)

    await asyncio.gather(*(go_on(browser) for browser in readers))
    return seconds


async def _form(site: Site, browser: Browser, number: int) -> list[tuple[str, str]]:
    """The sign-in page is open, and its form filled in."""
    page = await browser.get(f"{site.url}/connexion")
    form = [("code", town.code(number)), ("password", town.PASSWORD)]
    return [*form, ("csrf_token", csrf_token(page.text))]


async def _sign_in(site: Site, browser: Browser, form: list[tuple[str, str]]) -> tuple[int, float]:
    answer = await browser.post(f"{site.url}/connexion", form)
    return answer.status, answer.seconds


async def _sign_out(site: Site, browser: Browser) -> None:
    page = await browser.get(f"{site.url}/compte")
    await browser.post(f"{site.url}/deconnexion", [("csrf_token", csrf_token(page.text))])


def _browser(site: Site, number: int) -> Browser:
    return Browser(f"127.1.{number // 250}.{1 + number % 250}", site.certificate)


def _hash() -> str:
    """Return what one password costs here and now, alone."""
    held = hashing.hash_password(town.PASSWORD)
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(HASHES):
        hashing.matches(held, town.PASSWORD)
    wall, processor = (
        1000 / HASHES * it for it in (time.perf_counter() - wall, time.process_time() - processor)
    )
    return f"one password: {processor:.0f} ms of a processor, {wall:.0f} ms waited for"


def _milliseconds(seconds: list[float]) -> str:
    parts = (percentile(seconds, part) for part in (0.5, 0.95, 1))
    return " / ".join(f"{1000 * each:.0f}" for each in parts)


def main(count: int) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="kiosque-signins-") as folder,
        open_site(Path(folder), count + READERS) as site,
    ):
        load, before = os.getloadavg()[0], site.trees["site"].memory_mib()[1]
        new, mixed, calm = asyncio.run(_play(site, count))
        after = site.trees["site"].memory_mib()[1]
    print(f"{os.cpu_count()} cores, load before {load:.1f}, priority {os.nice(0)}; {_hash()}")
    print(f"from new browsers\n{new.told()}")
    print(f"half from known ones\n{mixed.told()}")
    print(f"pages while nobody signs in: {_milliseconds(calm)}")
    print(f"memory of the site, MiB: {before:.0f} before, {after:.0f} after")
    if new.fails() or mixed.fails():
        raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200)
