"""The SQLite file in which the mock bank keeps everything."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


class Store:
    """The SQLite file of the mock bank."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction. One that reads in order to write must execute BEGIN IMMEDIATE."""
        with closing(sqlite3.connect(self._path, timeout=5)) as database, database:
            database.row_factory = sqlite3.Row
            yield database
