"""Put small faults into the payment core, one at a time, and see which no test notices.

mutmut makes the faults and stores the outcome of each, with operators chosen for this code. By
default it changes the wording of every sentence and never deletes a statement. Here it leaves texts
for readers alone, changes the short words that programs compare, and deletes statements too.

mutmut would collect the tests again for each fault; so the faults are tried here instead. One
pytest collects the tests and runs them all once, noting the lines that each executes. Then a
process forked from it tries each fault, by the tests that execute its line. First come those that
noticed other faults of its function, then the module's own tests, then those that execute a line
that none before does, then all others; in each group, first those that go on to the next line. PDFs
are not typeset, since the threads that do it do not survive a fork.
"""

import contextlib
import gc
import hashlib
import inspect
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import tokenize
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
import libcst as cst
import pytest
import typst
from mutmut.__main__ import (
    cli,
    collect_source_file_mutation_data,
    copy_also_copy_files,
    copy_src_dir,
    create_mutants,
    setup_source_paths,
)
from mutmut.configuration import config
from mutmut.mutation import file_mutation, mutators, trampoline
from mutmut.mutation.data import SourceFileMutationData
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import change_cwd, walk_mutatable_files
from mutmut.utils.format_utils import mangled_name_from_mutant_name

#: A word of the program: a key, a kind, a field's name. A text with a space is a sentence.
_WORD = re.compile(r"""(['"])[A-Za-z0-9_:.-]*\1""", re.ASCII)
#: A function as it is, or with a fault, as mutmut writes them one after the other in a module.
_WRITTEN = re.compile(r"^ *(?:async )?def (\w+__mutmut_(?:orig|\d+))\(", re.MULTILINE)
_AS_IT_IS = "__mutmut_orig"
#: How a try ends, for mutmut.
SURVIVED, KILLED, NO_TESTS, SUSPICIOUS = 0, 1, 33, 35
#: After so many faults, the unchanged code is tried: if tests fail on it too, these faults do not
#: count.
_AT_A_TIME = 25
Fault = tuple[SourceFileMutationData, str]
_NOTICED, _UNNOTICED = ("killed", "timeout", "segfault"), ("survived", "no tests")


def other_word(node: cst.BaseString) -> Iterable[cst.BaseString]:
    if isinstance(node, cst.SimpleString) and _WORD.fullmatch(node.value):
        quote = node.value[0]
        yield node.with_changes(value=f"{quote}XX{node.value[1:-1]}XX{quote}")


def no_statement(node: cst.Expr | cst.Raise) -> Iterable[cst.Pass]:
    if not (isinstance(node, cst.Expr) and isinstance(node.value, cst.BaseString)):
        yield cst.Pass()


def no_result(node: cst.Return) -> Iterable[cst.Return]:
    if node.value and not node.value.deep_equals(cst.Name("None")):
        yield node.with_changes(value=cst.Name("None"))


def other_way(node: cst.If | cst.CompIf) -> Iterable[cst.CSTNode]:
    """Make a condition always true, then always false."""
    for answer in ("True", "False"):
        yield node.with_changes(test=cst.Name(answer))


def choose_operators() -> None:
    kept = [pair for pair in mutators.mutation_operators if pair[1] is not mutators.operator_string]
    file_mutation.mutation_operators = [
        *kept,
        (cst.SimpleString, other_word),
        (cst.Expr, no_statement),
        (cst.Raise, no_statement),
        (cst.Return, no_result),
        (cst.If, other_way),
        (cst.CompIf, other_way),
    ]


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
                    _say(f"{name}: {status_by_exit_code[end]}")
            for data in {id(data): data for data, _ in some}.values():
                data.save()
            for left in set(self._folder.iterdir()) - kept:  # by processes that end at once
                shutil.rmtree(left, ignore_errors=True)
            _say(f"{begin + len(some)}/{len(self._faults)}")
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
            with _lines_gone_through() as lines:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                _say(f"left out, as it fails without any fault: {self._failed}")
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
        _say(f"{len(items)} tests, {sum(self._seconds.values()):.0f} seconds of a processor")

    def _tests_of(self, fault: str) -> list[pytest.Item]:
        """Return the tests that execute the line of a fault, or the line above that it continues;
        first the likeliest to notice it, and only as many as fit in the time."""
        function = mangled_name_from_mutant_name(fault)
        module, _, name = fault.rpartition(".")
        through, line = self._through[function], _lines_of_faults(module)[name]
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


@contextlib.contextmanager
def _lines_gone_through() -> Iterator[dict[str, set[int]]]:
    """Collect, during the block, the lines executed in the functions that have faults, each
    numbered from the first line of its function."""
    found: defaultdict[str, set[int]] = defaultdict(set)

    def called(frame: FrameType, _event: str, _: object) -> Callable[..., object] | None:
        code = frame.f_code
        if not code.co_name.endswith(_AS_IT_IS):
            return None
        name = f"{frame.f_globals['__name__']}.{code.co_name.removesuffix(_AS_IT_IS)}"
        lines = found[name]
        lines.add(0)

        def gone_through(frame: FrameType, _event: str, _: object) -> Callable[..., object]:
            lines.add(frame.f_lineno - code.co_firstlineno)
            return gone_through

        return gone_through

    threading.settrace(called)
    sys.settrace(called)
    try:
        yield found
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]


@cache
def _lines_of_faults(module: str) -> dict[str, int]:
    """Return the line of each fault of a module, numbered from the first line of its function."""
    written = _WRITTEN.split(inspect.getsource(import_module(module)))
    texts = dict(zip(written[1::2], (each.splitlines() for each in written[2::2]), strict=True))
    return {
        name: next(
            number
            for number, (one, other) in enumerate(
                zip(text, texts[mangled_name_from_mutant_name(name) + _AS_IT_IS], strict=False)
            )
            if one != other
        )
        for name, text in texts.items()
        if not name.endswith(_AS_IT_IS)
    }


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


def _words_of_code(path: Path) -> str:
    """Return the source of a module without its comments and docstrings."""
    kept, before = [], tokenize.ENCODING
    begins = (tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in (tokenize.COMMENT, tokenize.NL):
                continue
            if token.type not in begins and not (
                token.type == tokenize.STRING and before in begins
            ):
                kept.append(token.string)
            before = token.type
    return " ".join(kept)


def _in_turn(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip_longest(items, items[1:])


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _forget_what_is_gone() -> None:
    """Delete from the copy that has the faults what is no longer in the source, tests included."""
    for path in Path("mutants").rglob("*.py"):
        if not path.relative_to("mutants").exists():
            path.unlink()


def _write_each_query_anew() -> None:
    """Build every prepared query again at each use: otherwise only one test would execute the code
    that builds it, and no other could notice its faults."""
    from kiosque.db import prepared  # noqa: PLC0415  # of the copy where the faults are

    written = prepared.PreparedQuery._for_database  # noqa: SLF001

    def anew(self: prepared.PreparedQuery) -> object:
        self._written.clear()
        return written(self)

    prepared.PreparedQuery._for_database = anew  # noqa: SLF001


def _drawn(faults: list[Fault], count: int) -> list[Fault]:
    """Return `count` faults of each module, drawn at random, in the order given."""
    of_module: defaultdict[Path, list[Fault]] = defaultdict(list)
    for fault in faults:
        of_module[fault[0].path].append(fault)
    drawn = {
        name
        for some in of_module.values()
        for _, name in random.sample(some, min(count, len(some)))
    }
    return [fault for fault in faults if fault[1] in drawn]


@cli.command("try")
@click.option("--tests", default="", help="These files of tests alone.")
@click.option("--seconds", default=30.0, help="What the tests of one fault may take.")
@click.option("--draw", default=0, help="So many faults of each module, at random; 0: all.")
@click.option("--again", is_flag=True, help="Only those that were tried, and not noticed.")
@click.argument("only", nargs=-1)
def try_faults(tests: str, seconds: float, draw: int, again: bool, only: tuple[str, ...]) -> None:
    """Try the faults that no test has noticed yet, of all modules or of those named."""
    Path("mutants").mkdir(exist_ok=True)
    with contextlib.redirect_stdout(io.StringIO()):
        copy_src_dir()
        copy_also_copy_files()
        create_mutants(1)
    _forget_what_is_gone()
    setup_source_paths()
    found, _ = collect_source_file_mutation_data(mutant_names=only)

    def turn(fault: tuple[SourceFileMutationData, str, int | None]) -> tuple[bool, int]:
        """Put first what was never tried, in the order asked for."""
        wanted = (number for number, each in enumerate(only) if fnmatch(fault[1], each))
        return fault[2] is not None, next(wanted, 0)

    found.sort(key=turn)
    faults = [
        (data, name) for data, name, end in found if end != KILLED and not (again and end is None)
    ]
    if draw:
        faults = _drawn(faults, draw)
    for data, _ in faults:
        data.meta_path = data.meta_path.absolute()
    _say(f"{len(faults)} faults to try, of {len(found)}")
    selection = tests.split() or config().pytest_add_cli_args_test_selection
    arguments = ["--rootdir=.", "--capture=no", "--tb=no", *config().pytest_add_cli_args]
    with change_cwd("mutants"), tempfile.TemporaryDirectory() as folder:
        arguments += [f"--basetemp={folder}", "-o", "tmp_path_retention_policy=none"]
        trial = Trial(faults, seconds, Path(folder))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and the folder deleted
        sys.exit(pytest.main([*arguments, *selection], plugins=[trial]))


@cli.command()
def rows() -> None:
    """Print the row of docs/mutants.md of each module tried here, and name those to be tried: whose
    source is not that of their row."""
    told = Path("docs/mutants.md").read_text(encoding="utf-8")
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        ends = Counter(status_by_exit_code[end] for end in data.exit_code_by_key.values())
        digest = hashlib.sha256(_words_of_code(path).encode()).hexdigest()[:8]
        killed, survived = (sum(ends[each] for each in kind) for kind in (_NOTICED, _UNNOTICED))
        as_tried = Path("mutants") / path
        is_same = as_tried.exists() and path.stat().st_mtime < as_tried.stat().st_mtime
        if is_same and (killed or survived):
            left, today = ends.total() - killed - survived, time.strftime("%Y-%m-%d")
            numbers = f"{ends.total()} | {killed} | {survived} | {left}"
            print(f"| `{path}` | {numbers} | {today} | `{digest}` |")
        elif digest not in told:
            _say(f"to be tried: {path}")


if __name__ == "__main__":
    typst.compile = lambda *_, **__: b"%PDF-1.7"
    choose_operators()
    cli()
