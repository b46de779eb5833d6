"""Undo a load: the rows as they were before it, as if the file had never come.

The load itself stays in the list of loads, with who undid it and why.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peewee import IntegrityError, ModelDelete

from kiosque.db import execute_many, write
from kiosque.db.models import (
    Family,
    FamilyMerge,
    FamilyNotice,
    FamilyNoticeItem,
    ImportBatch,
    ImportChange,
    Invoice,
    InvoiceLine,
    NumberedModel,
    OutboxMail,
    Service,
    Transmission,
)
from kiosque.invoices.imports.already_loaded import chunks
from kiosque.invoices.imports.undo_log import COLUMNS, KEPT, RECORD, is_kept, table
from kiosque.invoices.imports.undo_reasons import invoices_of, why_needed, why_not
from kiosque.language import clock
from kiosque.language.formats import counted, long_instant
from kiosque.payments import Refused
from kiosque.payments.cited_commands import Way
from kiosque.payments.refusals import require_author_and_reason

_CHANGE = "UPDATE family SET {} WHERE id = ?"
_ADD = "INSERT INTO {} ({}) VALUES ({})"
#: Most reasons that are given.
SHOWN = 5
MONEY = (
    f"c’est de l’argent reçu, il ne s’annule pas. Corrigez chaque encaissement ({Way.CORRECTIONS})."
)
IN_THE_WAY = (
    "Ce qui a été chargé depuis a pris la place de ce qui serait remis. Annulez d’abord les "
    "chargements suivants."
)


@dataclass(frozen=True)
class Undone:
    """The effect of undoing a load: how many invoices are deleted and their cents, how many
    families are deleted, and how many are put back as they were."""

    batch: ImportBatch
    invoices: int
    cents: int
    families: int
    restored: int


def preview(number: int) -> Undone:
    """Say what undoing a load would do. Raise Refused as `undo` does, except if something else
    needs a family or a service of the load: only `undo` finds that."""
    batch = _undoable(number)
    _refuse(why_not(batch))
    return _measured(batch)


def undo(number: int, author: str, reason: str, pdf_folder: Path) -> ImportBatch:
    """Undo a load and return it. Raise Refused, changing nothing, if money, the bank, a mail or a
    later load depends on what it brought, or without author and reason."""
    require_author_and_reason(author, reason)
    with write():
        batch = _undoable(number)
        names = [each.pdf_name for each in invoices_of(batch) if each.pdf_name]
        _take_away(batch)
        batch.undone_at, batch.undone_by, batch.undo_reason = clock.now(), author, reason
        batch.save()
    for name in names:
        (pdf_folder / name).unlink(missing_ok=True)
    return batch


def _take_away(batch: ImportBatch) -> None:
    _refuse(why_not(batch))
    try:
        _delete_invoices(batch)
        _put_back(batch)
    except IntegrityError:
        raise Refused([IN_THE_WAY]) from None


def _measured(batch: ImportBatch) -> Undone:
    invoices = list(invoices_of(batch))
    families = set(_added(batch, Family))
    changed = ImportChange.select(ImportChange.family).where(ImportChange.batch == batch)
    known = {change.family_id for change in changed.distinct()} - {None}
    cents = sum(max(invoice.total_cents, 0) for invoice in invoices)
    return Undone(batch, len(invoices), cents, len(families), len(known - families))


def _undoable(number: int) -> ImportBatch:
    batch = ImportBatch.get_or_none(ImportBatch.id == number)
    if batch is None:
        raise Refused([f"Aucun chargement n° {number}."])
    if batch.kind == "encaissements":
        raise Refused([f"Chargement n° {number} : {MONEY}"])
    if batch.undone_at:
        raise Refused([f"Chargement n° {number} : annulé le {long_instant(batch.undone_at)}."])
    if not is_kept(batch):
        raise Refused(
            [
                f"Chargement n° {number} : ce qu’il a changé n’est plus gardé. Il l’est "
                f"{counted(KEPT.days, 'jour')}, et moins si une de ses familles est effacée."
            ]
        )
    return batch


def _refuse(reasons: Iterator[str]) -> None:
    """Raise Refused with the first reasons, if there is one."""
    if found := list(reasons):
        more = len(found) - SHOWN
        rest = [f"{counted(more, 'raison')} de plus."] if more > 0 else []
        raise Refused([*found[:SHOWN], *rest])


def _delete_invoices(batch: ImportBatch) -> None:
    """Delete the invoices of a load, and the mails about them that wait."""
    ids = invoices_of(batch).select(Invoice.id)
    items = FamilyNoticeItem.invoice.in_(ids)
    notices = {each.notice.id for each in FamilyNoticeItem.select().where(items)}
    ModelDelete(FamilyNoticeItem).where(items).execute()
    for part in chunks(sorted(notices)):
        full = FamilyNoticeItem.select(FamilyNoticeItem.notice)
        for notice in FamilyNotice.select().where(
            FamilyNotice.id.in_(part), FamilyNotice.id.not_in(full)
        ):
            ModelDelete(OutboxMail).where(
                OutboxMail.template == notice.kind, OutboxMail.object_id == notice.id
            ).execute()
            ModelDelete(FamilyNotice).where(FamilyNotice.id == notice.id).execute()
    ModelDelete(Transmission).where(Transmission.invoice.in_(ids)).execute()
    ModelDelete(InvoiceLine).where(InvoiceLine.invoice.in_(ids)).execute()
    ModelDelete(Invoice).where(Invoice.batch == batch).execute()


def _put_back(batch: ImportBatch) -> None:
    """Delete the rows that the load added, and put the others back as they were."""
    models: tuple[type[NumberedModel], ...] = (Family, Service)
    added = {model: _added(batch, model) for model in models}
    for model in reversed(RECORD):
        for part in chunks(_added(batch, model)):
            ModelDelete(model).where(model.id.in_(part)).execute()
    for row, former in _former(batch, Family):
        if former.get("archived_at", "") is None:  # keep it archived if it was archived since
            del former["archived_at"]
        places = ", ".join(f"{column} = ?" for column in former)
        execute_many(_CHANGE.format(places), [(*former.values(), row)])
    for model in RECORD:
        columns = ("id", *COLUMNS[model])
        statement = _ADD.format(table(model), ", ".join(columns), ", ".join("?" * len(columns)))
        rows = _former(batch, model)
        execute_many(statement, [(row, *former.values()) for row, former in rows])
    ModelDelete(ImportChange).where(ImportChange.batch == batch).execute()
    for part in chunks(added[Family]):  # merges already undone would still refer to them
        either = FamilyMerge.kept.in_(part) | FamilyMerge.gone.in_(part)
        ModelDelete(FamilyMerge).where(either, FamilyMerge.undone_at.is_null(False)).execute()
    _refuse(why_needed(added))
    for model, ids in added.items():
        for part in chunks(ids):
            ModelDelete(model).where(model.id.in_(part)).execute()


def _added(batch: ImportBatch, model: type[NumberedModel]) -> list[int]:
    found = _changes(batch, model).where(ImportChange.former.is_null())
    return [change.row_id for change in found]


def _former(
    batch: ImportBatch, model: type[NumberedModel]
) -> Iterator[tuple[int, dict[str, str | int | None]]]:
    """Yield the rows that a load changed or deleted, as they were: their ids, their columns."""
    for change in _changes(batch, model).where(ImportChange.former.is_null(False)):
        yield change.row_id, json.loads(change.former)


def _changes(batch: ImportBatch, model: type[NumberedModel]) -> Any:
    return (
        ImportChange.select()
        .where(ImportChange.batch == batch, ImportChange.table_name == table(model))
        .order_by(ImportChange.id)
    )
