"""A command that finds the disk full says so, and changes nothing."""

from collections.abc import Callable

import pytest
from click.testing import Result

from kiosque import db
from kiosque.db import sqlite
from kiosque.db.models import Family, Settlement
from tests import fresh_databases, sentences
from tests.conftest import make_invoice


@fresh_databases.on_sqlite
def test_what_does_not_fit_is_not_written(
    run: Callable[..., Result], alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [f"2026-10-{number:04}" for number in range(40)]
    for number in numbers:
        make_invoice(alices_family, number)
    monkeypatch.setitem(sqlite.PRAGMAS, "max_page_count", db.database.pragma("page_count"))
    db.database.close()
    said = [run("settle", number, "--mode", "cash", "--reason", "x" * 400) for number in numbers]
    refused = [result for result in said if result.exit_code]
    assert refused
    for result in refused:
        assert sentences.DISK_IS_FULL in result.output
        assert "migrate" not in result.output
    assert Settlement.select().count() == len(said) - len(refused)
