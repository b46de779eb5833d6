"""The folder where a program drops files: loaded if nothing is doubtful, else for somebody."""

import os
from pathlib import Path
from typing import IO, Any

import pytest

from kiosque.db.models import Family, ImportBatch, Invoice, Upload
from kiosque.invoices.uploads import inbox, previews, storing
from kiosque.settings import Settings
from tests.conftest import Clock
from tests.kiosque.invoices.files import FAMILIES, ROW, sheet
from tests.uploads import PDF, zipped

pytestmark = pytest.mark.usefixtures("empty_database")
DUE = ROW.replace("2026-11-30", "2026-12-30")


@pytest.fixture
def folder(settings: Settings) -> Path:
    folder = settings.data / "inbox"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, content: str | bytes, frozen: Clock, seconds: int = 120) -> Path:
    """A file that nothing has touched for so long."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    at = frozen.at.timestamp() - seconds
    os.utime(path, (at, at))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_of_which_nothing_is_doubtful_is_loaded(
    settings: Settings, folder: Path, frozen: Clock
) -> None:
    put(folder, "familles.csv", FAMILIES, frozen)
    inbox.take(settings)
    put(folder, "octobre.csv", sheet(DUE), frozen)
    inbox.take(settings)
    assert (Invoice.select().count(), len(storing.waiting()), names(folder)) == (1, 0, [])
    assert {batch.author for batch in ImportBatch.select()} == {inbox.AUTHOR}


def test_a_doubtful_file_waits_for_somebody(
    settings: Settings, folder: Path, frozen: Clock
) -> None:
    put(folder, "octobre.csv", sheet(DUE, DUE), frozen)  # the same line twice
    inbox.take(settings)
    assert (Invoice.select().count(), len(storing.waiting()), names(folder)) == (0, 1, [])
    assert Upload.get().author == ""


def test_an_unknown_code_waits_for_somebody(
    settings: Settings, folder: Path, frozen: Clock
) -> None:
    put(folder, "familles.csv", FAMILIES, frozen)
    put(folder, "octobre.csv", sheet(DUE.replace("F1001", "F9999")), frozen)
    inbox.take(settings)
    assert (Family.select().count(), Invoice.select().count(), len(storing.waiting())) == (1, 0, 1)


def test_a_bad_file_is_kept_and_told(settings: Settings, folder: Path, frozen: Clock) -> None:
    put(folder, "octobre.csv", "n’importe quoi", frozen)
    inbox.take(settings)
    upload = Upload.get()
    assert (upload.state, len(storing.waiting()), names(folder)) == ("refused", 1, [])
    assert storing.path_of(upload.sha256, settings.data).exists()


@pytest.mark.parametrize("content", [b"", zipped({"../a.pdf": PDF})], ids=["empty", "hostile"])
def test_what_cannot_be_kept_stays_aside_and_is_told_once(
    settings: Settings, folder: Path, frozen: Clock, content: bytes
) -> None:
    put(folder, "octobre.csv", content, frozen)
    for _ in range(2):
        inbox.take(settings)
    assert [upload.state for upload in Upload.select()] == ["refused"]
    assert previews.read(Upload.get().preview).faults
    assert names(folder) == [".refused-octobre.csv"]


def test_a_name_as_long_as_a_disk_takes_stops_no_other_file(
    settings: Settings, folder: Path, frozen: Clock
) -> None:
    put(folder, f"{'a' * 251}.csv", b"", frozen)
    put(folder, f"{'漢' * 83}.csv", sheet(DUE), frozen)
    inbox.take(settings)
    assert [upload.state for upload in Upload.select().order_by(Upload.id)] == ["refused", "loaded"]
    assert [name[:9] for name in names(folder)] == [".refused-"]


def test_a_file_being_written_a_link_and_a_folder_are_not_taken(
    settings: Settings, folder: Path, frozen: Clock
) -> None:
    put(folder, "octobre.csv", sheet(DUE), frozen, seconds=60)
    put(folder, ".octobre.csv.part", sheet(DUE), frozen)
    (folder / "lien.csv").symlink_to(settings.data / "kiosque.sqlite3")
    (folder / "dossier").mkdir()
    inbox.take(settings)
    assert (Upload.select().count(), len(names(folder))) == (0, 4)


def test_a_file_written_again_while_it_is_taken_waits_for_the_next_run(
    settings: Settings, folder: Path, frozen: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "octobre.csv", sheet(DUE), frozen)
    add = storing.add

    def write_again(*kept: Any) -> Upload:
        put(folder, "octobre.csv", sheet(DUE, DUE.replace("0001", "0002")), frozen)
        return add(*kept)

    monkeypatch.setattr(storing, "add", write_again)
    inbox.take(settings)
    assert (Upload.select().count(), names(folder)) == (0, ["octobre.csv"])
    monkeypatch.setattr(storing, "add", add)
    inbox.take(settings)
    assert (Invoice.select().count(), names(folder)) == (2, [])


def test_an_archive_of_pdfs_goes_with_the_file_of_its_name(
    settings: Settings, folder: Path, frozen: Clock
) -> None:
    put(folder, "octobre.csv", sheet(DUE), frozen)
    put(folder, "octobre.zip", zipped({"2026-10-0001.pdf": PDF}), frozen)
    put(folder, "seule.zip", zipped({"2026-10-0001.pdf": PDF}), frozen)
    inbox.take(settings)
    assert Invoice.get().pdf_name
    assert names(folder) == [".refused-seule.zip"]


def test_a_town_without_the_folder_has_nothing_to_take(settings: Settings) -> None:
    inbox.take(settings)
    assert Upload.select().count() == 0


def test_a_file_that_cannot_be_taken_out_is_not_taken_every_minute(
    settings: Settings, folder: Path, frozen: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "octobre.csv", sheet(DUE), frozen)

    def refuse(_path: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(missing_ok)

    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda path, **options: (
        refuse(path) if path.parent == folder else unlink(path, **options)
    ))  # fmt: skip
    for _ in range(2):
        with pytest.raises(PermissionError):
            inbox.take(settings)
    assert (Upload.select().count(), Invoice.select().count()) == (0, 0)


def test_a_file_that_another_process_has_taken_is_let_be(
    settings: Settings, folder: Path, frozen: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "octobre.csv", sheet(DUE), frozen)
    keep = storing.keep

    def taken(file: IO[bytes], name: str, data: Path) -> storing.KeptFile:
        (folder / "octobre.csv").unlink()
        return keep(file, name, data)

    monkeypatch.setattr(storing, "keep", taken)
    inbox.take(settings)
    assert Upload.select().count() == 0
