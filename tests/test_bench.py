"""The bench measures a database whose books are true."""

from pathlib import Path

import pytest

from kiosque import db
from kiosque.db.models import Invoice
from kiosque.payments.verification import sums
from tests.bench import base, notices
from tests.fresh_databases import on_sqlite


@on_sqlite
def test_the_invoices_of_the_bench_are_open_or_paid_to_the_cent(tmp_path: Path) -> None:
    path = tmp_path / "kiosque.sqlite3"
    base.fill(path, families=2, invoices=12)
    with db.elsewhere(path):
        assert Invoice.select().where(Invoice.state == "paid").count() == 2 * (12 - base.OPEN)
        assert list(sums.invoices()) == []


@on_sqlite
def test_the_notices_of_the_bench_are_settled_to_the_cent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "EACH", 2)
    bank = notices.Bank(tmp_path, families=50)
    paid = Invoice.select().where(Invoice.number.startswith("N-"), Invoice.state == "paid")
    bank.settle()
    with db.connection():
        assert paid.count() == 3
        assert list(sums.invoices()) == []
