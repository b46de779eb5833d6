"""The journal of the payments, as the books have it."""

from flask import render_template
from peewee import ModelSelect

from kiosque.db.models import JournalEntry
from kiosque.payments import account_words
from kiosque.staff.roles import Role
from kiosque.web.office import exports, lists
from kiosque.web.office.access import own_agent, staff_only
from kiosque.web.office.filters import JournalFilters
from kiosque.web.office.lists import Order
from kiosque.web.views.office.area import Answer

_READERS = (Role.REGISSEUR, Role.CONTROLE)
_BY_NUMBER = Order(JournalEntry.number, JournalEntry.number)


@staff_only(*_READERS)
def journal() -> Answer:
    form = JournalFilters()
    if not form.validate():
        return render_template("office/journal.html", form=form, page=None), 422
    page = lists.read_page(lambda: _entries(form), _BY_NUMBER)
    return render_template("office/journal.html", form=form, page=page, words=account_words)


@staff_only(*_READERS)
@exports.as_file
def journal_table() -> exports.Export:
    form = JournalFilters().required()
    rows = map(account_words.row_of, lists.every(_entries(form), _BY_NUMBER))
    return exports.Export("journal", account_words.COLUMNS, rows, form.chosen)


def _entries(form: JournalFilters) -> "ModelSelect[JournalEntry]":
    """Select the entries of the agent's *régies*."""
    own = lists.narrow(JournalEntry.select(), own_agent().own(JournalEntry.regie, *_READERS))
    return lists.narrow(own, form.conditions())
