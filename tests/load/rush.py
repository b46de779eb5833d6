"""`make rush`: the last hour before the limit date, through the real site and the mock bank.

`python -m tests.load.rush FAMILIES MINUTES TIMES...`: so many families come in so many minutes,
more and more towards the end, then so many times more of them. The hour is played in MINUTES: 3 is
twenty times as hard as the real one.
"""

import asyncio
import os
import random
import re
import sys
import tempfile
import time
from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.load import books, town
from tests.load.client import Browser
from tests.load.family import Family, Tally
from tests.load.meter import STRETCH, Meter
from tests.load.process import PROJECT, python
from tests.load.site import Site, open_site

WARM_UP, IDLE = 10, 60
#: Timers call each minute; the hour is short, so they call more often.
TIMER_SECONDS = 20
#: Arrivals at the end of the hour are this many times those of the hour's mean.
END_RUSH = 3


class Rush:
    """The families of one town, in turn. `receipts` are all those given so far."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._next = 0
        self._said = 0
        self.receipts: dict[str, list[str]] = {}

    async def one_at_a_time(self, count: int) -> Tally:
        """Measure each page when nobody else is there."""
        tally = Tally()
        for _ in range(count):
            await self._family(tally, hurry=True).pay()
        self.receipts |= tally.done
        return tally

    async def play(self, count: int, seconds: float) -> tuple[Tally, Meter]:
        """So many families within so many seconds, until the last has its receipt."""
        tally, meter = Tally(), Meter(self._site.trees)
        tasks = [asyncio.create_task(each) for each in (meter.run(), self._call_timers())]
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(count):
                    delay = seconds * random.random() ** (1 / END_RUSH)
                    group.create_task(self._come(self._family(tally), delay))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.receipts |= tally.done
        return tally, meter

    def log_since(self) -> Counter[str]:
        """Return the lines logged since last asked, by kind; and anything that is not a page."""
        text = self._site.log.read_text()[self._said :]
        self._said += len(text)
        pages = re.findall(r"error (\d+), reference \w+, (\w+ [\w.]+)", text)
        others = [line for line in text.splitlines() if "error " not in line and "] " in line]
        return Counter(f"{status} {page}" for status, page in pages) + Counter(others[:5])

    def _family(self, tally: Tally, *, hurry: bool = False) -> Family:
        number, self._next = self._next, self._next + 1
        # nginx sees who connects: each family from its own address, as in life.
        address = f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"
        browser = Browser(address, self._site.certificate)
        return Family(town.code(number), self._site.url, browser, tally, hurry=hurry)

    async def _come(self, family: Family, delay: float) -> None:
        await asyncio.sleep(delay)
        await family.pay()

    async def _call_timers(self) -> None:
        while True:
            for command in ("reconcile", "send-mail"):
                process = await asyncio.create_subprocess_exec(
                    *python("app.py", command),
                    cwd=PROJECT,
                    env={**os.environ, **self._site.environment},
                    stdout=asyncio.subprocess.DEVNULL,
                )
                try:
                    status = await process.wait()
                finally:  # the rush is over: what was begun ends before it
                    await process.wait()
                if status:
                    print(f"{command}: status {status}", flush=True)
            await asyncio.sleep(TIMER_SECONDS)


def percentile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


def _table(idle: Tally, tally: Tally) -> list[str]:
    rows = ["| page | answers | idle p95 ms | rush p50 ms | rush p95 ms | p95 to idle p95 |"]
    rows.append("|---|---|---|---|---|---|")
    for page, calm in idle.seconds.items():
        seen = tally.seconds.get(page, [])
        alone, middle, late = (
            1000 * percentile(*each) for each in ((calm, 0.95), (seen, 0.5), (seen, 0.95))
        )
        ratio = late / alone
        rows.append(
            f"| {page} | {len(seen)} | {alone:.0f} | {middle:.0f} | {late:.0f} | {ratio:.1f}x |"
        )
    return rows


def _slowest(idle: Tally, tally: Tally) -> float:
    """The worst ratio of a page's p95 to its own when idle."""
    return max(
        percentile(tally.seconds.get(page, []), 0.95) / percentile(calm, 0.95)
        for page, calm in idle.seconds.items()
    )


def main(families: int, minutes: float, times: list[int]) -> None:
    random.seed(0)
    failed = []
    total = WARM_UP + IDLE + families * sum(times)
    with tempfile.TemporaryDirectory(prefix="kiosque-rush-") as folder:
        print(f"a town of {total} families...", flush=True)
        with open_site(Path(folder), total) as site, asyncio.Runner() as runner:
            rush = Rush(site)
            print(f"the database: {_size(site) / 1e6:.1f} MB, two invoices a family", flush=True)
            runner.run(rush.one_at_a_time(WARM_UP))
            idle = runner.run(rush.one_at_a_time(IDLE))
            rush.log_since()
            for factor in times:
                failed += _play(runner, rush, site, idle, factor * families, minutes)
    if failed:
        raise SystemExit("\n".join(failed))


def _play(
    runner: asyncio.Runner, rush: Rush, site: Site, idle: Tally, count: int, minutes: float
) -> list[str]:
    """One run, told as it ends; what must never be."""
    size, load = _size(site), os.getloadavg()[0]
    before = time.monotonic()
    tally, meter = runner.run(rush.play(count, 60 * minutes))
    late = time.monotonic() - before - 60 * minutes
    found = books.look(site, rush.receipts)
    done = max(len(tally.done), 1)
    print(f"\n## {count} families in {minutes:g} min (load before: {load:.1f})\n")
    end = END_RUSH * count / 60 / minutes
    print(f"An hour played {60 / minutes:.0f} times as fast: {end:.1f} a second at the end.\n")
    print("\n".join(_table(idle, tally)))
    print(f"\nreceipts: {len(tally.done)}, the last {late:.0f} s after the limit")
    print(f"most receipts in {STRETCH} s: {_most(tally.ended) / STRETCH:.1f} a second")
    print(f"slowest page: {_slowest(idle, tally):.1f}x idle")
    print(f"asked to come back: {dict(tally.later)}")
    print(f"no answer: {dict(tally.broken)}; errors: {dict(tally.errors)}")
    print(f"site's log: {dict(rush.log_since())}")
    print(meter.told(done))
    print(f"books: {found.payments} payments, {found.cents / 100:.2f} EUR; faults: {found.faults}")
    print(f"the database grew by {(_size(site) - size) / done / 1000:.1f} kB a payment", flush=True)
    errors = [f"{count} families: {name} x{n}" for name, n in tally.errors.items()]
    return found.faults + errors


def _most(moments: list[float]) -> int:
    """How many of them lie within one stretch."""
    ordered = sorted(moments)
    return max((bisect(ordered, at + STRETCH) - rank for rank, at in enumerate(ordered)), default=0)


def _size(site: Site) -> int:
    return (site.folder / "kiosque.sqlite3").stat().st_size


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), [int(text) for text in sys.argv[3:]] or [1])
