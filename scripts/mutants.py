"""Put small faults into the payment core, one at a time, and see which no test notices.

mutmut makes the faults and stores the outcome of each, with operators chosen for this code
(`mutant_operators`). By default it changes the wording of every sentence and never deletes a
statement. Here it leaves texts for readers alone, changes the short words that programs compare,
and deletes statements too. `mutant_trial` tries them. PDFs are not typeset, since the threads that
do it do not survive a fork.
"""

import contextlib
import hashlib
import io
import random
import signal
import sys
import tempfile
import time
import tokenize
from collections import Counter, defaultdict
from fnmatch import fnmatch
from pathlib import Path

import click
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
from mutmut.mutation.data import SourceFileMutationData
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import change_cwd, walk_mutatable_files

from scripts.mutant_operators import choose_operators
from scripts.mutant_trial import KILLED, Fault, Trial, say

_NOTICED, _UNNOTICED = ("killed", "timeout", "segfault"), ("survived", "no tests")


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


def _forget_what_is_gone() -> None:
    """Delete from the copy that has the faults what is no longer in the source, tests included."""
    for path in Path("mutants").rglob("*.py"):
        if not path.relative_to("mutants").exists():
            path.unlink()


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
    say(f"{len(faults)} faults to try, of {len(found)}")
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
            say(f"to be tried: {path}")


if __name__ == "__main__":
    typst.compile = lambda *_, **__: b"%PDF-1.7"
    choose_operators()
    cli()
