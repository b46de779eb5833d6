"""The journal of the payments, as the books have it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import NamedTuple

from flask import url_for
from peewee import ModelSelect

from kiosque.db.models import JournalEntry
from kiosque.language import clock
from kiosque.language.formats import format_euros, short_date
from kiosque.payments import account_words
from kiosque.web.office import exports, lists
from kiosque.web.office.access import BOOK_READERS, own_agent
from kiosque.web.office.filters import JournalFilters
from kiosque.web.office.lists import RowOrder
from kiosque.web.views.office.area import Answer

_BY_NUMBER = RowOrder(JournalEntry.number, JournalEntry.number)


class ListedEntry(NamedTuple):
    """A row of the list; the last three number what the entry is about."""

    number: int
    at: datetime
    label: str
    corrects: int | None
    debit: str
    credit: str
    amount_cents: int
    settlement: int | None
    deposit: int | None
    line: int | None


def journal() -> Answer:
    form = JournalFilters()
    return lists.show("office/journal.html", form, lambda: _page(form), _written)


def _page(form: JournalFilters) -> lists.ListPage:
    is_plain = not form.chosen and own_agent().bounds(*BOOK_READERS) is None
    return lists.read_page(
        lambda: _entries(form).select(*lists.columns(ListedEntry, JournalEntry)),
        _BY_NUMBER,
        lambda: _entries(form).select(JournalEntry.number),
        kind=ListedEntry,
        kept_as="journal" if is_plain else None,
    )


def _written(found: Iterable[ListedEntry]) -> Iterator[tuple[str, ...]]:
    """Write the rows with their words: three hundred cells, for which the template calls little."""
    root, named = url_for("office.settlements"), cache(account_words.named)
    for it in found:
        address = f"{root}/{it.settlement}" if it.settlement else ""
        if it.deposit:
            address = url_for("office.bordereau_paper", number=it.deposit)
        elif it.line:
            address = url_for("office.bank_line", number=it.line)
        yield (
            address, str(it.number), short_date(clock.paris_date(it.at)),
            account_words.labelled(it), named(it.debit) or "aucun", named(it.credit) or "aucun",
            format_euros(it.amount_cents) if it.amount_cents else "aucun",
        )  # fmt: skip


@exports.as_file
def journal_table() -> exports.Export:
    form = JournalFilters().required()
    rows = map(account_words.row_of, lists.every(_entries(form), _BY_NUMBER))
    return exports.Export("journal", account_words.COLUMNS, rows, form.chosen)


def _entries(form: JournalFilters) -> "ModelSelect[JournalEntry]":
    """Select the entries of the agent's *régies*."""
    own = lists.narrow(JournalEntry.select(), own_agent().own(JournalEntry.regie, *BOOK_READERS))
    return lists.narrow(own, form.conditions())
