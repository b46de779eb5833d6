"""A month exported again by the family software: what its file no longer holds is said."""

from pathlib import Path

import pytest

from kiosque import payments
from kiosque.db.models import ImportBatch, Invoice
from kiosque.invoices.imports import FileSummary, undoing
from kiosque.invoices.imports.reading import Absent
from kiosque.invoices.uploads import inbox, storing
from kiosque.settings import Settings
from tests.conftest import Clock
from tests.kiosque.conftest import Run
from tests.kiosque.invoices.files import ROW, Load, sheet
from tests.kiosque.invoices.test_inbox import DUE, put


def row(number: int, **changes: str) -> str:
    """An invoice of October, of a family of its own."""
    text = ROW.replace("0001", f"{number:04d}").replace("F1001", f"F{number:04d}")
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def month(*numbers: int, **changes: str) -> str:
    return sheet(*(row(number, **changes) for number in numbers))


def lacks(summary: FileSummary) -> list[str]:
    return [each.number for each in summary.absent]


pytestmark = pytest.mark.usefixtures("empty_database")
OF_CRECHE = {"Restauration": "Multi-accueil"}


def test_an_invoice_that_its_month_no_longer_holds_is_said_and_left_as_it_is(load: Load) -> None:
    load(month(1, 2, 3))
    (absent,) = load(month(1, 3, 4)).absent
    assert absent == Absent("2026-10-0002", "F0002", 4830, "à régler", "")
    assert Invoice.get(Invoice.number == "2026-10-0002").state == "open"


def test_a_month_that_only_lost_an_invoice_says_so(load: Load) -> None:
    load(month(1, 2, 3))
    summary = load(month(1, 3), preview=True)
    assert (summary.added, lacks(summary)) == (0, ["2026-10-0002"])


def test_the_same_file_again_and_a_month_that_grew_lack_nothing(load: Load) -> None:
    load(month(1, 2))
    assert lacks(load(month(1, 2))) == []
    assert lacks(load(month(1, 2, 3))) == []


def test_one_that_the_town_has_cancelled_is_said_no_more(load: Load) -> None:
    load(month(1, 2, 3))
    payments.cancel_invoice("2026-10-0002", "Dominique", "émise deux fois")
    assert lacks(load(month(1, 3))) == []


def test_an_invoice_that_came_with_a_later_export_is_said_too(load: Load) -> None:
    load(month(1, 2))
    load(month(1, 2, 3))
    assert lacks(load(month(1, 2))) == ["2026-10-0003"]


@pytest.mark.parametrize(
    "other",
    [
        month(4, 5),
        month(4, 5, **OF_CRECHE),
        month(1, 4, 5, **{"2026-10;": "2026-11;", "2026-10-0": "2026-11-0"}),
    ],
    ids=["more invoices", "another service", "the next month"],
)
def test_a_file_besides_repeats_nothing_and_lacks_nothing(load: Load, other: str) -> None:
    load(month(1, 2, 3))
    assert lacks(load(other)) == []


def test_a_supplement_is_not_lacked_by_the_month_that_never_held_it(load: Load) -> None:
    load(month(1, 2))
    load(month(3))
    assert lacks(load(month(1, 2))) == []


def test_one_service_exported_again_lacks_nothing_of_the_others(load: Load) -> None:
    load(sheet(row(1), row(2), row(3, **OF_CRECHE), row(4, **OF_CRECHE)))
    assert lacks(load(month(3, 4, **OF_CRECHE))) == []
    assert lacks(load(month(3, **OF_CRECHE))) == ["2026-10-0004"]


def test_a_file_of_few_of_the_month_is_a_part_of_it(load: Load) -> None:
    load(month(*range(1, 10)))
    assert lacks(load(month(1, 2, 20))) == []


def test_a_load_undone_is_no_earlier_one(load: Load, tmp_path: Path) -> None:
    load(month(1, 2))
    load(month(1, 2, 3))
    undoing.undo(ImportBatch.select().count(), "Dominique", "mauvais fichier", tmp_path / "pdf")
    assert lacks(load(month(1, 2))) == []


def test_the_command_names_each_with_its_family_amount_and_state(
    run: Run, load: Load, tmp_path: Path
) -> None:
    load(month(1, 2))
    path = tmp_path / "octobre.csv"
    path.write_text(month(1), encoding="utf-8")
    for options in (("--preview",), ()):
        told = run("import", str(path), *options).output
        assert "2026-10-0002, famille F0002 : 48,30 €, à régler" in told.replace("\u00a0", " ")


def test_in_the_folder_of_files_to_load_it_waits_for_somebody(
    settings: Settings, frozen: Clock
) -> None:
    folder = settings.data / inbox.FOLDER
    folder.mkdir()
    put(folder, "octobre.csv", sheet(DUE, DUE.replace("0001", "0002")), frozen)
    inbox.take(settings)
    assert (Invoice.select().count(), len(storing.waiting())) == (2, 0)
    put(folder, "octobre.csv", sheet(DUE, DUE.replace("0001", "0003")), frozen)
    inbox.take(settings)
    assert (Invoice.select().count(), len(storing.waiting())) == (2, 1)
