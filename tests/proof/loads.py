"""Files that are loaded by mistake and undone, in the machine's town: nothing is left of them but
their lines in the list of loads."""

from typing import TYPE_CHECKING, Any

from kiosque.db.models import ImportBatch
from kiosque.invoices import imports
from kiosque.invoices.imports import undoing
from kiosque.invoices.imports.reading import EVERYTHING
from kiosque.language import clock
from tests.kiosque.invoices.files import FAMILIES, ROW, sheet
from tests.proof.stage import dump, rows

if TYPE_CHECKING:
    from tests.proof.machine import Town

KINDS = ("factures", "familles")
#: What a load changes besides money and families.
_RECORD = ("account", "child", "enrolment", "guardian", "import_change", "invoice_line", "service")


def load_by_mistake(town: "Town", kind: str, code: str) -> None:
    """A file tells of a family of the town's and of one that is new, and is undone at once."""
    folder = town.stage.settings.data
    path, before = folder / "fichier.csv", _told()
    path.write_text(_file(kind, code), encoding="utf-8")
    imports.load(
        path,
        pdf_folder=folder / "pdf",
        regies=town.stage.settings.regies_by_key,
        confirmed=EVERYTHING,
        author="Dominique",
    )
    assert _told() != before
    last = ImportBatch.select().order_by(ImportBatch.id.desc()).get()
    undoing.undo(last.id, "Dominique", "mauvais fichier", folder / "pdf")
    assert _told() == before, "a load undone leaves something"


def _file(kind: str, code: str) -> str:
    if kind == "familles":
        return FAMILIES.replace("F1001", code) + "F9009;responsable;Roy;Zoé;;;;;;;\n"
    today = clock.today().isoformat()
    row = ROW.replace("2026-11-05", today).replace("2026-11-30", today)
    return sheet(
        row.replace("F1001", code).replace("2026-10-0001", "par-erreur-1"),
        row.replace("F1001", "F9009").replace("2026-10-0001", "par-erreur-2"),
    )


def _told() -> dict[str, list[tuple[Any, ...]]]:
    found = {**dump(), **{table: rows(f"SELECT * FROM {table}") for table in _RECORD}}
    return {table: sorted(lines, key=repr) for table, lines in found.items()}  # in any order
