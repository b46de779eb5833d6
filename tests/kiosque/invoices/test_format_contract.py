"""Our formats keep their contract, and so does a stranger's, installed as a package would be."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from kiosque.db.models import Invoice
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile
from kiosque.invoices.imports.formats import registry
from kiosque.invoices.imports.formats.magnus import Magnus
from kiosque.invoices.imports.formats.pes import Pes
from kiosque.invoices.imports.formats.testing import FormatContract
from kiosque.invoices.imports.formats.workbook import Workbook
from kiosque.invoices.imports.reading import NumberedLine
from kiosque.invoices.imports.receiving import File
from tests import sentences
from tests.kiosque.invoices.samples import NOETHYSWEB, with_samples

SOURCES = Path(__file__).parents[2] / "thirdparty" / "capucine"
OURS = {"tiers_nom", "numero_facture", "montant"}


@with_samples
class TestPes(FormatContract):
    format_class = Pes
    sample = NOETHYSWEB / "pes_orm.xml"
    columns = OURS


@with_samples
class TestJvs(FormatContract):
    format_class = Pes
    sample = NOETHYSWEB / "jvs_un_code.xml"
    columns = OURS


@with_samples
class TestMagnus(FormatContract):
    format_class = Magnus
    sample = NOETHYSWEB / "magnus"
    columns = OURS


CARDS = """CAPUCINE 1
Famille: F1001
Facture: C1
Du: 05/11/2026
Mois: 2026-10
Pour: Cantine
Enfant: Zoé
Quoi: Repas
Combien: 14
Prix: 3,45
Total: 48,30
"""


@pytest.fixture(scope="module")
def capucine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stranger's package, installed by pip without a network; a file of its software."""
    folder = tmp_path_factory.mktemp("capucine")
    shutil.copytree(SOURCES, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install")
    how = ("--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--target")
    done = subprocess.run(
        [*pip, *how, str(folder / "installed"), str(folder / "source")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder / "installed"))
    path = folder / "octobre.txt"
    path.write_text(CARDS, "utf-8")
    yield path
    sys.path.remove(str(folder / "installed"))
    sys.modules.pop("kiosque_capucine", None)


class TestCapucine(FormatContract):
    columns = ("code_famille", "numero_facture", "montant")

    @pytest.fixture(autouse=True)
    def prepare(self, capucine: Path) -> None:
        type(self).sample = capucine
        type(self).format_class = registry.available()["capucine"].load()


@pytest.mark.usefixtures("empty_database", "frozen")
def test_a_stranger_s_format_is_found_and_its_units_are_named(
    capucine: Path, tmp_path: Path
) -> None:
    assert imports.load(capucine, pdf_folder=tmp_path).added == 1
    bad = tmp_path / "fiches.txt"
    bad.write_text(f"{CARDS}\n{CARDS[11:].replace('48,30', 'x').replace('C1', 'C2')}", "utf-8")
    with pytest.raises(BadFile, match=r"^fiche 2 : montant"):
        imports.load(bad, pdf_folder=tmp_path)


@pytest.mark.usefixtures("empty_database")
@pytest.mark.parametrize("broken", ["recognises", "read"])
def test_a_stranger_s_fault_is_a_sentence_that_names_it(
    capucine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object) -> None:
        raise KeyError(broken)

    monkeypatch.setattr(registry.available()["capucine"].load(), broken, fail)
    with pytest.raises(BadFile, match=re.escape(f"capucine {sentences.HAS_A_DEFECT} (KeyError)")):
        imports.load(capucine, pdf_folder=tmp_path)
    assert Invoice.select().count() == 0


def test_no_package_takes_the_name_of_a_format_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    thief = EntryPoint("pes", "elsewhere:Pes", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [thief])
    assert registry.available()["pes"].value.startswith("kiosque.")


class Hasty:
    """Import as a careless stranger does: numbers for texts, any file for its own."""

    unit = "fiche"

    def recognises(self, head: bytes, name: str) -> bool:
        return True

    def read(self, file: File) -> Iterator[NumberedLine]:
        yield 0, ["code_famille", "numero_facture", "montant"]
        yield 1, [12]  # type: ignore[list-item]


@pytest.mark.parametrize(
    "name",
    [
        "test_it_knows_its_sample_by_content_and_nothing_else",
        "test_its_first_row_names_columns_and_the_others_are_texts",
        "test_a_file_cut_or_spoilt_is_read_or_refused_in_good_order",
    ],
)
def test_the_suite_notices_a_careless_format(capucine: Path, name: str) -> None:
    told = {"sample": capucine, "columns": TestCapucine.columns}
    suite = type("Suite", (FormatContract,), told)()
    type(suite).format_class = registry.available()["capucine"].load()
    getattr(suite, name)()
    type(suite).format_class = Hasty
    with pytest.raises(AssertionError):
        getattr(suite, name)()


def test_the_page_that_teaches_it_shows_the_very_file() -> None:
    page = (SOURCES.parents[2] / "docs" / "import.md").read_text("utf-8")
    for name in ("kiosque_capucine.py", "pyproject.toml"):
        assert (SOURCES / name).read_text("utf-8") in page


def test_a_workbook_is_known_by_its_first_bytes() -> None:
    assert Workbook().recognises(b"PK\x03\x04", "x")
    assert not Workbook().recognises(b"PK", "x.xlsx")
