"""Lists of the town hall's area: filters that stand in the address, and one page of rows at a time.

A page begins after a row (`apres`), or ends before one (`avant`). The address names that row by its
sort key and its id. So page 20 000 costs no more than the first one, and rows added meanwhile do
not shift pages.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, starmap
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from flask import abort, render_template, request
from flask_wtf import FlaskForm
from peewee import SQL, Expression, Field, IntegerField, Model, ModelSelect, Tuple, Value, fn
from werkzeug.datastructures import MultiDict

from kiosque.db.fields import to_text
from kiosque.db.prepared import PreparedQuery, place
from kiosque.language.formats import NARROW_NO_BREAK_SPACE

#: Rows of a page.
ROWS = 40
#: Most rows that are counted; beyond that, only say that there are more.
COUNTED = 5_000
#: Rows that an export reads in one go.
_AT_A_TIME = 1000
#: A function that builds a query, with the placeholders of its values; called once for a kept SQL.
Query = Callable[..., "ModelSelect[Any]"]
#: Characters of a row's name in an address: an invoice's number at most.
_LONGEST_KEY = 500


class _Label(NamedTuple):
    text: str


class ShownFilter(NamedTuple):
    """A filter without errors, as `_fields.html` reads it. It is hashable, so that its HTML can be
    kept."""

    id: str
    label: _Label
    kind: str
    choices: tuple[tuple[str, str], ...]
    data: str
    errors: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.id


def _is_typed(field: Any) -> bool:
    return bool(field.errors or (field.data and field.kind != "choice"))


def _shown(it: Any) -> ShownFilter:
    return ShownFilter(it.name, _Label(it.label.text), it.kind, (*it.choices,), it.data)


class Filters(FlaskForm):
    """The filters of a list. Their names are those of the address."""

    @property
    def parts(self) -> Iterator[tuple[bool, tuple[Any, ...]]]:
        """Give the fields in groups, each with whether something was typed in them. The HTML of the
        other fields is kept, since they have few values."""
        for is_typed, group in groupby(self, _is_typed):
            fields = tuple(group)
            yield is_typed, fields if is_typed else tuple(map(_shown, fields))

    @property
    def chosen(self) -> dict[str, Any]:
        """Return the values of the filters in force, as the address gives them."""
        return {field.name: field.data for field in self if field.data}

    def required(self) -> Self:
        """Return the filters. Raise NotFound if one is not valid: no page of ours leads there."""
        if not self.validate():
            abort(404)
        return self

    class Meta(FlaskForm.Meta):
        csrf = False

        def wrap_formdata(self, _form: FlaskForm, _formdata: object) -> MultiDict[str, str]:
            return request.args


class RowOrder(NamedTuple):
    """The order of a list: `by` a column, then by the `number` of the rows; the latest or largest
    first, unless it `goes_up`. `words` are those of the links to the previous and the next page."""

    by: "Field[Any]"
    number: "Field[Any]"
    words: tuple[str, str] = ("Plus récentes", "Plus anciennes")
    goes_up: bool = False


@dataclass(frozen=True)
class ListPage:
    """Some rows of a list. `before` and `after` name the previous and the next page, if any, and
    `words` are those of their links. `count` counts all the rows, up to COUNTED + 1."""

    rows: Sequence[Any]
    before: str | None
    after: str | None
    count: int
    words: tuple[str, str]

    def counted(self, one: str) -> str:
        """Say how many rows the list has: `51 factures`, `plus de 5 000 factures`."""
        plural = " ".join(f"{word}s" for word in one.split())
        if self.count > COUNTED:
            return f"plus de {_grouped(COUNTED)} {plural}"
        return f"{_grouped(self.count)} {plural if self.count > 1 else one}"


def columns(kind: type[tuple[Any, ...]], *models: type[Model]) -> list[Any]:
    """Return the columns named by the fields of a named tuple, each from the first of these models
    that has it."""
    names: Sequence[str] = kind._fields  # type: ignore[attr-defined]
    return [next(getattr(each, name) for each in models if hasattr(each, name)) for name in names]


def narrow(query: "ModelSelect[Any]", conditions: Iterable[Expression]) -> "ModelSelect[Any]":
    """Return the rows of a query that meet all these conditions."""
    for condition in conditions:
        query = query.where(condition)
    return query


class _Listing:
    """The two queries of a page: its rows and one more, and the count of all."""

    def __init__(self, rows: Query, counted: Query, kind: Callable[..., Any] | None) -> None:
        self._rows, self._kind = PreparedQuery(rows), kind
        self._count = PreparedQuery(lambda: _counting(counted()))

    def rows(self, values: Mapping[str, object]) -> list[Any]:
        if self._kind:
            return [*starmap(self._kind, self._rows.rows(**values))]
        return self._rows.models(**values)

    def count(self, values: Mapping[str, object]) -> int:
        ((number,),) = self._count.rows(**values)
        return int(number)


#: The prepared queries of the first pages that are opened often, by their `kept_as`.
_KEPT: dict[Hashable, _Listing] = {}


def read_page(
    query: Query,
    order: RowOrder,
    counted: Query | None = None,
    *,
    kind: Callable[..., Any] | None = None,
    kept_as: Hashable = None,
    values: Mapping[str, object] = MappingProxyType({}),
) -> ListPage:
    """Return the page of a list that the address asks for. Answer 404 if it names no valid page.

    The rows of `query` are whole rows of a table, or the fields of the tuple `kind`; they include
    the columns of `order`. `counted` is a cheaper query with as many rows. `kept_as` identifies the
    query, its order included: the SQL of its first page is then written once. `values` are not in
    that SQL: both queries are built with a placeholder for each."""
    after, before = request.args.get("apres", ""), request.args.get("avant", "")
    backwards = bool(before) and not after
    cursor, places = after or before, {name: place(name) for name in values}

    def asked() -> "ModelSelect[Any]":
        rows = query(**places)
        if cursor:
            rows = rows.where(_beyond(order, cursor, backwards=backwards))
        return _sorted(rows, order, goes_up=order.goes_up is not backwards).limit(ROWS + 1)

    listing = _Listing(asked, lambda: (counted or query)(**places), kind)
    if kept_as is not None and not cursor:
        listing = _KEPT.setdefault(kept_as, listing)
    found = listing.rows(values)
    more = len(found) > ROWS
    rows = found[:ROWS][::-1] if backwards else found[:ROWS]
    is_first, is_last = (not more, False) if backwards else (not cursor, not more)
    return ListPage(
        rows,
        before=None if is_first or not rows else _name(order, rows[0]),
        after=None if is_last or not rows else _name(order, rows[-1]),
        count=listing.count(values),
        words=order.words,
    )


def show(
    template: str,
    form: Filters,
    read: Callable[[], ListPage],
    written: Callable[[Sequence[Any]], Iterable[Any]],
) -> str | tuple[str, int]:
    """Show the rows, `written`, that the filters of a list find; say which filter is wrong."""
    if not form.validate():
        return render_template(template, form=form, page=None), 422
    page = read()
    return render_template(template, form=form, page=page, rows=written(page.rows))


def every(query: "ModelSelect[Any]", order: RowOrder) -> Iterator[Any]:
    """Yield all the rows of a list, reading some at a time: a slow download keeps no query open."""
    asked, more = query, True
    while more:
        found = list(_sorted(asked, order, goes_up=order.goes_up).limit(_AT_A_TIME))
        yield from found
        more = len(found) == _AT_A_TIME
        if more:
            asked = query.where(_beyond(order, _name(order, found[-1]), backwards=False))


def count(query: "ModelSelect[Any]") -> int:
    """Return how many rows a query has, COUNTED + 1 for more than COUNTED."""
    ((number,),) = PreparedQuery(lambda: _counting(query)).rows()
    return int(number)


def _counting(query: "ModelSelect[Any]") -> Any:
    some = query.select(SQL("1")).order_by().limit(COUNTED + 1)
    return query.model.select(fn.COUNT(SQL("1"))).from_(some)


def _sorted(query: "ModelSelect[Any]", order: RowOrder, *, goes_up: bool) -> "ModelSelect[Any]":
    columns = (order.by, order.number)
    return query.order_by(*(each.asc() if goes_up else each.desc() for each in columns))


def _beyond(order: RowOrder, cursor: str, *, backwards: bool) -> Expression:
    """Select the rows after this one in the order of the list, or before it."""
    text, _, number = cursor.rpartition("_")
    key = _whole(text) if isinstance(order.by, IntegerField) else text
    if isinstance(key, str) and not (key.isprintable() and 0 < len(key) <= _LONGEST_KEY):
        abort(404)
    row = Tuple(Value(key, converter=False), Value(_whole(number), converter=False))
    columns = Tuple(order.by, order.number)
    beyond: Expression = columns > row if order.goes_up is not backwards else columns < row
    return beyond


def _name(order: RowOrder, row: Any) -> str:
    """Return the name of a row in an address."""
    key = getattr(row, order.by.name)
    kept = to_text(key) if isinstance(key, date) else key
    return f"{kept}_{getattr(row, order.number.name)}"


def _whole(text: str) -> int:
    """Return an integer that fits in a database's column, else answer 404."""
    try:
        number = int(text)
    except ValueError:
        abort(404)
    return number if -(2**63) <= number < 2**63 else abort(404)


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", NARROW_NO_BREAK_SPACE)
