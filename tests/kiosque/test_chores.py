"""The timers' chores, called each minute for years."""

import re

from kiosque import chores
from kiosque.db import database
from kiosque.db.models import Family, Invoice
from kiosque.settings import Settings
from tests import bases
from tests.kiosque.payments.conftest import Pay

#: What grows by a row or more each payment, and keeps it.
GROWING = ("attempt", "attempt_item", "fact", "settlement", "invoice", "outbox_mail")


def _read_whole(plan: str, sql: str) -> str:
    """Return the table of which a step reads every row."""
    if not (
        scan := re.fullmatch(r"SCAN (\w+)( USING (COVERING )?INDEX sqlite_autoindex.*)?", plan)
    ):
        return ""
    named = re.search(rf'"(\w+)" AS "{scan[1]}"', sql)
    return named[1] if named else scan[1]


@bases.on_sqlite
def test_what_each_minute_asks_of_a_table_that_grows_is_found_by_an_index(
    settings: Settings, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    pay(alices_family, october)
    asked: list[str] = []
    database.connection().exec_trace = lambda _cursor, sql, _bound: asked.append(sql) is None
    chores.ask_banks(settings, seconds=5)
    chores.send_mail(settings)
    database.connection().exec_trace = None
    plans = [
        (row[3], sql)
        for sql in asked
        if sql.startswith(("SELECT", "UPDATE", "DELETE"))
        for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))
    ]
    assert [sql for plan, sql in plans if _read_whole(plan, sql) in GROWING] == []
    for of_some_rows in ("attempt_ask", "attempt_silent", "attempt_email", "outbox_mail_kept"):
        assert any(of_some_rows in plan for plan, _sql in plans), of_some_rows
