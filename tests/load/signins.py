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
from pathlib import Path

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


async def _play(site: Site, count: int) -> tuple[list[tuple[int, float]], list[float], list[float]]:
    """Return each sign-in's status and seconds, then the seconds of the pages read by others while
    nobody signs in, and meanwhile."""
    readers = [await _reader(site, count + number) for number in range(READERS)]
    calm, meanwhile = [], []
    await _read(site, readers, calm, asyncio.create_task(asyncio.sleep(3)))
    ready = [await _ready(site, number) for number in range(count)]
    rush = asyncio.gather(*(_sign_in(site, *each) for each in ready))
    await _read(site, readers, meanwhile, rush)
    return await rush, calm, meanwhile


async def _reader(site: Site, number: int) -> Browser:
    browser = _browser(site, number)
    await Family(town.code(number), site.url, browser, Tally(), hurry=True).sign_in()
    return browser


async def _read(
    site: Site, readers: list[Browser], seconds: list[float], until: "asyncio.Future[object]"
) -> None:
    async def go_on(browser: Browser) -> None:
        while not until.done():
            answer = await browser.get(f"{site.url}/factures")
            assert answer.status == 200
            seconds.append(answer.seconds)
            await asyncio.sleep(PAUSE_SECONDS)

    await asyncio.gather(*(go_on(browser) for browser in readers))


async def _ready(site: Site, number: int) -> tuple[Browser, list[tuple[str, str]]]:
    """A browser with the sign-in page open, and the form filled in."""
    browser = _browser(site, number)
    page = await browser.get(f"{site.url}/connexion")
    form = [("code", town.code(number)), ("password", town.PASSWORD)]
    return browser, [*form, ("csrf_token", csrf_token(page.text))]


async def _sign_in(site: Site, browser: Browser, form: list[tuple[str, str]]) -> tuple[int, float]:
    answer = await browser.post(f"{site.url}/connexion", form)
    await browser.close()
    return answer.status, answer.seconds


def _browser(site: Site, number: int) -> Browser:
    return Browser(f"127.1.{number // 250}.{1 + number % 250}", site.certificate)


def _hash() -> str:
    """What one password costs here and now, alone."""
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
        answers, calm, meanwhile = asyncio.run(_play(site, count))
        after = site.trees["site"].memory_mib()[1]
    done = [seconds for status, seconds in answers if status == 302]
    print(f"{os.cpu_count()} cores, load before {load:.1f}, priority {os.nice(0)}; {_hash()}")
    print(f"signed in: {len(done)} of {count}, the last after {max(done, default=0):.1f} s")
    print(f"answers: {dict(Counter(status for status, _ in answers))}")
    print(f"other families' pages, ms p50 / p95 / worst: {_milliseconds(meanwhile)}")
    print(f"the same while nobody signs in: {_milliseconds(calm)}")
    print(f"memory of the site, MiB: {before:.0f} before, {after:.0f} after")
    slow = percentile(meanwhile, 0.95) > PAGE_SECONDS
    if len(done) < count or max(done) > LONGEST_SECONDS or slow:
        raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200)
