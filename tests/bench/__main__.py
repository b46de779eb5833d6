"""`make bench`, or `python -m tests.bench [NAME...]`: measure, and print the table."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.bench import (
    asking,
    base,
    lists,
    loading,
    months,
    notices,
    pages,
    postgresql,
    process,
    statements,
)
from tests.bench.table import HEAD, Figure, machine

#: Asked for by name only: the same in less time, to see what a change is worth; and the database
#: that is not everywhere.
BY_NAME = ("reconcile-few", "page-postgresql", "notice-postgresql")


def _measures(folder: Path, many: Path) -> dict[str, Callable[[], Iterator[Figure]]]:
    """By name, in the order of the table."""
    return {
        "page": partial(pages.page, folder),
        "page-many": partial(pages.page_many, folder, many),
        "page-long": partial(pages.page_long, folder),
        "lists": partial(lists.lists, folder),
        "search": partial(lists.search, folder),
        "lists-many": partial(lists.lists_many, folder, many),
        "month-many": partial(months.month, folder, many),
        "notice": partial(notices.notification, folder),
        "notice-many": partial(notices.notification_many, folder, many),
        "import": partial(loading.loading, folder),
        "statements": partial(statements.statements, folder),
        "reconcile": partial(asking.asking, folder),
        "reconcile-few": partial(asking.asking, folder, asking.FEW),
        "memory": partial(process.memory, folder),
        "start": partial(process.start, folder),
        "wire": partial(pages.wire, folder),
        "page-postgresql": partial(postgresql.page, folder),
        "notice-postgresql": partial(postgresql.notification, folder),
    }


def main(names: list[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="kiosque-bench-"))
    try:
        _run(folder, names)
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, names: list[str]) -> None:
    measures = _measures(folder, folder / "many")
    if unknown := set(names) - measures.keys():
        raise SystemExit(f"unknown: {', '.join(unknown)}. Known: {', '.join(measures)}")
    chosen = names or [name for name in measures if name not in BY_NAME]
    if any(name.endswith("-many") for name in chosen):
        _say("a database of a million", _fill_many, folder / "many")
    print(f"{machine()}\n\n{HEAD}", flush=True)
    for name in chosen:
        for figure in _say(name, lambda name=name: list(measures[name]())):
            print(figure.row(), flush=True)


def _fill_many(folder: Path) -> None:
    folder.mkdir()
    base.fill(folder / "kiosque.sqlite3", pages.MANY)


def _say(what: str, work: Callable[..., list[Figure]], *arguments: object) -> list[Figure]:
    """Do it, and say on the error output how long it took."""
    before = time.monotonic()
    done = work(*arguments)
    print(f"{what}: {time.monotonic() - before:.0f} s", file=sys.stderr, flush=True)
    return done


if __name__ == "__main__":
    main(sys.argv[1:])
