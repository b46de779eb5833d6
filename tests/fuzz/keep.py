"""Keep in the corpus what a run of the fuzzer found that goes where no kept input goes:
`python -m tests.fuzz.keep`. What is kept already stays."""

import hashlib
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.targets import TARGETS, Target

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
OURS = (str(ROOT / "kiosque"), str(ROOT / "gateways"))
#: Inputs a target, at most: they are replayed by every run of the tests.
MOST = 40

Steps = set[tuple[str, int, int]]


def steps(target: Target, data: bytes) -> Steps:
    """The steps from one line of ours to the next that an input makes."""
    found: Steps = set()

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(OURS):
            return None
        last = frame.f_lineno

        def line(frame: FrameType, _event: str, _argument: Any) -> Any:
            nonlocal last
            found.add((name, last, frame.f_lineno))
            last = frame.f_lineno
            return line

        return line

    sys.settrace(trace)
    try:
        target(data)
    finally:
        sys.settrace(None)
    return found


def choose(target: Target, kept: Iterable[Path], found: Iterable[Path]) -> list[Path]:
    """Those of `found` that together go furthest beyond the kept ones, the furthest first."""
    known, room = Steps(), MOST
    for path in kept:
        known |= steps(target, path.read_bytes())
        room -= 1
    ways = {path: steps(target, path.read_bytes()) for path in found}
    chosen: list[Path] = []
    while ways and len(chosen) < room:
        best = max(ways, key=lambda path: (len(ways[path] - known), -path.stat().st_size))
        if not (new := ways.pop(best) - known):
            break
        known |= new
        chosen.append(best)
    return chosen


def main() -> None:
    for name, prepare in TARGETS.items():
        corpus = CORPUS / name
        corpus.mkdir(parents=True, exist_ok=True)
        kept = sorted(corpus.iterdir())
        found = sorted(Path("data/fuzz", name).glob("*"))
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            chosen = choose(prepare(Path(folder)), kept, found)
        for path in chosen:
            data = path.read_bytes()
            (corpus / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
        print(f"{name}: {len(kept)} + {len(chosen)}")


if __name__ == "__main__":
    main()
