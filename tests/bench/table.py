"""A figure, its yardstick, and the table they make."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

PACKAGES = ("flask", "gunicorn", "peewee", "apsw", "jinja2", "requests")


@dataclass(frozen=True)
class Figure:
    """Hold a measure beside what it is compared with, in the same unit; `most` and `aim` bound
    their ratio, or the figure itself where there is no yardstick."""

    what: str
    ours: float
    unit: str
    yardstick: float | None
    beside: str
    most: str
    aim: str

    def row(self) -> str:
        ratio = "–" if not self.yardstick else f"{self.ours / self.yardstick:.2f}x"
        other = "–" if self.yardstick is None else f"{self.beside}: {_short(self.yardstick)}"
        cells = (self.what, f"{_short(self.ours)} {self.unit}", other, ratio, self.most, self.aim)
        return f"| {' | '.join(cells)} |"


HEAD = "| what | figure | yardstick | ratio | at most | aim |\n|---|---|---|---|---|---|"


def machine() -> str:
    """The machine and the versions, in a line."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"{packages}; load {os.getloadavg()[0]:.1f}"
    )


def interleaved(
    rounds: int, ours: Callable[[], float], yardstick: Callable[[], float]
) -> tuple[float, float]:
    """Measure both in turn, so that what else the machine does weighs on both; the round of the
    median ratio."""
    pairs = [(ours(), yardstick()) for _ in range(rounds)]
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
