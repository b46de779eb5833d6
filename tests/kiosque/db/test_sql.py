"""Queries are written to the letter as Peewee itself writes them."""

from datetime import date
from enum import StrEnum

import pytest
from peewee import JOIN, SQL, Context, Query, fn

from kiosque.db import database, models, write
from kiosque.db.models import Attempt, AttemptItem, Family, Invoice, Service, Settlement
from kiosque.db.prepared import change, columns
from kiosque.db.states import InvoiceState

_other = AttemptItem.alias()
_held = _other.select(_other.invoice).where(_other.amount_cents > 1)
_late = Invoice.select(Invoice.family).where(Invoice.due_on < "2026-01-01").alias("late")
QUERIES = {
    "all": Family.select(),
    "some": Family.select(Family.code, fn.COUNT(Invoice.id).alias("n"))
    .join(Invoice, JOIN.LEFT_OUTER)
    .group_by(Family.code)
    .having(fn.COUNT(Invoice.id) > 2)
    .order_by(SQL("n").desc(), Family.code),
    "alias": AttemptItem.update(amount_cents=1).where(AttemptItem.invoice.not_in(_held)),
    "subquery": Attempt.select().where(Attempt.family.in_(Invoice.select(Invoice.family))),
    "source": Family.select(Family, _late.c.family_id).join(
        _late, on=(_late.c.family_id == Family.id)
    ),
    "insert": Service.insert(name="x").on_conflict_ignore(),
    "upsert": Service.insert(name="x").on_conflict(
        conflict_target=[Service.name], update={Service.name: Service.name + "y"}
    ),
    "update": Settlement.update(returned_cents=Settlement.returned_cents + 1).where(
        Settlement.id == 1, Settlement.final_at.is_null()
    ),
    "delete": Family.delete().where(Family.code == "x"),
    "compound": Family.select(Family.code) | Service.select(Service.name),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_is_written_as_peewee_writes_it(base: None, query: Query) -> None:
    assert database.context_class is not Context
    expected = Context(**database.get_context_options()).parse(query)
    assert query.sql() == expected
    assert "None" not in expected[0]


def test_a_word_of_ours_is_written_a_value_from_elsewhere_is_bound(base: None) -> None:
    """So the base can tell which index of some rows only holds those that are asked for."""
    written, bound = (
        Invoice.select(Invoice.id)
        .join(AttemptItem)
        .where(
            Invoice.state == InvoiceState.OPEN,
            Invoice.period == "open",
            AttemptItem.live == True,  # noqa: E712
        )
        .sql()
    )
    assert written.endswith(
        f"""(("t1"."state" = 'open') AND ("t1"."period" = {database.param})) AND ("t2"."live" = 1))"""  # noqa: E501
    )
    assert bound == ["open"]


class _Foreign(StrEnum):
    WORD = "x' OR '1' = '1"


def test_a_word_that_would_not_stay_in_its_quotes_is_bound(base: None) -> None:
    written, bound = Invoice.select().where(Invoice.period == _Foreign.WORD).sql()
    assert "OR" not in written
    assert bound == [_Foreign.WORD]


def test_a_row_is_read_in_the_order_in_which_its_columns_are_asked_for() -> None:
    tables = [
        model
        for model in vars(models).values()
        if isinstance(model, type) and issubclass(model, models.Base)
    ]
    assert len(tables) > 20
    for model in tables:
        asked = [column.name for column in model.select().selected_columns]
        assert list(columns(model)) == asked, model


_built: list[str] = []


def _rename(family: Family, name: str) -> int:
    return change(
        lambda family, name: (
            _built.append("once"),
            Family.update(name=name).where(Family.id == family),
        )[1],
        family=family.id,
        name=name,
    )


def test_what_changes_a_row_is_written_once_and_bound_each_time(
    alices_family: Family, charlies_family: Family
) -> None:
    _built.clear()
    with write():
        changed = [_rename(alices_family, "Un"), _rename(charlies_family, "Deux")]
        alices_family.id = 10_000
        changed.append(_rename(alices_family, "Personne"))
    assert changed == [1, 1, 0]
    assert [each.name for each in Family.select().order_by(Family.id)] == ["Un", "Deux"]
    assert len(_built) <= 1


def test_a_value_goes_into_its_place_as_its_column_keeps_it(october: Invoice) -> None:
    family, day = october.family, date(2030, 1, 31)
    with write():
        changed = change(
            lambda family, day, state: Invoice.update(due_on=day).where(
                Invoice.family == family, Invoice.state == state
            ),
            family=family,
            day=day,
            state=InvoiceState.OPEN,
        )
    assert (changed, Invoice.get().due_on) == (1, day)


def test_what_changes_a_row_knows_of_nothing_but_its_parameters(alices_family: Family) -> None:
    name = "Un"
    with write(), pytest.raises(TypeError):
        change(
            lambda family: Family.update(name=name).where(Family.id == family),
            family=alices_family.id,
        )
