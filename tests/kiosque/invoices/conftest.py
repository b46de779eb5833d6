"""A file put in a folder of the test's own, and loaded."""

from pathlib import Path

import pytest

from kiosque.invoices import imports
from kiosque.invoices.imports import FileSummary
from tests.conftest import Clock
from tests.kiosque.invoices.files import Load


@pytest.fixture
def load(empty_database: None, tmp_path: Path, frozen: Clock) -> Load:
    def go(content: str | bytes, *, name: str = "factures.csv", **options: object) -> FileSummary:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return imports.load(path, pdf_folder=tmp_path / "pdf", **options)  # type: ignore[arg-type]

    return go
