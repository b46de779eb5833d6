"""Undo a load: the rows as they were before it, as if the file had never come.

The load itself stays in the list of loads, with who undid it and why.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from peewee import IntegrityError, ModelDelete

from kiosque.db import execute_many, write
from kiosque.db.models import (
    Account,
    Allocation,
    Anomaly,
    AttemptItem,
    BaseModel,
    Enrolment,
    Family,
    FamilyNotice,
    FamilyNoticeItem,
    FamilyRequest,
    ImportBatch,
    ImportChange,
    Invoice,
    InvoiceLine,
    NumberedModel,
    OutboxMail,
    Service,
)
from kiosque.db.states import InvoiceState, MailState
from kiosque.invoices.imports.changes import COLUMNS, KEPT, RECORD, is_kept, table
from kiosque.invoices.imports.stored import chunks
from kiosque.language import clock
from kiosque.language.formats import counted, long_instant
from kiosque.payments import Refused
from kiosque.payments.refusals import require_author_and_reason

_CHANGE = "UPDATE family SET {} WHERE id = ?"
_ADD = "INSERT INTO {} ({}) VALUES ({})"
#: Of many reasons, so many are said.
SHOWN = 5
#: What may be about an invoice or a new family, in French; anything else has no word of its own.
_WORDS: Mapping[type[BaseModel], str] = {
    Account: "elle a un compte en ligne",
    Allocation: "un encaissement la concerne",
    Anomaly: "une anomalie la concerne",
    AttemptItem: "elle est, ou a été, à la banque",
    Enrolment: "une inscription chargée depuis la cite",
    FamilyRequest: "une demande de la famille la concerne",
    Invoice: "elle a d’autres factures",
    InvoiceLine: "une facture chargée depuis la cite",
}
_TO_PUT_BACK = "un chargement fait depuis a retiré une inscription qui la cite"
_OTHER = "autre chose en dépend"
#: They leave with the invoice that they are about.
_OF_INVOICE = (InvoiceLine, FamilyNoticeItem)
MONEY = (
    "c’est de l’argent reçu, il ne s’annule pas. Corrigez chaque encaissement par les commandes "
    "de docs/payments.md : refund, restore-payment, apply-overpayment."
)
IN_THE_WAY = (
    "Ce qui a été chargé depuis a pris la place de ce qui serait remis. Annulez d’abord les "
    "chargements suivants."
)


def undo(number: int, author: str, reason: str, pdf_folder: Path) -> ImportBatch:
    """Undo a load and return it. Raise Refused, having changed nothing, where money, the bank, a
    mail or a later load is about what it brought, or without author and reason."""
    require_author_and_reason(author, reason)
    with write():
        batch = _undoable(number)
        _refuse(_why_not(batch))
        names = [each.pdf_name for each in _invoices(batch) if each.pdf_name]
        try:
            _delete_invoices(batch)
            _put_back(batch)
        except IntegrityError:
            raise Refused([IN_THE_WAY]) from None
        batch.undone_at, batch.undone_by, batch.undo_reason = clock.now(), author, reason
        batch.save()
    for name in names:
        (pdf_folder / name).unlink(missing_ok=True)
    return batch


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


def _why_not(batch: ImportBatch) -> Iterator[str]:
    invoices = _invoices(batch)
    touched = Invoice.state.in_([InvoiceState.PAID, InvoiceState.CANCELLED])
    for invoice in invoices.where(touched | (Invoice.paid_cents > 0)):
        is_cancelled = invoice.state == InvoiceState.CANCELLED
        yield (
            f"Facture {invoice.number} : "
            f"{'annulée' if is_cancelled else 'payée, en tout ou en partie'}."
        )
    for invoice, words in _cited(Invoice, [each.id for each in invoices], _OF_INVOICE):
        yield f"Facture {invoice.number} : {words}."
    for invoice in invoices.where(Invoice.id.in_(_told())):
        yield f"Facture {invoice.number} : un courriel en a été envoyé, ou part."
    own = ImportChange.select(ImportChange.family).where(
        ImportChange.batch == batch, ImportChange.family.is_null(False)
    )
    later = ImportChange.select(ImportChange.batch).where(
        ImportChange.batch > batch, ImportChange.family.in_(own)
    )
    for each in ImportBatch.select().where(ImportBatch.id.in_(later)).order_by(ImportBatch.id):
        yield f"Le chargement n° {each.id} a changé depuis les mêmes familles. Annulez-le d’abord."


def _invoices(batch: ImportBatch) -> Any:
    return Invoice.select().where(Invoice.batch == batch).order_by(Invoice.id)


def _told() -> Any:
    """Select the invoices of the mails that have left, or may have."""
    has_left = (OutboxMail.state == MailState.SENT) | (
        (OutboxMail.state == MailState.WAITING) & (OutboxMail.tries > 0)
    )
    return (
        FamilyNoticeItem.select(FamilyNoticeItem.invoice)
        .join(FamilyNotice)
        .join(
            OutboxMail,
            on=(OutboxMail.object_id == FamilyNotice.id)
            & (OutboxMail.template == FamilyNotice.kind),
        )
        .where(has_left)
    )


def _cited(
    model: type[NumberedModel], ids: Sequence[int], own: Sequence[type[BaseModel]] = ()
) -> Iterator[tuple[Any, str]]:
    """Yield the rows that others refer to, those of `own` tables apart, and by what, in French."""
    links = model._meta.backrefs  # noqa: SLF001  # Peewee's own
    for field, other in links.items():
        for part in [] if other in own else chunks(ids):
            found = other.select(field).where(field.in_(part))
            for row in model.select().where(model.id.in_(found)).order_by(model.id):
                yield row, _WORDS.get(other, _OTHER)


def _delete_invoices(batch: ImportBatch) -> None:
    """Delete the invoices of a load, and the mails about them that wait."""
    ids = _invoices(batch).select(Invoice.id)
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
        places = ", ".join(f"{column} = ?" for column in former)
        execute_many(_CHANGE.format(places), [(*former.values(), row)])
    for model in RECORD:
        columns = ("id", *COLUMNS[model])
        statement = _ADD.format(table(model), ", ".join(columns), ", ".join("?" * len(columns)))
        rows = _former(batch, model)
        execute_many(statement, [(row, *former.values()) for row, former in rows])
    ModelDelete(ImportChange).where(ImportChange.batch == batch).execute()
    _refuse(_why_needed(added))
    for model, ids in added.items():
        for part in chunks(ids):
            ModelDelete(model).where(model.id.in_(part)).execute()


def _why_needed(added: Mapping[type[NumberedModel], Sequence[int]]) -> Iterator[str]:
    """Say in French what else needs the families and the services that a load brought."""
    for family, words in _cited(Family, added[Family]):
        yield f"Famille {family.code} : {words}."
    for service, words in _cited(Service, added[Service]):
        yield f"Prestation « {service.name} » : {words}."
    for service in added[Service]:
        if _is_to_put_back(service):
            yield f"Prestation « {Service.get_by_id(service).name} » : {_TO_PUT_BACK}."


def _is_to_put_back(service: int) -> bool:
    """Tell whether an enrolment in this service would be put back by undoing another load."""
    former = ImportChange.former.endswith(json.dumps({"service_id": service})[1:])
    in_table = ImportChange.table_name == table(Enrolment)
    return bool(ImportChange.select().where(in_table, former).exists())


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
