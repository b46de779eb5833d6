"""Say in French why a load cannot be undone: what happened since to its invoices and families."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kiosque.db.models import (
    Account,
    Allocation,
    Anomaly,
    AttemptItem,
    BaseModel,
    Debtor,
    Enrolment,
    Family,
    FamilyMerge,
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
    Settlement,
    Transmission,
)
from kiosque.db.states import InvoiceState, MailState
from kiosque.invoices.imports.already_loaded import chunks
from kiosque.invoices.imports.undo_log import table

#: The French reason not to undo, by the table of a row about an invoice or a new family.
_WORDS: Mapping[type[BaseModel], str] = {
    Account: "elle a un compte en ligne",
    Allocation: "un encaissement la concerne",
    Anomaly: "une anomalie la concerne",
    AttemptItem: "elle est, ou a été, à la banque",
    Debtor: "un débiteur d’un autre logiciel lui est attribué",
    Enrolment: "une inscription chargée depuis la cite",
    FamilyMerge: "elle est fusionnée avec une autre",
    FamilyRequest: "une demande de la famille la concerne",
    Invoice: "elle a d’autres factures",
    InvoiceLine: "une facture chargée depuis la cite",
    Settlement: "un avoir en a payé une facture",
}
_TO_PUT_BACK = "un chargement fait depuis a retiré une inscription qui la cite"
_OTHER = "autre chose en dépend"
#: Tables whose rows are deleted with their invoice.
_OF_INVOICE = (InvoiceLine, FamilyNoticeItem, Transmission)


def invoices_of(batch: ImportBatch) -> Any:
    """Select the invoices that a load brought."""
    return Invoice.select().where(Invoice.batch == batch).order_by(Invoice.id)


def why_not(batch: ImportBatch) -> Iterator[str]:
    """Say in French what stands against undoing a load."""
    yield from _why_of_invoices(invoices_of(batch))
    yield from _why_merged(batch)
    yield from _why_of_families(batch)


def _why_of_invoices(invoices: Any) -> Iterator[str]:
    touched = Invoice.state.in_([InvoiceState.PAID, InvoiceState.CANCELLED])
    for invoice in invoices.where(touched | (Invoice.paid_cents != 0)):
        is_cancelled = invoice.state == InvoiceState.CANCELLED
        yield (
            f"Facture {invoice.number} : "
            f"{'annulée' if is_cancelled else 'payée ou employée, en tout ou en partie'}."
        )
    for invoice, words in _cited(Invoice, [each.id for each in invoices], _OF_INVOICE):
        yield f"Facture {invoice.number} : {words}."
    given = Transmission.select(Transmission.invoice).where(Transmission.batch.is_null())
    for invoice in invoices.where(Invoice.id.in_(given)):
        yield f"Facture {invoice.number} : elle est, ou a été, transmise au Trésor public."
    for invoice in invoices.where(Invoice.id.in_(_told())):
        yield f"Facture {invoice.number} : un courriel en a été envoyé, ou part."


def _why_of_families(batch: ImportBatch) -> Iterator[str]:
    own = ImportChange.select(ImportChange.family).where(
        ImportChange.batch == batch, ImportChange.family.is_null(False)
    )
    answered = (
        FamilyRequest.select(FamilyRequest, Family)
        .join(Family)
        .where(
            FamilyRequest.family.in_(own),
            FamilyRequest.applied != "",
            FamilyRequest.answered_at >= batch.imported_at,
        )
    )
    for request in answered.order_by(FamilyRequest.id):
        yield f"Famille {request.family.code} : une demande acceptée depuis a changé son dossier."
    later = ImportChange.select(ImportChange.batch).where(
        ImportChange.batch > batch, ImportChange.family.in_(own)
    )
    for each in ImportBatch.select().where(ImportBatch.id.in_(later)).order_by(ImportBatch.id):
        yield f"Le chargement n° {each.id} a changé depuis les mêmes familles. Annulez-le d’abord."


def _why_merged(batch: ImportBatch) -> Iterator[str]:
    """Say in French which merges moved invoices of a load. If these were deleted, undoing the merge
    later might move other invoices that got their ids."""
    ids = {invoice.id for invoice in invoices_of(batch)}
    since = FamilyMerge.undone_at.is_null(), FamilyMerge.merged_at >= batch.imported_at
    for merge in FamilyMerge.select().where(*since).order_by(FamilyMerge.id.desc()):
        if not ids.isdisjoint(json.loads(merge.moved)["invoice"]):
            yield f"Famille {merge.gone.code} : fusionnée depuis. Annulez d’abord la fusion."


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
    """Yield the rows that other tables, except `own`, refer to; and name these in French."""
    links = model._meta.backrefs  # noqa: SLF001  # Peewee's own
    for field, other in links.items():
        for part in [] if other in own else chunks(ids):
            found = other.select(field).where(field.in_(part))
            for row in model.select().where(model.id.in_(found)).order_by(model.id):
                yield row, _WORDS.get(other, _OTHER)


def why_needed(added: Mapping[type[NumberedModel], Sequence[int]]) -> Iterator[str]:
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
