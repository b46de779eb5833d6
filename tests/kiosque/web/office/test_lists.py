"""Lists of the town hall's area: pages that follow each other without a row lost or shown twice."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from peewee import ModelSelect
from werkzeug.exceptions import NotFound

from kiosque.db.models import Family, Invoice, Settlement
from kiosque.payments import CounterPayment, settle_at_counter
from kiosque.web.office import lists
from kiosque.web.office.filter_fields import ChoiceFilter, DayFilter, EurosFilter, TextFilter
from kiosque.web.office.lists import Filters, ListPage, RowOrder
from tests.conftest import make_invoice

BY_DATE = RowOrder(Invoice.issued_on, Invoice.id)
BY_NUMBER = RowOrder(Invoice.number, Invoice.id, goes_up=True)
BY_AMOUNT = RowOrder(Invoice.total_cents, Invoice.id)


@pytest.fixture
def many(alices_family: Family, monkeypatch: pytest.MonkeyPatch) -> list[Invoice]:
    """Seven invoices, of which some share a day and an amount, on pages of three."""
    monkeypatch.setattr(lists, "ROWS", 3)
    days = (3, 1, 3, 2, 3, 1, 2)
    return [
        make_invoice(alices_family, f"N{at}", 1000 * day, issued_on=date(2026, 11, day))
        for at, day in enumerate(days)
    ]


def read(app: Flask, order: RowOrder, query: "ModelSelect | None" = None, **asked: str) -> ListPage:
    with app.test_request_context("/", query_string=asked):
        return lists.read_page(lambda: Invoice.select() if query is None else query, order)


def numbers(page: ListPage) -> list[str]:
    return [row.number for row in page.rows]


def onwards(app: Flask, order: RowOrder) -> Iterator[ListPage]:
    page = read(app, order)
    yield page
    while page.after:
        page = read(app, order, apres=page.after)
        yield page


@pytest.mark.parametrize("order", [BY_DATE, BY_NUMBER, BY_AMOUNT], ids=lambda it: it.by.name)
def test_pages_follow_each_other_onwards_then_back(
    app: Flask, many: list[Invoice], order: RowOrder
) -> None:
    sign = 1 if order.goes_up else -1
    rows = sorted(many, key=lambda it: (getattr(it, order.by.name), it.id))[::sign]
    expected = [row.number for row in rows]
    pages = list(onwards(app, order))
    assert [numbers(page) for page in pages] == [expected[:3], expected[3:6], expected[6:]]
    assert pages[0].before is None
    middle = read(app, order, avant=str(pages[2].before))
    assert middle == pages[1]
    assert read(app, order, avant=str(middle.before)) == pages[0]


def test_an_invoice_that_comes_meanwhile_moves_no_page(app: Flask, many: list[Invoice]) -> None:
    first = read(app, BY_DATE)
    after = numbers(read(app, BY_DATE, apres=str(first.after)))
    make_invoice(many[0].family, "neuve", issued_on=date(2026, 11, 30))
    assert numbers(read(app, BY_DATE, apres=str(first.after))) == after


def test_an_empty_list_is_one_page(app: Flask, empty_database: None) -> None:
    assert read(app, BY_DATE) == ListPage([], None, None, 0, BY_DATE.words)


def test_a_page_that_many_open_is_the_list_as_it_is_now(app: Flask, many: list[Invoice]) -> None:
    def first() -> tuple[list[str], int]:
        with app.test_request_context("/"):
            page = lists.read_page(Invoice.select, BY_DATE, kept_as="the invoices of this test")
        return numbers(page), page.count

    before, count = first()
    make_invoice(many[0].family, "neuve", issued_on=date(2026, 11, 30))
    assert first() == (["neuve", *before[:2]], count + 1)


def test_a_page_costs_two_queries(app: Flask, many: list[Invoice], queries: list[str]) -> None:
    read(app, BY_DATE)
    assert len(queries) == 2


@pytest.mark.parametrize(
    "cursor", ["x", "_", "2026-11-03", "2026-11-03_x", "_1", f"2026_{2**63}", "\0_1", "9" * 200]
)
def test_a_page_that_no_link_names_is_not_there(
    app: Flask, many: list[Invoice], cursor: str
) -> None:
    for order in (BY_DATE, BY_AMOUNT):
        for way in ("apres", "avant"):
            with pytest.raises(NotFound):
                read(app, order, **{way: cursor})


def test_rows_are_counted_up_to_a_limit(
    app: Flask, many: list[Invoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(app, BY_DATE).counted("facture") == "7 factures"
    one = Invoice.select().where(Invoice.number == "N1")
    assert read(app, BY_DATE, one).counted("facture") == "1 facture"
    monkeypatch.setattr(lists, "COUNTED", 5)
    assert read(app, BY_DATE).counted("facture") == "plus de 5 factures"


class Some(Filters):
    word = TextFilter("Mot")
    day = DayFilter("Jour")
    amount = EurosFilter("Montant")


class Chosen(Some):
    state = ChoiceFilter("État", known=[("", "Tous"), ("open", "À régler")])


def test_filters_are_read_from_the_address(app: Flask, empty_database: None) -> None:
    asked = {"word": " a\0b ", "day": "2026-11-05", "amount": "1 234,5 €", "other": "x"}
    with app.test_request_context("/", query_string=asked):
        form = Some()
        assert form.validate()
    assert form.chosen == {"word": "a b", "day": "2026-11-05", "amount": "1 234,5 €"}
    assert (form.day.day, form.amount.cents) == (date(2026, 11, 5), 123450)


def test_only_filters_in_which_nothing_was_typed_are_kept_as_they_are_shown(
    app: Flask, empty_database: None
) -> None:
    def parts(**asked: str) -> list[tuple[bool, tuple[Any, ...]]]:
        with app.test_request_context("/", query_string=asked):
            form = Chosen()
            form.validate()
            return list(form.parts)

    ((is_typed, kept),) = parts(state="open")
    assert not is_typed
    assert [each.name for each in kept] == ["word", "day", "amount", "state"]
    assert parts() == parts() != parts(state="open")
    assert hash(kept) == hash(parts(state="open")[0][1])
    for asked in ({"day": "2026-11-05"}, {"day": "hier"}):
        told = [(is_typed, len(fields)) for is_typed, fields in parts(**asked)]
        assert told == [(False, 1), (True, 1), (False, 2)]
    assert [is_typed for is_typed, _ in parts(state="inconnu")] == [False, True]


@pytest.mark.parametrize("asked", [{"day": "hier"}, {"amount": "beaucoup"}, {"amount": "1,234"}])
def test_a_filter_that_cannot_be_read_is_said(
    app: Flask, empty_database: None, asked: dict[str, str]
) -> None:
    with app.test_request_context("/", query_string=asked):
        form = Some()
        assert not form.validate()
    assert set(form.errors) == set(asked)


def test_rows_sorted_by_an_instant_follow_each_other(app: Flask, many: list[Invoice]) -> None:
    for at, invoice in enumerate(many):
        on = date(2026, 11, 3 + at % 3)
        payment = CounterPayment(invoice.number, None, "cash", on, "Dominique", "x")
        settle_at_counter([payment])
    by_instant = RowOrder(Settlement.settled_at, Settlement.id)
    pages, after = [], ""
    while len(pages) < 3:
        page = read(app, by_instant, Settlement.select(), **({"apres": after} if after else {}))
        pages.append([row.id for row in page.rows])
        after = str(page.after)
    expected = Settlement.select().order_by(Settlement.settled_at.desc(), Settlement.id.desc())
    ids = [row.id for row in expected]
    assert pages == [ids[:3], ids[3:6], ids[6:]]
