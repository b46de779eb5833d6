"""Agents' answers about files of other software, kept for the next files: list and forget them."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from flask import abort, flash, redirect, render_template, url_for
from peewee import Expression, ModelSelect
from werkzeug.wrappers import Response

from kiosque.db.models import ColumnMapping, Debtor, Family
from kiosque.families.codes import normalise_family_code
from kiosque.invoices.imports import codes, mappings
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web.office import exports, lists
from kiosque.web.office.access import actor
from kiosque.web.office.filter_fields import TextFilter
from kiosque.web.office.lists import Filters, RowOrder
from kiosque.web.office.refused_file_forms import WORDS
from kiosque.web.views.office.area import Answer, known, row

_LATEST = RowOrder(Debtor.made_at, Debtor.id)


class ListedDebtor(NamedTuple):
    """A row of the list; `code` is its family's."""

    id: int
    name: str
    address: str
    reference: str
    author: str
    made_at: datetime
    code: str


class DebtorFilters(Filters):
    debiteur = TextFilter("Nom du débiteur, ou code famille")

    def conditions(self) -> Iterator[Expression]:
        if asked := self.debiteur.data:
            yield (Debtor.name.contains(asked)) | (Family.code == normalise_family_code(asked))


def recognised() -> Answer:
    form = DebtorFilters()
    page = lists.read_page(lambda: _debtors(form), _LATEST, kind=ListedDebtor)
    if form.chosen:
        events.note(Action.FAMILIES_SEARCHED, actor(), form.debiteur.data)
    return render_template(
        "office/recognised.html",
        form=form,
        page=page,
        tables=[(each, list(_said(each))) for each in mappings.kept()],
    )


@exports.as_file
def recognised_table() -> exports.Export:
    form = DebtorFilters().required()
    every = lists.every(_debtors(form).objects(ListedDebtor), _LATEST)
    return exports.Export("debiteurs", exports.DEBTORS, map(_row, every), form.chosen)


def _debtors(form: DebtorFilters) -> "ModelSelect[Debtor]":
    return lists.narrow(
        Debtor.select(*lists.columns(ListedDebtor, Debtor, Family)).join(Family), form.conditions()
    )


def _row(it: ListedDebtor) -> exports.Row:
    return it.name, it.address, it.reference, it.code, exports.instant(it.made_at), it.author


def forget_debtor(number: int) -> Response:
    """Forget which family a debtor is."""
    found = row(Debtor, number)
    events.note(Action.DEBTOR_FORGOTTEN, actor(), f"{found.name}, {found.family.code}")
    try:
        codes.forget(found.id)
    except codes.Unknown:
        abort(404)
    flash(f"{found.name}\u00a0: oublié. Le prochain fichier demandera de quelle famille il s’agit.")
    return redirect(url_for("office.recognised"))


def forget_columns(number: int) -> Response:
    """Forget what the columns of a table are."""
    found = mappings.forget_kept(known(number)) or abort(404)
    events.note(Action.COLUMNS_FORGOTTEN, actor(), found.name)
    flash(f"Colonnes de {found.name}\u00a0: oubliées. Le prochain fichier les demandera.")
    return redirect(url_for("office.recognised"))


def _said(table: ColumnMapping) -> Iterator[str]:
    """Yield in French what agents said of the columns of a table."""
    for ours, theirs in mappings.sources(table).items():
        named = theirs if isinstance(theirs, str) else ", ".join(theirs)
        words = f"«\u00a0{named[1:]}\u00a0» partout" if named.startswith("=") else named
        yield f"{WORDS.get(ours, ours)}\u00a0: {words}"
