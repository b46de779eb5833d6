"""A database is copied before its tables change, and put back as it was, on both databases."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from gateways.base import Handoff
from kiosque import db
from kiosque.db import database
from kiosque.db.models import Attempt, Invoice
from kiosque.settings import Settings
from kiosque.upgrade import copies
from tests import fresh_databases
from tests.conftest import dump

Pay = Callable[..., tuple[Attempt, Handoff]]


def leave_alone() -> None:
    """The site is stopped: nobody holds the database."""
    database.close()


def test_a_database_that_changed_is_put_back_as_it_was(
    settings: Settings, october: Invoice, pay: Pay
) -> None:
    pay(october.family, october)
    before, money = dump(), copies.count(settings)
    file = copies.save(settings, "before-0.4.0")
    assert (file.name, copies.count(settings)) == ("before-0.4.0", money)
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0
    with db.connection():
        database.execute_sql("CREATE TABLE later (id INTEGER PRIMARY KEY)")
        database.execute_sql("UPDATE family SET name = 'changed'")
        Attempt.update(amount_cents=1).execute()
    leave_alone()
    copies.restore_copy(settings, file)
    with db.connection():
        assert dump() == before
        assert "later" not in database.get_tables()
    assert copies.count(settings) == money


@fresh_databases.on_sqlite
def test_what_a_killed_site_left_beside_the_database_wrecks_none_that_is_put_back(
    settings: Settings, october: Invoice
) -> None:
    before = dump()
    file = copies.save(settings, "before-0.4.0")
    leave_alone()
    base = settings.database_path
    for suffix in ("-wal", "-shm"):
        Path(f"{base}{suffix}").write_bytes(b"stale" * 10_000)
    copies.restore_copy(settings, file)
    with db.connection():
        assert dump() == before
    kept = {path.name for path in file.parent.iterdir()}
    assert kept >= {"before-0.4.0-replaced", "before-0.4.0-replaced-wal"}


@fresh_databases.on_sqlite
def test_a_full_disk_is_said_and_keeps_no_half_of_a_copy(
    settings: Settings, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(apsw.Connection):
        def execute(self, _statement: str, values: tuple[str]) -> None:  # type: ignore[override]
            Path(values[0]).write_bytes(b"half")
            raise apsw.FullError

    leave_alone()
    monkeypatch.setattr(apsw, "Connection", Full)
    with pytest.raises(SystemExit, match="disque est plein"):
        copies.save(settings, "before-0.4.0")
    assert list((settings.data / "upgrade").iterdir()) == []


@fresh_databases.on_sqlite
def test_a_copy_that_cannot_be_made_leaves_the_one_before(
    settings: Settings, october: Invoice
) -> None:
    file = copies.save(settings, "before-0.4.0")
    kept = file.read_bytes()
    leave_alone()
    settings.database_path.write_bytes(b"no base" * 1000)
    with pytest.raises(Exception, match="not a database"):
        copies.save(settings, "before-0.4.0")
    assert file.read_bytes() == kept
