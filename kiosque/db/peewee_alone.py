"""Import Peewee without the driver of PostgreSQL, which it takes along wherever it is installed:
11 MB a process and a fifth of its start, for nothing in a town on SQLite. The driver is imported
once a PostgreSQL base is configured (`database.postgresql`)."""

import importlib
import sys
from typing import Any

_DRIVER = "psycopg"
_ITS_USERS = ("peewee", "playhouse.migrations")


def _import() -> None:
    modules: dict[str, Any] = sys.modules  # None among them: "not to be found"
    if _DRIVER in modules:
        return
    modules[_DRIVER] = None
    try:
        for name in _ITS_USERS:
            importlib.import_module(name)
    finally:
        del modules[_DRIVER]


_import()
