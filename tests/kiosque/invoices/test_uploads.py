"""Files that are deposited: kept apart, read, judged, then loaded as they were judged."""

import io
import os
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from kiosque.db import write
from kiosque.db.models import Guardian, ImportBatch, Invoice, OutboxMail, Upload
from kiosque.db.states import UploadState
from kiosque.invoices import announcements, imports
from kiosque.invoices.imports.reading import EVERYTHING
from kiosque.invoices.uploads import previews, processing, storing
from kiosque.invoices.uploads.storing import BadUpload
from kiosque.language import clock
from kiosque.settings import Settings
from tests.conftest import Clock, make_family
from tests.kiosque.invoices.files import COLUMNS, FAMILIES, ONE_LINE, ROW, SETTLEMENTS, sheet
from tests.uploads import MONTH, PDF, make_upload, zipped

BOB = "bob@sautron.example.org"

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")


def again(upload: Upload) -> Upload:
    found: Upload = Upload.get_by_id(upload.id)
    return found


def load(upload: Upload, settings: Settings, *confirmed: str) -> Upload:
    assert processing.agree(upload, BOB, upload.fingerprint, confirmed)
    processing.advance(upload.id, settings)
    return again(upload)


def deposits(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.data / "deposits").iterdir())


# --- Kept ---


def test_a_file_is_kept_for_the_towns_user_alone_under_its_digest(settings: Settings) -> None:
    upload = make_upload(settings)
    path = storing.path_of(upload.sha256, settings.data)
    assert (path.read_text("utf-8"), path.stat().st_mode & 0o777) == (MONTH, 0o600)
    assert deposits(settings) == [upload.sha256]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("octobre.csv", "octobre.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\mois.csv", "mois.csv"),
        ("a\x1b[31m\r\nb\0.csv", "a[31mb.csv"),
        ("\udcff.csv", "csv"),
        ("..", "fichier"),
        ("", "fichier"),
        ("-", "-"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
    ],
)
def test_a_name_is_cleaned(name: str, kept: str) -> None:
    assert storing.clean_name(name) == kept


@pytest.mark.parametrize(
    "content",
    [b"", PDF, zipped({"../a.pdf": PDF}), b"x" * (20 * 1024 * 1024 + 1)],
    ids=["empty", "a PDF alone", "a hostile archive", "too large"],
)
def test_what_cannot_be_kept_leaves_nothing(settings: Settings, content: bytes) -> None:
    with pytest.raises(BadUpload):
        storing.keep(io.BytesIO(content), "octobre.csv", settings.data)
    assert deposits(settings) == []


class Endless(io.RawIOBase):
    """A gigabyte and more."""

    def read(self, size: int = -1) -> bytes:
        return b"\0" * max(size, 1)


def test_a_file_without_end_is_cut(settings: Settings) -> None:
    with pytest.raises(BadUpload):
        storing.keep(Endless(), "octobre.csv", settings.data)  # type: ignore[arg-type]
    assert deposits(settings) == []


# --- Read ---


def test_a_file_is_read_and_changes_nothing_before_it_is_agreed_to(settings: Settings) -> None:
    upload = make_upload(settings)
    summary = previews.read(upload.preview).summary
    assert (upload.state, upload.kind) == ("read", "factures")
    assert summary
    assert (summary.added, summary.total_cents, len(summary.samples)) == (1, 5418, 1)
    assert Invoice.select().count() == 0
    assert len(storing.waiting()) == 1


def test_a_preview_is_kept_whole(settings: Settings, tmp_path: Path) -> None:
    for content in (MONTH, FAMILIES, ONE_LINE):
        path = tmp_path / "x.csv"
        path.write_text(content, encoding="utf-8")
        summary = imports.load(path, pdf_folder=tmp_path, preview=True, confirmed=EVERYTHING)
        kept = previews.write(previews.Preview(summary))
        assert previews.read(kept).summary == summary
        assert imports.fingerprint(previews.read(kept).summary) == imports.fingerprint(summary)
        if content == FAMILIES:
            imports.load(path, pdf_folder=tmp_path)


HOSTILE = {
    "half a character": b"\xff\xfe\x00",
    "NULs": b"\0" * 100,
    "an image": b"\x89PNG\r\n",
    "every byte": bytes(range(256)) * 50,
    "one column": b"code_famille",
    "no archive": b"PK\x03\x04 no archive",
    "formulas": sheet("=cmd|' /C calc'!A0;" * 11).encode(),
    "accents without end": ("x;" + "e" + "\u0315\u0300" * 80_000).encode(),
    "columns without end": b";".join(b"c%d" % number for number in range(500_000)),
    "lines without end": (COLUMNS + "\n" * 2_000_000).encode(),
    "a wrong sum": sheet(ROW.replace("48,30", "58,31")).encode(),
    "no row": (COLUMNS + "\n").encode("utf-16"),
    "a spreadsheet of nothing": zipped({"[Content_Types].xml": b"<x/>"}),
    "an entity": b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_with_sentences(settings: Settings, content: bytes) -> None:
    began = time.process_time()
    try:
        upload = make_upload(settings, content)
    except BadUpload:
        return
    assert time.process_time() - began < 20
    assert upload.state == "refused"
    assert previews.read(upload.preview).faults
    assert ImportBatch.select().count() == 0


def test_the_month_before_is_told_beside_the_sums(settings: Settings) -> None:
    load(make_upload(settings), settings)
    november = MONTH.replace("2026-10-0001", "2026-11-0001").replace("2026-11-05", "2026-12-05")
    upload = make_upload(settings, november.replace("2026-11-30", "2026-12-31"))
    before = previews.read(upload.preview).before
    assert before
    assert (str(before.first_day), before.services, before.regies) == (
        "2026-11-01",
        {"Périscolaire": 588, "Restauration": 4830},
        {"": 5418},
    )


# --- Loaded ---


def test_a_file_is_loaded_as_it_was_judged_by_whom_agreed(settings: Settings) -> None:
    upload = load(make_upload(settings), settings)
    assert (upload.state, upload.batch.author, upload.preview) == ("loaded", BOB, "")
    assert (upload.batch.file_name, upload.batch.added_count) == ("octobre.csv", 1)
    assert Invoice.get().total_cents == 5418
    assert len(storing.waiting()) == 0


def test_the_same_file_twice_changes_nothing(settings: Settings) -> None:
    load(make_upload(settings), settings)
    upload = make_upload(settings)
    summary = previews.read(upload.preview).summary
    assert summary
    assert (summary.added, summary.unchanged) == (0, 1)
    load(upload, settings)
    assert Invoice.select().count() == 1


def test_a_database_that_changed_since_is_judged_anew(settings: Settings) -> None:
    upload = make_upload(settings)
    load(make_upload(settings, sheet(ROW.replace("0001", "0002"))), settings)
    seen = load(upload, settings)
    assert (seen.state, seen.changed, Invoice.select().count()) == ("read", True, 1)
    assert seen.fingerprint != upload.fingerprint
    assert not processing.agree(upload, BOB, upload.fingerprint, ())
    seen = load(seen, settings)
    assert (seen.state, Invoice.select().count()) == ("loaded", 2)


def test_a_file_that_the_database_now_refuses_says_why(settings: Settings) -> None:
    upload = make_upload(settings)
    load(make_upload(settings, sheet(ROW)), settings)
    assert load(upload, settings).state == "refused"


def test_a_copy_that_was_touched_is_not_loaded(settings: Settings) -> None:
    upload = make_upload(settings)
    storing.path_of(upload.sha256, settings.data).write_text(sheet(ROW), encoding="utf-8")
    assert load(upload, settings).state == "refused"
    assert Invoice.select().count() == 0


def test_what_surprises_is_loaded_only_once_confirmed(settings: Settings) -> None:
    load(make_upload(settings, FAMILIES), settings)
    upload = make_upload(settings, ONE_LINE)
    assert load(upload, settings).state == "refused"
    upload = load(make_upload(settings, ONE_LINE), settings, "removals")
    assert upload.state == "loaded"
    assert Guardian.select().count() == 1


def test_money_for_an_invoice_that_is_paid_is_confirmed(settings: Settings) -> None:
    load(make_upload(settings, sheet(ROW)), settings)
    load(make_upload(settings, SETTLEMENTS), settings)
    upload = make_upload(settings, SETTLEMENTS.replace("123", "124"))
    summary = previews.read(upload.preview).summary
    assert summary
    assert {fault.needs for fault in summary.to_confirm} == {"overpayments"}
    assert load(upload, settings, "overpayments").state == "loaded"


def test_too_many_payments_for_others_to_wait_are_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "MAX_PAYMENTS", 1)
    load(make_upload(settings, sheet(ROW)), settings)
    assert make_upload(settings, SETTLEMENTS).state == "read"
    twice = SETTLEMENTS + SETTLEMENTS.splitlines()[1] + "\n"
    assert make_upload(settings, twice).state == "refused"


def test_one_process_at_a_time_is_at_work_on_a_file(settings: Settings, frozen: Clock) -> None:
    upload = make_upload(settings)
    processing.agree(upload, BOB, upload.fingerprint, ())
    with write():
        Upload.update(claimed_at=clock.now()).execute()
    processing.advance(upload.id, settings)
    assert Invoice.select().count() == 0
    frozen.advance(minutes=16)
    processing.run(settings)
    assert Invoice.select().count() == 1


def test_a_file_that_breaks_the_reading_keeps_no_other_from_being_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = make_upload(settings), make_upload(settings, sheet(ROW))
    with write():
        Upload.update(state="stored").execute()
    load_file = imports.load

    def load_or_break(path: Path, **options: object) -> imports.FileSummary:
        if "0,98" in path.read_text("utf-8"):
            raise ZeroDivisionError
        return load_file(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(imports, "load", load_or_break)
    with pytest.raises(ZeroDivisionError):
        processing.run(settings)
    assert (again(broken).state, again(sound).state) == ("stored", "read")
    assert again(broken).claimed_at is None


def test_two_files_of_one_agent_loaded_at_once_are_each_of_its_own_load(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, load_file = make_upload(settings), imports.load

    def load_both(path: Path, **options: object) -> imports.FileSummary:
        monkeypatch.setattr(imports, "load", load_file)
        summary = load_file(path, **options)  # type: ignore[arg-type]
        load(make_upload(settings, sheet(ROW.replace("0001", "0002")), "autre.csv"), settings)
        return summary

    monkeypatch.setattr(imports, "load", load_both)
    load(first, settings)
    for each in Upload.select():
        assert each.batch.file_name == each.file_name


def test_a_load_that_is_cut_short_loads_nothing_and_is_done_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, frozen: Clock
) -> None:
    upload, at = make_upload(settings), clock.now() + timedelta(days=1)
    processing.agree(upload, BOB, upload.fingerprint, (), at)
    with monkeypatch.context() as cut, pytest.raises(ConnectionError):
        cut.setattr(ImportBatch, "update", Mock(side_effect=ConnectionError))
        processing.advance(upload.id, settings)
    assert (again(upload).state, Invoice.select().count()) == (UploadState.AGREED, 0)
    processing.run(settings)
    assert (again(upload).state, Invoice.select().count()) == (UploadState.LOADED, 1)
    assert ImportBatch.get().announce_at == at


def test_the_reading_of_a_long_file_is_told_line_by_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "_PACE", -1.0)
    rows = [ROW.replace("0001", f"{number:05d}") for number in range(2500)]
    upload = make_upload(settings, sheet(*rows))
    assert (upload.done_count, upload.line_count) == (2000, 2501)


# --- PDFs ---


def test_pdfs_are_matched_by_the_column_then_by_the_number(settings: Settings) -> None:
    rows = sheet(f"{ROW}papier.pdf", ROW.replace("0001", "0002"), ROW.replace("0001", "0003"))
    pdfs = zipped({"x/papier.pdf": PDF, "x/2026-10-0002.PDF": PDF + b"2", "autre.pdf": PDF})
    upload = make_upload(settings, rows, pdfs=pdfs)
    summary = previews.read(upload.preview).summary
    assert summary
    assert [(each.line, "autre.pdf" in each.text) for each in summary.warnings] == [(0, True)]
    load(upload, settings)
    named = {invoice.number[-1]: invoice.pdf_name for invoice in Invoice.select()}
    assert named["3"] == ""
    assert (settings.data / "pdf" / named["2"]).read_bytes() == PDF + b"2"
    assert (settings.data / "pdf" / named["1"]).read_bytes() == PDF


def test_a_file_without_its_pdfs_comes_again_unchanged(settings: Settings) -> None:
    load(make_upload(settings, sheet(ROW), pdfs=zipped({"2026-10-0001.pdf": PDF})), settings)
    for pdfs in (None, zipped({"2026-10-0001.pdf": PDF})):
        summary = previews.read(make_upload(settings, sheet(ROW), pdfs=pdfs).preview).summary
        assert summary
        assert (summary.added, summary.unchanged) == (0, 1)


# --- Mails ---


def test_no_mail_leaves_before_the_hour_that_was_chosen(settings: Settings, frozen: Clock) -> None:
    family = make_family("F1001", "Martin")
    Guardian.create(family=family, first_name="Alice", last_name="Martin", email="a@example.org")
    due = ROW.replace("2026-11-30", "2026-12-30")
    upload = make_upload(settings, sheet(due))
    frozen.at = frozen.at.replace(hour=9)
    at = clock.now() + timedelta(days=1)
    processing.agree(upload, BOB, upload.fingerprint, (), at)
    processing.advance(upload.id, settings)
    assert ImportBatch.get().announce_at == at
    frozen.advance(hours=2)
    announcements.queue_due(settings)
    assert OutboxMail.select().count() == 0
    frozen.advance(hours=23)
    announcements.queue_due(settings)
    assert OutboxMail.select().count() == 1


# --- Taken back, forgotten ---


def test_a_file_taken_back_is_erased_and_one_loaded_is_too(
    settings: Settings, frozen: Clock
) -> None:
    loaded, dropped, kept = (
        make_upload(settings, sheet(ROW.replace("0001", f"000{number}"))) for number in (1, 2, 3)
    )
    load(loaded, settings)
    kept = load_stale(kept, settings)
    assert storing.drop(dropped)
    assert not storing.drop(again(loaded))
    processing.run(settings)
    assert len(deposits(settings)) == 3  # a file just come may have no row yet
    frozen.advance(hours=2)
    for path in (settings.data / "deposits").iterdir():
        os.utime(path, (frozen.at.timestamp() - 7200, frozen.at.timestamp() - 7200))
    processing.run(settings)
    assert deposits(settings) == [kept.sha256]


def load_stale(upload: Upload, settings: Settings) -> Upload:
    """Read it anew, as the database is now."""
    with write():
        Upload.update(state="stored").where(Upload.id == upload.id).execute()
    processing.advance(upload.id, settings)
    return again(upload)


def test_what_nobody_loads_is_forgotten_after_thirty_days(
    settings: Settings, frozen: Clock
) -> None:
    make_upload(settings)
    frozen.advance(days=30)
    storing.purge()
    assert Upload.select().count() == 1
    frozen.advance(seconds=1)
    storing.purge()
    assert Upload.select().count() == 0
