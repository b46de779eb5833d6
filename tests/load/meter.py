"""Who takes the processors, second by second, while a rush lasts."""

import asyncio
import os
import resource
import time
from dataclasses import dataclass, field

from tests.load.process import Tree

#: The busiest stretch that is told of, in seconds.
STRETCH = 10


@dataclass
class Meter:
    """Processor seconds by second, of each tree, of this client, and of the whole machine."""

    trees: dict[str, Tree]
    samples: list[dict[str, float]] = field(default_factory=list)
    #: How late this client's own clock rang: beyond some milliseconds, it is what is slow.
    late: list[float] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            self.samples.append(self._sample())
            at = time.perf_counter()
            await asyncio.sleep(1)
            self.late.append(time.perf_counter() - at - 1)

    def told(self, journeys: int) -> str:
        """Lines for people: what each took in all, for each journey, and at the busiest."""
        self.samples.append(self._sample())
        lines = []
        for name in self.samples[0]:
            if name == "at":
                continue
            total = self.samples[-1][name] - self.samples[0][name]
            each = 1000 * total / max(journeys, 1)
            lines.append(
                f"CPU of {name}: {total:.1f} s, {each:.0f} ms a journey, "
                f"{self._busiest(name):.0%} of one core at the busiest"
            )
        rss, pss = self.trees["site"].memory_mib()
        late = 1000 * sorted(self.late)[int(0.95 * len(self.late))]
        lines.append(f"memory of site: {rss:.0f} MiB, shared pages once {pss:.0f}")
        lines.append(f"the client's own delay, p95: {late:.0f} ms")
        return "\n".join(lines)

    def _busiest(self, name: str) -> float:
        """The part of one core taken over the busiest stretch."""
        pairs = zip(self.samples, self.samples[STRETCH:], strict=False)
        return max(
            ((b[name] - a[name]) / (b["at"] - a["at"]) for a, b in pairs), default=float("nan")
        )

    def _sample(self) -> dict[str, float]:
        timers = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "at": time.monotonic(),
            **{name: tree.cpu_seconds() for name, tree in self.trees.items()},
            "client": time.process_time(),
            "timers": timers.ru_utime + timers.ru_stime,
            "machine": _machine(),
        }


def _machine() -> float:
    """The processor seconds of everybody, ours or not."""
    with open("/proc/stat", encoding="ascii") as file:  # noqa: PTH123
        user, nice, system, _, _, irq, soft = (int(text) for text in file.readline().split()[1:8])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
