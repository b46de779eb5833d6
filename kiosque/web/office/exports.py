"""The rows of exports: payments with their uses, for a spreadsheet or for another software."""

from collections.abc import Iterator
from datetime import date

from kiosque.db.models import Invoice, Settlement
from kiosque.db.states import SettlementState
from kiosque.language import clock
from kiosque.papers import content
from kiosque.payments.outgoing import STATES, Told
from kiosque.settings import Settings
from kiosque.web.status_words import settlement_status, status_on

Row = tuple[str | int | date | None, ...]

INVOICES = (
    "numero", "code_famille", "famille", "enfants", "periode", "prestations", "emise_le",
    "echeance", "etat", "montant", "paye", "regie",
)  # fmt: skip
SETTLEMENTS = (
    "encaissement", "recu", "date", "code_famille", "famille", "mode", "etat", "montant", "rendu",
    "reference_banque", "regie",
)  # fmt: skip
TOLD = (
    "encaissement", "recu", "date", "code_famille", "mode", "etat", "facture", "emploi", "montant",
    "encaisse", "rendu", "reference_banque",
)  # fmt: skip


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
