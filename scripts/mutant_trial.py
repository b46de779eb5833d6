"""Try faults one at a time, by the tests that execute their lines.

mutmut would collect the tests again for each fault. Here one pytest collects the tests and runs
them all once, noting the lines that each executes. Then a process forked from it tries each fault.
First come the tests that noticed other faults of its function, then the module's own tests, then
those that execute a line that none before does, then all others; in each group, first those that go
on to the next line.
"""

import gc
import hashlib
import json
import os
import resource
import shutil
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NoReturn

import pytest
from mutmut.mutation import trampoline
from mutmut.mutation.data import SourceFileMutationData
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import mangled_name_from_mutant_name

from scripts.mutant_lines import lines_gone_through, lines_of_faults

#: How a try ends, for mutmut.
SURVIVED, KILLED, NO_TESTS, SUSPICIOUS = 0, 1, 33, 35
#: After so many faults, the unchanged code is tried: if tests fail on it too, these faults do not
#: count.
_AT_A_TIME = 25
Fault = tuple[SourceFileMutationData, str]


class Trial:
    """A plugin of pytest that runs the tests once, then some of them for each fault."""

    def __init__(self, faults: list[Fault], seconds: float, folder: Path) -> None:
        self._faults, self._longest, self._folder = faults, seconds, folder
        self._seconds: dict[pytest.Item, float] = {}
        #: The tests that go through each line of each function.
        self._through: defaultdict[str, defaultdict[int, list[pytest.Item]]] = defaultdict(
            lambda: defaultdict(list)
        )
        #: The lines that each test executes, as a bit mask.
        self._bits: Counter[pytest.Item] = Counter()
        self._noticed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._failed = ""
        #: Where the process of a fault tells which test noticed it.
        self._told: int | None = None

    def pytest_runtest_makereport(self, item: pytest.Item, call: "pytest.CallInfo[None]") -> None:
        if call.excinfo is None or call.excinfo.errisinstance(pytest.skip.Exception):
            return
        self._failed = item.nodeid
        if self._told is not None:  # to write where it failed is what takes longest
            os.write(self._told, item.nodeid.encode())
            os._exit(KILLED)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        _write_each_query_anew()
        self._learn(session.items)
        gc.freeze()  # what is not looked at is not copied either, in the processes forked
        kept = set(self._folder.iterdir())
        for begin in range(0, len(self._faults), _AT_A_TIME):
            some = self._faults[begin : begin + _AT_A_TIME]
            ends = [self._try(name) for _, name in some]
            if self._try("", self._tests_of(some[-1][1])[:3]) == KILLED:
                raise pytest.UsageError(f"a test fails without a fault, as after {some[0][1]}")
            for (data, name), end in zip(some, ends, strict=True):
                data.exit_code_by_key[name] = end
                if end != KILLED:
                    say(f"{name}: {status_by_exit_code[end]}")
            for data in {id(data): data for data, _ in some}.values():
                data.save()
            for left in set(self._folder.iterdir()) - kept:  # by processes that end at once
                shutil.rmtree(left, ignore_errors=True)
            say(f"{begin + len(some)}/{len(self._faults)}")
        return True

    def _learn(self, items: list[pytest.Item]) -> None:
        """Run each test on the unchanged code, unless that was done for the same code, and store
        the lines that it executes."""
        trampoline.set_mutant_under_test("")
        code, kept = _digest(_code()), Path("lines.json")
        known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        names = {item: f"{item.nodeid} {code} {_digest([item.path])}" for item in items}
        firsts = {item.path: item for item in reversed(items)}.values()  # what they make is kept
        tried = [item for item in items if item in firsts or names[item] not in known]
        for item, following in _in_turn(tried):
            began = time.process_time()
            with lines_gone_through() as lines:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                say(f"left out, as it fails without any fault: {self._failed}")
                lines.clear()
            known[names[item]] = (
                time.process_time() - began,
                {function: sorted(some) for function, some in lines.items()},
            )
            self._failed = ""
        kept.write_text(json.dumps(known), encoding="utf-8")
        for item in items:
            self._seconds[item], functions = known[names[item]]
            for function, lines in functions.items():
                for line in lines:
                    self._through[function][line].append(item)
        every = (tests for lines in self._through.values() for tests in lines.values())
        for number, tests in enumerate(every):
            for item in tests:
                self._bits[item] |= 1 << number
        say(f"{len(items)} tests, {sum(self._seconds.values()):.0f} seconds of a processor")

    def _tests_of(self, fault: str) -> list[pytest.Item]:
        """Return the tests that execute the line of a fault, or the line above that it continues;
        first the likeliest to notice it, and only as many as fit in the time."""
        function = mangled_name_from_mutant_name(fault)
        module, _, name = fault.rpartition(".")
        through, line = self._through[function], lines_of_faults(module)[name]
        items = through[max((each for each in through if each <= line), default=0)]
        further = set(through[min((each for each in through if each > line), default=0)])
        noticed, own = self._noticed[function], tuple(f"test_{part}" for part in module.split("."))
        firsts, others, seen = [], [], 0

        def likely(item: pytest.Item) -> tuple[int, bool, bool, float]:
            is_own = item.path.stem.startswith(own)
            return -noticed[item.nodeid], not is_own, item not in further, self._seconds[item]

        for item in sorted(items, key=likely):
            is_first = item.path.stem.startswith(own) or self._bits[item] & ~seen
            (firsts if is_first else others).append(item)
            seen |= self._bits[item]
        return list(self._within(firsts + others))

    def _within(self, items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
        """Yield tests in their order, as many as fit in the time; the first in any case."""
        left = self._longest
        for number, item in enumerate(items):
            if not number or self._seconds[item] <= left:
                yield item
                left -= self._seconds[item]

    def _try(self, name: str, items: list[pytest.Item] | None = None) -> int:
        """Try a fault by the tests given; without a name, try the unchanged code."""
        items = self._tests_of(name) if items is None else items
        if not items:
            return NO_TESTS
        heard, told = os.pipe()
        child = os.fork()
        if not child:
            self._run(name, items, told)
        os.close(told)
        with os.fdopen(heard, encoding="utf-8") as words:
            by = words.read()
        if name and by:
            self._noticed[mangled_name_from_mutant_name(name)][by] += 1
        end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return -signal.SIGXCPU if end == -signal.SIGALRM else end

    def _run(self, name: str, items: list[pytest.Item], told: int) -> NoReturn:
        """Try one fault, in a process of its own, which ends here. Stop a test that loops for
        ever."""
        end, self._told = SUSPICIOUS, told
        try:
            for output in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), output)
            trampoline.set_mutant_under_test(name)
            for item, following in _in_turn(items):
                most = 5 + int(10 * self._seconds[item])
                used = int(time.process_time())
                resource.setrlimit(resource.RLIMIT_CPU, (used + most, resource.RLIM_INFINITY))
                signal.alarm(60 + 5 * most)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            end = SURVIVED
        finally:
            os._exit(end)


def _code() -> list[Path]:
    """Return the files that may change the lines that a test executes, except the other tests."""
    folders = ("kiosque", "gateways", "templates", "tests", "scripts")
    found = (path for folder in folders for path in Path(folder).rglob("*.*"))
    kinds = (".py", ".html", ".txt", ".sql")
    return sorted(
        path for path in found if path.suffix in kinds and not path.name.startswith("test_")
    )


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _in_turn(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip_longest(items, items[1:])


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _write_each_query_anew() -> None:
    """Build every prepared query again at each use: otherwise only one test would execute the code
    that builds it, and no other could notice its faults."""
    from kiosque.db import prepared  # noqa: PLC0415  # of the copy where the faults are

    written = prepared.PreparedQuery._for_database  # noqa: SLF001

    def anew(self: prepared.PreparedQuery) -> object:
        self._written.clear()
        return written(self)

    prepared.PreparedQuery._for_database = anew  # noqa: SLF001
