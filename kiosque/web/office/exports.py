"""Lists that leave as files, for a spreadsheet; payments with their uses, for another software."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from kiosque.db.models import (
    Anomaly,
    Family,
    FamilyRequest,
    ImportBatch,
    Imputation,
    Invoice,
    OutboxMail,
    Settlement,
    Staff,
    StatementFile,
    StatementLine,
    Upload,
)
from kiosque.db.statement_words import LineState
from kiosque.db.states import RequestTopic, SettlementState, UploadState
from kiosque.families.requests import TOPICS
from kiosque.language import clock
from kiosque.papers import content
from kiosque.payments.anomalies import Concerned
from kiosque.payments.outgoing import STATES, Told
from kiosque.settings import Settings
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import spreadsheets
from kiosque.web.office.access import actor
from kiosque.web.status_words import settlement_status, status_on

Row = spreadsheets.Row

INVOICES = (
    "numero", "code_famille", "famille", "enfants", "periode", "prestations", "emise_le",
    "echeance", "etat", "montant", "paye", "regie",
)  # fmt: skip
SETTLEMENTS = (
    "encaissement", "recu", "date", "code_famille", "famille", "mode", "etat", "montant", "rendu",
    "reference_banque", "regie",
)  # fmt: skip
FAMILIES = ("code_famille", "famille", "adresse", "code_postal", "ville")
REQUESTS = ("demande", "instant", "code_famille", "sujet", "facture")
POINTS = ("point", "depuis", "montant", "detail", "code_famille", "factures", "regie")
LOADS = (
    "chargement", "fichier", "nature", "instant", "par", "lignes", "nouvelles", "annule_le",
    "annule_par", "motif",
)  # fmt: skip
DEBTORS = ("debiteur", "adresse", "reference", "code_famille", "instant", "par")
UPLOADS = ("depot", "fichier", "instant", "par", "etat")
MAILS = ("courriel", "instant", "nature", "code_famille", "cause")
IMPUTATIONS = (
    "regie", "prestation", "article", "fonction", "antenne", "depuis", "par", "instant"
)  # fmt: skip
BANK_LINES = (
    "mouvement", "jour", "date_valeur", "libelle", "reference", "montant", "etat", "regie"
)  # fmt: skip
BANK_FILES = ("fichier", "nom", "nature", "instant", "par", "annule_le", "annule_par", "motif")
AGENTS = ("agent", "roles", "acces")
TOLD = (
    "encaissement", "recu", "date", "code_famille", "mode", "etat", "facture", "emploi", "montant",
    "encaisse", "rendu", "reference_banque",
)  # fmt: skip


#: States of a deposited file that is not loaded.
UPLOAD_STATES = {
    UploadState.STORED: "à lire",
    UploadState.READ: "à vérifier",
    UploadState.REFUSED: "ne peut pas être chargé",
    UploadState.AGREED: "en cours de chargement",
}


class Export(NamedTuple):
    """A list to download. `name` is its name as a file and in the log of acts; `chosen` are the
    filters in force."""

    name: str
    head: Sequence[str]
    rows: Iterable[Row]
    chosen: Mapping[str, str] = {}


def as_file(view: Callable[..., Export]) -> Callable[..., Response]:
    """Answer the list that a view returns as a file of the `kind` in the address, and write a line
    in the log of acts."""

    @wraps(view)
    def answered(kind: str, **which: Any) -> Response:
        name, head, rows, chosen = view(**which)
        events.note(Action.EXPORTED, actor(), name, " ".join(filter(None, chosen.values())))
        return spreadsheets.answer(kind, name.replace(" ", "-"), head, rows)

    return answered


def of_invoice(invoice: Invoice, settings: Settings) -> Row:
    return (
        invoice.number,
        invoice.family.code,
        invoice.family.name,
        invoice.children,
        invoice.period,
        invoice.services,
        invoice.issued_on,
        invoice.due_on,
        status_on(clock.today(), invoice, None).words,
        invoice.total_cents,
        invoice.paid_cents,
        settings.regie_named(invoice.regie).name,
    )


def of_settlement(settlement: Settlement, settings: Settings) -> Row:
    receipt, family = getattr(settlement, "receipt", None), settlement.family
    return (
        str(settlement.id),
        receipt.title if receipt else "",
        clock.paris_date(settlement.settled_at),
        family.code if family else "",
        family.name if family else "",
        content.how_paid(settlement),
        settlement_status(settlement).words,
        settlement.amount_cents,
        settlement.returned_cents,
        settlement.transaction_id,
        settings.regie_named(settlement.regie).name,
    )


def of_family(family: Family) -> Row:
    return family.code, family.name, family.address, family.postcode, family.city


def of_request(request: FamilyRequest) -> Row:
    topic = TOPICS[RequestTopic(request.topic)]
    number = request.invoice.number if request.invoice else ""
    return str(request.id), instant(request.asked_at), request.family.code, topic, number


def of_point(point: Anomaly, about: Concerned, settings: Settings) -> Row:
    return (
        str(point.id),
        clock.paris_date(point.noted_at),
        point.amount_cents or None,
        point.detail,
        about.family,
        ", ".join(about.numbers),
        settings.regie_named(point.regie).name,
    )


def of_load(batch: ImportBatch) -> Row:
    return (
        str(batch.id),
        batch.file_name,
        batch.kind,
        instant(batch.imported_at),
        batch.author,
        str(batch.row_count),
        str(batch.added_count),
        instant(batch.undone_at),
        batch.undone_by,
        batch.undo_reason,
    )


def of_upload(upload: Upload) -> Row:
    words, at = UPLOAD_STATES[UploadState(upload.state)], instant(upload.uploaded_at)
    return str(upload.id), upload.file_name, at, upload.author, words


def of_mail(mail: OutboxMail, words: str, family: Family | None) -> Row:
    code = family.code if family else ""
    return str(mail.id), instant(mail.queued_at), words, code, mail.last_error


def of_imputation(row: Imputation, regie: str) -> Row:
    where = row.service.name, row.article, row.fonction, row.antenne
    return regie, *where, row.valid_from, row.author, instant(row.noted_at)


def of_bank_line(line: StatementLine, regie: str) -> Row:
    return (
        str(line.id),
        line.booked_on,
        line.value_on,
        line.label,
        line.reference,
        line.amount_cents,
        "Expliqué" if line.state == LineState.MATCHED else "À expliquer",
        regie,
    )


def of_bank_file(file: StatementFile) -> Row:
    return (
        str(file.id),
        file.name,
        file.kind,
        instant(file.loaded_at),
        file.author,
        instant(file.undone_at),
        file.undone_by,
        file.undo_reason,
    )


def way_in(agent: Staff) -> str:
    """Say how far an agent may come in."""
    if agent.closed_at:
        return "accès fermé"
    return "ouvert" if agent.enrolled_at else "ne s’est pas encore connecté"


def instant(at: datetime | None) -> str:
    """Write an instant in Paris time, in a form that sorts; "" for None."""
    return f"{at.astimezone(clock.PARIS):%Y-%m-%d %H:%M:%S}" if at else ""


def of_told(told: Told) -> Iterator[Row]:
    """Give a row for each use of a payment."""
    settlement = told.settlement
    for use in told.uses:
        yield (
            str(settlement.id),
            told.receipt,
            clock.paris_date(settlement.settled_at),
            told.family,
            content.how_paid(settlement),
            settlement_status(settlement).words,
            use.invoice,
            use.use,
            use.cents,
            settlement.amount_cents,
            settlement.returned_cents,
            settlement.transaction_id,
        )


def as_json(told: Told) -> dict[str, object]:
    """Return a payment as another software reads it; amounts are cents."""
    settlement = told.settlement
    return {
        "numero": settlement.id,
        "recu": told.receipt or None,
        "date": clock.paris_date(settlement.settled_at).isoformat(),
        "famille": told.family or None,
        "regie": settlement.regie,
        "mode": settlement.mode,
        "en_ligne": settlement.gateway is not None,
        "etat": STATES[SettlementState(settlement.state)],
        "montant": settlement.amount_cents,
        "rendu": settlement.returned_cents,
        "reference_banque": settlement.transaction_id,
        "emplois": [
            {"facture": use.invoice or None, "emploi": use.use, "montant": use.cents}
            for use in told.uses
        ],
    }
