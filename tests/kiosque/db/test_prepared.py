"""Queries whose SQL is written once: what is bound, what comes back, which index serves."""

from datetime import date
from typing import Any

import pytest
from peewee import IntegrityError

from kiosque.db import database, write
from kiosque.db.models import Attempt, AttemptItem, Family, Invoice, Lease
from kiosque.db.prepared import PreparedInsert, PreparedQuery
from kiosque.db.states import InvoiceState
from kiosque.families import sessions
from kiosque.invoices import listing
from kiosque.language import clock
from tests import fresh_databases
from tests.conftest import NOW, make_family


def test_a_query_is_built_once_and_run_with_other_values_each_time(
    alices_family: Family, charlies_family: Family
) -> None:
    built: list[str] = []

    def build(family: Any, name: Any) -> Any:
        built.append("once")
        return Family.update(name=name).where(Family.id == family)

    rename = PreparedQuery(build)
    with write():
        changed = [
            rename.execute(family=alices_family.id, name="Un"),
            rename.execute(family=charlies_family.id, name="Deux"),
            rename.execute(family=10_000, name="Personne"),
        ]
    assert changed == [1, 1, 0]
    assert [each.name for each in Family.select().order_by(Family.id)] == ["Un", "Deux"]
    assert built == ["once"]


def test_a_value_that_is_not_given_is_an_error(empty_database: None) -> None:
    with pytest.raises(KeyError):
        PreparedQuery(lambda code: Family.select().where(Family.code == code)).rows()


def test_rows_come_back_as_their_fields_read_them(empty_database: None) -> None:
    family = make_family("F1", "Œuvrard-Ñandú")
    query = PreparedQuery(
        lambda code: Family.select(
            Family.id, Family.code, Family.updated_on, Family.wants_mail
        ).where(Family.code == code)
    )
    ((number, code, updated_on, wants_mail),) = query.rows(code="F1")
    assert (number, code, updated_on) == (family.id, "F1", date(2026, 11, 5))
    assert wants_mail is True


def test_models_come_back_as_plain_peewee_reads_them(october: Invoice) -> None:
    query = PreparedQuery(lambda number: Invoice.select().where(Invoice.number == number))
    (found,) = query.models(number=october.number)
    plain = Invoice.get()
    fields = Invoice._meta.sorted_field_names
    assert [getattr(found, each) for each in fields] == [getattr(plain, each) for each in fields]
    assert found == plain


def test_a_day_an_instant_a_truth_and_none_are_kept_as_their_fields_keep_them(
    october: Invoice,
) -> None:
    move = PreparedQuery(
        lambda invoice, due, closes: Invoice.update(due_on=due, closes_on=closes).where(
            Invoice.id == invoice
        )
    )
    mute = PreparedQuery(lambda wants: Family.update(wants_mail=wants))
    with write():
        move.execute(invoice=october.id, due=date(2030, 1, 31), closes=None)
        mute.execute(wants=False)
    found = Invoice.get()
    assert (found.due_on, found.closes_on) == (date(2030, 1, 31), None)
    assert Family.get().wants_mail is False
    ((_, kept),) = PreparedQuery(lambda at: Family.select(Family.code, at)).rows(at=NOW)
    assert kept == "2026-11-24T19:30:00.000000Z"


def test_a_state_and_a_truth_are_part_of_the_sql_what_comes_from_elsewhere_is_bound(
    empty_database: None,
) -> None:
    sql, bound = (
        Invoice.select(Invoice.id)
        .join(AttemptItem)
        .where(
            Invoice.state == InvoiceState.OPEN,
            Invoice.period == "open",
            AttemptItem.live == True,  # noqa: E712
        )
        .sql()
    )
    assert """("t1"."state" = 'open')""" in sql
    assert """("t2"."live" = 1)""" in sql
    assert bound == ["open"]
    sql, bound = Invoice.select().where(Invoice.state == "x' OR '1' = '1").sql()
    assert "OR" not in sql
    assert bound == ["x' OR '1' = '1"]


def _plan(query: PreparedQuery, **values: object) -> str:
    """Return how SQLite carries out a query."""
    seen: list[tuple[str, Any]] = []

    class Asked(Exception):
        pass

    def note(sql: str, params: Any = None) -> None:
        seen.append((sql, params))
        raise Asked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database.obj, "execute_sql", note)
        with pytest.raises(Asked):
            query.rows(**values)
    ((sql, params),) = seen
    return "\n".join(row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params))


@fresh_databases.on_sqlite
def test_the_queries_of_the_invoices_page_use_their_indexes(empty_database: None) -> None:
    now = clock.now()
    unpaid = _plan(listing._UNPAID, family=1, now=now, since=now, opened_since=now)
    assert "attempt_item_one_live (invoice_id=?)" in unpaid
    assert "attempt_item_invoice (invoice_id=?)" in unpaid
    settled = _plan(listing._SETTLED, family=1, first=0)
    assert "invoice_history (family_id=?)" in settled
    assert "allocation_invoice (invoice_id=?)" in settled
    running = _plan(sessions._RUNNING, digest="", idle=now, longest=now)
    assert "SCAN" not in unpaid + settled + running


@fresh_databases.on_sqlite
def test_a_bound_state_does_not_find_the_index_of_some_rows(empty_database: None) -> None:
    """The reason for `WordField`: a plan depends on the text of a query alone."""
    by_word = PreparedQuery(
        lambda: Invoice.select(Invoice.id).where(
            Invoice.state == InvoiceState.OPEN, Invoice.due_on < date(2026, 1, 1)
        )
    )
    bound = PreparedQuery(
        lambda state: Invoice.select(Invoice.id).where(
            Invoice.state == state, Invoice.due_on < date(2026, 1, 1)
        )
    )
    assert "invoice_open" in _plan(by_word)
    assert "invoice_open" not in _plan(bound, state="open")


def test_a_foreign_key_is_bound_by_the_id_of_its_row(october: Invoice) -> None:
    query = PreparedQuery(lambda family: Invoice.select().where(Invoice.family == family))
    assert query.models(family=october.family_id) == [october]
    assert (
        PreparedQuery(lambda family: Attempt.select().where(Attempt.family == family)).rows(
            family=october.family_id
        )
        == []
    )


def test_a_row_is_inserted_with_its_defaults_and_given_its_number(empty_database: None) -> None:
    families = PreparedInsert(Family)
    row = Family(code="F1", updated_on=date(2026, 11, 5), email="alice@example.org")
    with write():
        assert families.add(row)
    found = Family.get_by_id(row.id)
    assert (found.code, found.updated_on, found.email) == (
        "F1",
        date(2026, 11, 5),
        "alice@example.org",
    )
    assert (found.language, found.wants_mail) == ("fr", True)


def _alice(name: str | None = "Martin") -> Family:
    return Family(code="F1", name=name, updated_on=date(2026, 11, 5))


def test_a_row_that_is_there_already_is_left_out_only_when_asked(empty_database: None) -> None:
    with write():
        assert PreparedInsert(Family).add(_alice())
        assert not PreparedInsert(Family, unless_known=True).add(_alice())
    with pytest.raises(IntegrityError), write():
        PreparedInsert(Family).add(_alice())


def test_a_row_with_another_fault_is_an_error_never_left_out_in_silence(
    empty_database: None,
) -> None:
    with pytest.raises(IntegrityError), write():
        PreparedInsert(Family, unless_known=True).add(_alice(name=None))


def test_a_row_whose_key_is_ours_is_inserted_under_it(empty_database: None) -> None:
    with write():
        PreparedInsert(Lease).add(Lease(name="x", holder="h", expires_at=NOW, started_at=NOW))
    assert (Lease.get().name, Lease.get().started_at) == ("x", NOW)
