"""A statement is loaded and matched by a command."""

import shlex
from pathlib import Path

import pytest
from click.testing import Result

from kiosque.db.models import (
    ColumnMapping,
    Family,
    Invoice,
    LineMatch,
    StatementFile,
    StatementLine,
)
from tests.conftest import Clock
from tests.kiosque.conftest import Run
from tests.kiosque.invoices import treasury
from tests.kiosque.statements import books
from tests.kiosque.statements.books import day, paid

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")

KNOWN = "Date;Libellé;Montant\n{}\n"
UNKNOWN = "Jour;Texte;Euros\n04/11/2026;VIR;45,20\n05/11/2026;FRAIS;-2,00\n"


@pytest.fixture
def said(tmp_path: Path, alices_family: Family) -> Path:
    """A table whose first line is Alice's payment."""
    reference = books.reference(paid(alices_family, 4520, day(2)))
    lines = [f"04/11/2026;VIR {reference};45,20", "05/11/2026;ABONNEMENT;-2,00"]
    path = tmp_path / "releve.csv"
    path.write_text(KNOWN.format("\n".join(lines)), encoding="utf-8")
    return path


def agree(run: Run, path: Path, *options: str) -> Result:
    """Load a table by the columns that are understood, as the refusal says to."""
    asked = run("statement", str(path), *options)
    assert asked.exit_code == 1
    assert "--preview" in asked.output
    assert StatementLine.select().count() == 0
    return run("statement", str(path), *options, *shlex.split(asked.output.splitlines()[-1]))


def test_a_table_is_loaded_once_its_columns_are_agreed_to(run: Run, said: Path) -> None:
    assert agree(run, said).exit_code == 0
    said.write_text(KNOWN.format("07/11/2026;VIR;1,00"), encoding="utf-8")
    assert run("statement", str(said)).exit_code == 0
    assert StatementLine.select().count() == 3


def test_a_statement_is_loaded_and_what_it_proves_is_matched(run: Run, said: Path) -> None:
    told = agree(run, said)
    assert told.exit_code == 0, told.output
    assert "ABONNEMENT" in told.output
    assert LineMatch.get().author == "Kiosque Famille"
    again = run("statement", str(said))
    assert again.exit_code == 0
    assert StatementLine.select().count() == 2


def test_columns_are_said_once_for_all_files_that_have_them(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "autre.csv"
    path.write_text(UNKNOWN, encoding="utf-8")
    told = run("statement", str(path))
    assert told.exit_code == 1
    assert "Euros" in told.output
    for wrong in ("montant=Euros", "amount=Dollars"):
        assert run("statement", str(path), "--columns", wrong).exit_code == 1
    columns = ("booked_on=Jour", "label=Texte", "amount=Euros")
    options = [word for each in columns for word in ("--columns", each)]
    assert run("statement", str(path), *options).exit_code == 0
    assert ColumnMapping.select().count() == 1
    path.write_text(UNKNOWN.replace("04/11", "06/11").replace("05/11", "07/11"), encoding="utf-8")
    assert run("statement", str(path)).exit_code == 0
    assert StatementLine.select().count() == 4


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"Date;Libell\xe9;Montant\nhier;x;1\n"])
def test_a_file_that_cannot_be_read_changes_nothing(
    run: Run, tmp_path: Path, content: bytes, frozen: Clock
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    told = run("statement", str(path))
    assert told.exit_code == 1
    assert "Traceback" not in told.output
    assert StatementLine.select().count() == 0


def test_a_regie_that_is_none_is_refused(run: Run, said: Path) -> None:
    assert run("statement", str(said), "--regie", "inconnue").exit_code == 1
    assert agree(run, said, "--regie", "-").exit_code == 0


def test_what_the_treasury_returns_is_loaded_as_by_import(
    run: Run, tmp_path: Path, alices_family: Family
) -> None:
    titre = treasury.titre(alices_family)
    path = tmp_path / "retour.xml"
    path.write_bytes(treasury.returned(treasury.piece(treasury.received("45.20"))))
    told = run("statement", str(path))
    assert told.exit_code == 0, told.output
    assert Invoice.get_by_id(titre.id).paid_cents == 4520
    assert StatementLine.select().count() == 0
    again = run("import", str(path))
    assert "Déjà là : 1" in again.output


GUESSED_WRONG = (
    "Date;Libellé;Détail;Montant;Montant EUR\n"
    "04/11/2026;CB;VIR MARTIN;1;45,20\n"
    "05/11/2026;TPE;ABONNEMENT;2;-2,00\n"
)


def test_a_table_is_shown_as_it_is_understood_and_corrected_before_it_is_kept(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "banque.csv"
    path.write_text(GUESSED_WRONG, encoding="utf-8")
    shown = run("statement", str(path), "--preview")
    assert shown.exit_code == 0, shown.output
    assert "1,00" in shown.output
    corrected = run("statement", str(path), "--preview", "--columns", "amount=Montant EUR")
    assert "45,20" in corrected.output
    assert ColumnMapping.select().count() == StatementLine.select().count() == 0
    assert run("statement", str(path), "--columns", "amount=Montant EUR").exit_code == 0
    assert [each.amount_cents for each in StatementLine.select().order_by(StatementLine.id)] == [
        4520,
        -200,
    ]


def test_what_is_remembered_of_columns_can_be_said_anew(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "banque.csv"
    path.write_text(GUESSED_WRONG, encoding="utf-8")
    for column in ("Montant EUR", "Montant"):
        option = ("--columns", f"amount={column}")
        assert run("statement", str(path), "--preview", *option).exit_code == 0
    assert run("statement", str(path), "--columns", "amount=Montant EUR").exit_code == 0
    later = GUESSED_WRONG.replace("/11/", "/12/")
    path.write_text(later, encoding="utf-8")
    anew = run("statement", str(path), "--columns", "label=Détail", "--columns", "details=Libellé")
    assert anew.exit_code == 0, anew.output
    last = StatementLine.select().order_by(StatementLine.id.desc()).get()
    assert (last.label, last.amount_cents) == ("ABONNEMENT TPE", -200)
    assert ColumnMapping.select().count() == 1


def test_a_load_is_undone_by_a_command_once(run: Run, said: Path) -> None:
    assert agree(run, said).exit_code == 0
    number = StatementFile.get().id
    assert f"{number}  " in run("statement-files").output
    assert run("undo-statement", str(number), "--reason", "mauvais fichier").exit_code == 0
    assert books.lines() == books.matches() == []
    assert "mauvais fichier" in run("statement-files").output
    again = run("undo-statement", str(number), "--reason", "encore")
    assert (again.exit_code, "Traceback" in again.output) == (1, False)
    assert run("undo-statement", "99", "--reason", "x").exit_code == 1
    assert run("statement", str(said)).exit_code == 0
    assert len(books.lines()) == 2
