"""A month is closed by commands alone: what is left is carried over, its papers are written."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kiosque.db.models import Anomaly, Invoice, MonthClosing
from tests.conftest import NOW, Clock
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import at_counter
from tests.kiosque.statements import books

BY = ("--author", "Dominique Aubry")


@pytest.fixture
def december(october: Invoice, run: Run, frozen: Clock) -> None:
    """Alice paid by cheque in November, and it was paid over; nothing moved at the bank."""
    at_counter(october, mode="cheque")
    assert run("imputation", "restauration scolaire", "--article", "70632", *BY).exit_code == 0
    assert run("deposit", "final", *BY).exit_code == 0
    whole = books.period([], since=date(2026, 10, 31), until=date(2026, 11, 30))
    books.load(books.statement(whole))
    frozen.at = datetime(2026, 12, 3, 9, tzinfo=UTC)


def test_a_month_is_closed_and_its_papers_are_written(
    run: Run, december: None, tmp_path: Path
) -> None:
    point = Anomaly.create(key="x", kind="silent", noted_at=NOW, amount_cents=0, detail="essai")
    folder = str(tmp_path / "papiers")
    assert run("month-papers", "2026-11", folder).exit_code == 1
    refused = run("close-month", "2026-11", *BY)
    assert refused.exit_code == 1
    assert "Rien à traiter" in refused.output
    carried = run("carry-over", str(point.id), "2026-11", "--reason", "la banque cherche", *BY)
    assert carried.exit_code == 0, carried.output
    closed = run("close-month", "2026-11", *BY)
    assert closed.exit_code == 0, closed.output
    assert run("month-papers", "2026-11", folder).exit_code == 0
    assert {each.name for each in Path(folder).iterdir()} == {
        "journal.pdf", "rapprochement.pdf", "impayes.pdf", "bordereau-2026-001.pdf",
        "liste-2026-001.pdf",
    }  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        ("close-month", "octobre", *BY),
        ("close-month", "2026-11", "--regie", "piscine", *BY),
        ("carry-over", "9", "2026-11", "--reason", "x", *BY),
        ("carry-over", "9", "hier", "--reason", "x", *BY),
        ("month-papers", "2026-11", "ailleurs", "--regie", "piscine"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Run, empty_database: None, asked: tuple[str, ...]
) -> None:
    result = run(*asked)
    assert result.exit_code == 1
    assert "Erreur" in result.output
    assert MonthClosing.select().count() == 0
