"""wrk (Debian's package): so many pages a second, and how late they come."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

WRK = shutil.which("wrk")

#: wrk says p95 to a script only. Times are in microseconds there.
_REPORT = """\
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests": %d, "microseconds": %d, "p95": %d, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration, latency:percentile(95),
    e.status, e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """Hold the figures of one load. `refused` are answers of 400 and more; `broken`, no answer."""

    per_second: float
    p95_ms: float
    refused: int
    broken: int


def load(url: str, folder: Path, *, seconds: int, cookie: str = "", at_once: int = 16) -> Load:
    """Ask for this page again and again, so many at once."""
    script = folder / "report.lua"
    script.write_text(_REPORT)
    command = [
        *(WRK or "wrk", "-t1", f"-c{at_once}", f"-d{seconds}s", "--timeout", "30s"),
        *("-s", str(script)),
        *(("-H", f"Cookie: {cookie}") if cookie else ()),
        url,
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    lasted = told["microseconds"] / 1e6
    return Load(told["requests"] / lasted, told["p95"] / 1000, told["refused"], told["broken"])
