"""The bench measures a base whose books are true."""

from pathlib import Path

from kiosque import db
from kiosque.db.models import Invoice
from kiosque.payments.verification import sums
from tests.bases import on_sqlite
from tests.bench import base


@on_sqlite
def test_the_invoices_of_the_bench_are_open_or_paid_to_the_cent(tmp_path: Path) -> None:
    path = tmp_path / "kiosque.sqlite3"
    base.fill(path, families=2, invoices=12)
    with db.elsewhere(path):
        assert Invoice.select().where(Invoice.state == "paid").count() == 2 * (12 - base.OPEN)
        assert list(sums.invoices()) == []
