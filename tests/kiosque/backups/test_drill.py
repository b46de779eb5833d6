"""The last backup is tried: put back elsewhere, while the town goes on untouched."""

from pathlib import Path

import pytest

from kiosque import backups
from kiosque.backups import making, rotation
from kiosque.db import leases
from tests import fresh_databases
from tests.conftest import Clock
from tests.kiosque.backups.conftest import Town


def test_the_last_backup_is_tried_and_what_would_be_lost_is_said(town: Town, frozen: Clock) -> None:
    town.backup()
    frozen.advance(days=1)
    path = town.backup()
    town.pay()
    frozen.advance(hours=6)
    before, files = fresh_databases.rows(without={"lease"}), sorted(town.settings.data.rglob("*"))
    result = town.run("drill")
    assert result.exit_code == 0, result.output
    assert str(path) in result.output
    assert "1 écriture au journal, 1 reçu, 10,02\u00a0€" in result.output
    assert fresh_databases.rows(without={"lease"}) == before
    assert sorted(town.settings.data.rglob("*")) == files
    assert leases.finished_at(backups.TRIED) == frozen.at


def test_it_is_tried_from_the_folder_of_the_settings_or_by_its_name(town: Town) -> None:
    assert "Aucune sauvegarde" in town.run("drill").output
    path = town.backup(str(town.settings.data / "ailleurs"))
    assert town.run("drill", str(path)).exit_code == 0


@pytest.mark.parametrize("spoiled", ["bytes", "books"])
def test_one_that_does_not_come_back_is_a_failure_that_is_not_noted(
    town: Town, frozen: Clock, spoiled: str
) -> None:
    if spoiled == "books":
        fresh_databases.damage("UPDATE journal_entry SET label = 'faux'")
        town.run("backup")
    else:
        path = Path(town.backup())
        path.write_bytes(path.read_bytes()[:2000])
    result = town.run("drill")
    assert result.exit_code == 1
    assert "Erreur" in result.output
    assert leases.finished_at(backups.TRIED) is None
    folder = town.settings.data / "backups"
    assert [path.name for path in folder.iterdir()] == [rotation.name("kiosque", frozen.at)]


def test_a_backup_made_before_the_database_was_migrated_is_tried_too(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("kiosque.db.pending_migrations", lambda: ["9999_later"])
        town.backup()
        refused = town.run("drill")
        assert (refused.exit_code, "migrate" in refused.output) == (1, True)
    town.pay()
    result = town.run("drill")
    assert result.exit_code == 0, result.output
    assert "1 écriture au journal, 1 reçu, 10,02\u00a0€" in result.output


def test_one_newer_than_the_database_loses_nothing(town: Town, frozen: Clock) -> None:
    older = town.backup(str(town.settings.data / "ailleurs"))
    town.pay()
    frozen.advance(hours=1)
    town.backup()
    assert town.run("restore", str(older), "--yes").exit_code == 0
    result = town.run("drill")
    assert result.exit_code == 0, result.output
    assert "1 écriture de moins" in result.output


def test_two_at_once_do_not_spoil_each_other(town: Town) -> None:
    path = town.backup()
    with making.alone_in(path.parent, ".kiosque-essai-test") as folder:
        (folder / "kept").touch()
        assert town.run("drill").exit_code == 1
        assert (folder / "kept").exists()
    left = path.parent / ".kiosque-essai-test" / "pdf"
    left.mkdir(parents=True)
    assert town.run("drill").exit_code == 0
    assert not left.parent.exists()
