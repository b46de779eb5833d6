"""The commands by which a *régie* pays over what it collected, without a browser."""

from pathlib import Path

import pytest

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Deposit, Invoice
from kiosque.language import clock
from kiosque.settings import Settings
from tests import pdfs
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import at_counter

BY = ("--author", "Dominique Aubry")


@pytest.fixture
def collected(october: Invoice) -> Invoice:
    at_counter(october, mode="cheque")
    return october


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_draft_names_what_lacks_then_is_made_final_and_answered(
    run: Run, collected: Invoice, tmp_path: Path
) -> None:
    refused = run("deposit", "final", *BY)
    assert refused.exit_code == 1
    assert "Restauration scolaire n’a pas d’imputation." in refused.output
    said = run(
        "imputation", "restauration scolaire", "--article", "70632", "--fonction", "281", *BY
    )
    assert said.exit_code == 0, said.output
    shown = run("deposit", "draft")
    assert "chèque, au guichet, 70632, fonction 281 : 45,20 €" in plain(shown.output)
    assert not Deposit.select().exists()
    done = run("deposit", "final", "--regie", "", *BY)
    assert "Bordereau 2026-001 : 45,20 €" in plain(done.output)
    again = run("deposit", "final", *BY)
    assert again.exit_code == 1
    assert "2026-001" in again.output
    assert "sans réponse" in run("deposit", "list").output
    told = run("deposit", "answer", "2026-1", "--on", "2026-11-24", "--reference", "P503 12", *BY)
    assert told.exit_code == 0, told.output
    assert "P503 12" in run("deposit", "list").output
    folder = tmp_path / "papiers"
    assert run("deposit", "papers", "2026-001", str(folder)).exit_code == 0
    assert "45,20" in pdfs.text((folder / "bordereau-2026-001.pdf").read_bytes())
    assert "F1001 Martin" in pdfs.text((folder / "liste-2026-001.pdf").read_bytes())
    assert (folder / "bordereau-2026-001.csv").read_text("utf-8").endswith(";45,20\n")
    assert run("verify").exit_code == 0


def test_a_payment_is_kept_back_with_a_reason_then_taken_up(run: Run, collected: Invoice) -> None:
    assert run("imputation", "restauration scolaire", "--article", "70632", *BY).exit_code == 0
    kept = run("deposit", "keep", collected.number, "--reason", "chèque à vérifier", *BY)
    assert kept.exit_code == 0, kept.output
    assert "chèque à vérifier" in run("deposit", "draft").output
    assert run("deposit", "final", *BY).exit_code == 1
    again = run("deposit", "keep", collected.number, "--reason", "encore", *BY)
    assert again.exit_code == 1
    taken = run("deposit", "take-up", collected.number, *BY)
    assert "45,20 €" in plain(taken.output)
    assert run("deposit", "take-up", collected.number, *BY).exit_code == 1
    assert run("deposit", "final", *BY).exit_code == 0


@pytest.mark.parametrize(
    "asked",
    [
        ("keep", "R000009", "--reason", "x", *BY),
        ("final", "--regie", "piscine", *BY),
        ("draft", "--regie", "piscine"),
        ("list", "--regie", "piscine"),
        ("answer", "2026-9", "--on", "2026-11-24", "--reference", "x", *BY),
        ("answer", "zéro", "--on", "2026-11-24", "--reference", "x", *BY),
        ("papers", "2026-9", "ailleurs"),
        ("final", *BY),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Run, empty_database: None, asked: tuple[str, ...]
) -> None:
    result = run("deposit", *asked)
    assert result.exit_code == 1
    assert "Erreur" in result.output


def test_the_last_deposit_given_before_a_restoration_is_said(
    run: Run, collected: Invoice, settings: Settings
) -> None:
    assert run("imputation", "restauration scolaire", "--article", "70632", *BY).exit_code == 0
    with write():
        payments.note_restoration(settings, clock.now(), {})
    refused = run("deposit", "final", *BY)
    assert refused.exit_code == 1
    assert "deposit resume" in refused.output
    assert run("deposit", "resume", "zéro", *BY).exit_code == 1
    told = run("deposit", "resume", "2026-002", *BY)
    assert "2026-001 à 2026-002" in told.output
    assert "2026-003" in run("deposit", "final", *BY).output
    assert "2026-001 à 2026-002" in run("deposit", "list").output
    assert run("verify").exit_code == 0
