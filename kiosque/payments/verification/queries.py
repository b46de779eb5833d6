"""How the checks read the database: by SQL that both databases understand, over all rows."""

from collections.abc import Iterator
from typing import Any

from kiosque.db import database


def rows(sql: str) -> Iterator[Any]:
    return iter(database.execute_sql(sql))


def one(sql: str) -> Iterator[Any]:
    """Return the only column of the rows."""
    return (row[0] for row in rows(sql))
